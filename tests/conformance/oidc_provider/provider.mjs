// SPDX-License-Identifier: Apache-2.0
// npm's oidc-provider as its documentation sets it up, with its own pages for whoever signs in, asking of clients what we ask where it can be told to:
// PKCE of all, introspection and revocation. Reads {"port", "cert", "key", "clients", "sends_on"} on standard input; standard output has a line for each
// request that came to its token endpoint. `sends_on` makes it hostile to its clients named there: whoever asks for their authorization is sent on to another
// provider, as a client of that one, with all else as it came. Below /lies it says that it is the issuer of another name.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

import { Provider } from 'oidc-provider';

const wanted = JSON.parse(readFileSync(0, 'utf8'));
const issuer = `https://localhost:${wanted.port}`;
const provider = new Provider(issuer, {
	clients: wanted.clients,
	cookies: { keys: ['for a test'] },
	features: { introspection: { enabled: true }, revocation: { enabled: true } },
	pkce: { required: () => true },
	scopes: ['openid', 'offline_access'],
	issueRefreshToken: async () => true,
	rotateRefreshToken: true,
	findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});

provider.use(async (ctx, next) => {
	const on = ctx.path === '/auth' && wanted.sends_on?.[ctx.query.client_id];

	if (on) {
		const query = new URLSearchParams({ ...ctx.query, client_id: on.client_id });

		ctx.redirect(`${on.authorize}?${query}`);
		return;
	}
	if (ctx.path.startsWith('/lies/')) {
		ctx.body = {
			issuer: wanted.pretends, authorization_endpoint: `${issuer}/auth`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`,
			response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'],
		};
		return;
	}
	await next();
	if (ctx.path === '/token')
		console.log(JSON.stringify({ code: ctx.oidc?.body?.code ?? null }));
});

createServer({ cert: readFileSync(wanted.cert), key: readFileSync(wanted.key) }, provider.callback()).listen(wanted.port, '127.0.0.1');
