// SPDX-License-Identifier: Apache-2.0
// For `node --import`: what other people's packages expect of Node.js and Debian 12's has not, or not as globals.
import { webcrypto } from 'node:crypto';
import { setDefaultResultOrder } from 'node:dns';

globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;
URL.parse ??= (url, base) => {
	try {
		return new URL(url, base);
	} catch {
		return null;
	}
};
// It tries one address of a name only, and issuers of the tests listen on 127.0.0.1.
setDefaultResultOrder('ipv4first');
