// SPDX-License-Identifier: Apache-2.0
// npm's openid-client, as its documentation sets it up, doing what it is told: each line of standard input is {"do", "as", …}, each line of
// standard output what came of it, or {"error", "code", "message"}. Clients are kept by the name that "as" gives them.
import { createInterface } from 'node:readline';

import * as oidc from 'openid-client';

const clients = new Map();

const methods = {
	client_secret_basic: async (wanted) => oidc.ClientSecretBasic(wanted.secret),
	client_secret_post: async (wanted) => oidc.ClientSecretPost(wanted.secret),
	none: async () => oidc.None(),
	private_key_jwt: async (wanted) => oidc.PrivateKeyJwt({
		key: await crypto.subtle.importKey('pkcs8', Buffer.from(wanted.key, 'base64'),
			wanted.alg === 'ES256' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, false, ['sign']),
		kid: wanted.kid,
	}),
};

const plain = (tokens) => ({ ...tokens, claims: tokens.claims?.() });

const actions = {
	async discover(_, wanted) {
		const config = await oidc.discovery(new URL(wanted.issuer), wanted.id, wanted.metadata ?? {},
			await methods[wanted.method](wanted), { algorithm: wanted.algorithm ?? 'oidc' });

		// Signatures of ID tokens count although they came over TLS.
		oidc.enableNonRepudiationChecks(config);
		const client = { config, redirect_uri: wanted.redirect_uri, options: {} };

		if (wanted.dpop)
			client.options = { DPoP: oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair()) };
		clients.set(wanted.as, client);
		return config.serverMetadata();
	},
	async begin(client, wanted) {
		const verifier = oidc.randomPKCECodeVerifier();
		const begun = { verifier, state: oidc.randomState(), nonce: oidc.randomNonce() };
		const parameters = {
			redirect_uri: client.redirect_uri, scope: 'openid profile email', state: begun.state, nonce: begun.nonce,
			code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...wanted.parameters,
		};
		const url = wanted.par ? await oidc.buildAuthorizationUrlWithPAR(client.config, parameters, client.options)
			: oidc.buildAuthorizationUrl(client.config, parameters);

		return { ...begun, url: url.href };
	},
	async finish(client, wanted) {
		return plain(await oidc.authorizationCodeGrant(client.config, new URL(wanted.url), {
			pkceCodeVerifier: wanted.begun.verifier, expectedState: wanted.begun.state, expectedNonce: wanted.begun.nonce,
			maxAge: wanted.max_age, idTokenExpected: true,
		}, wanted.parameters, client.options));
	},
	userinfo: (client, wanted) => oidc.fetchUserInfo(client.config, wanted.token, wanted.sub, client.options),
	refresh: async (client, wanted) => plain(await oidc.refreshTokenGrant(client.config, wanted.token, wanted.parameters, client.options)),
	machine: async (client, wanted) => plain(await oidc.clientCredentialsGrant(client.config, wanted.parameters, client.options)),
	introspect: (client, wanted) => oidc.tokenIntrospection(client.config, wanted.token),
	async revoke(client, wanted) {
		await oidc.tokenRevocation(client.config, wanted.token);
		return {};
	},
	async get(client, wanted) {
		const answer = await oidc.fetchProtectedResource(client.config, wanted.token, new URL(wanted.url), 'GET', undefined, undefined, client.options);

		return { status: answer.status, body: await answer.json() };
	},
	async end_session(client, wanted) {
		return { url: oidc.buildEndSessionUrl(client.config, wanted.parameters).href };
	},
	device_begin: (client, wanted) => oidc.initiateDeviceAuthorization(client.config, { scope: 'openid profile email', ...wanted.parameters }),
	device_poll: async (client, wanted) => plain(await oidc.pollDeviceAuthorizationGrant(client.config, wanted.begun, undefined, client.options)),
};

for await (const line of createInterface({ input: process.stdin })) {
	const wanted = JSON.parse(line);

	try {
		console.log(JSON.stringify(await actions[wanted.do](clients.get(wanted.as), wanted) ?? {}));
	} catch (error) {
		console.log(JSON.stringify({
			error: error.error ?? error.name, code: error.code, message: `${error.message} ${error.cause?.message ?? ''}`.trim(), status: error.status,
		}));
	}
}
