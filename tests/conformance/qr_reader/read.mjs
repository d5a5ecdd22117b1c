// SPDX-License-Identifier: Apache-2.0
// Standard input: {"side", "dark": [[x, y], …]}, a square of pixels. Standard output: the text of the QR code in it, or null, as JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const read = createRequire(process.argv[2] + "/")("jsqr");
const { side, dark } = JSON.parse(readFileSync(0, "utf8"));
const pixels = new Uint8ClampedArray(side * side * 4).fill(255);
for (const [x, y] of dark) pixels.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3);
console.log(JSON.stringify(read(pixels, side, side, { inversionAttempts: "dontInvert" })?.data ?? null));
