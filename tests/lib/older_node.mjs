// SPDX-License-Identifier: Apache-2.0
// For `node --import`: what other people's packages expect of Node.js and Debian 12's has not, or not as globals.
import * as crypto from 'node:crypto';
import { setDefaultResultOrder } from 'node:dns';
import { register } from 'node:module';

globalThis.crypto ??= crypto.webcrypto;
globalThis.CryptoKey ??= crypto.webcrypto.CryptoKey;
URL.parse ??= (url, base) => {
	try {
		return new URL(url, base);
	} catch {
		return null;
	}
};
// It tries one address of a name only, and issuers of the tests listen on 127.0.0.1.
setDefaultResultOrder('ipv4first');

const module_of = (text) => `data:text/javascript,${encodeURIComponent(text)}`;

if (!crypto.hash) {
	// The names that a built-in module exports cannot be added to: whoever asks for this one gets another that has them all.
	const whole = module_of(`
		import { createHash } from 'node:crypto';
		export * from 'node:crypto';
		export { default } from 'node:crypto';
		export const hash = (algorithm, data, encoding = 'hex') => {
			const digest = createHash(algorithm).update(data).digest();
			return encoding === 'buffer' ? digest : digest.toString(encoding);
		};`);

	register(module_of(`
		export const resolve = (name, context, next) => name === 'node:crypto' && context.parentURL?.startsWith('file:')
			? { url: ${JSON.stringify(whole)}, shortCircuit: true } : next(name, context);`));
}
