// SPDX-License-Identifier: Apache-2.0
// npm's oidc-provider as its documentation sets it up: in memory, without TLS, issuing JWTs signed with Ed25519 (EdDSA) for one
// API. Reads {"port","client_id","client_secret","refresh_tokens"} on standard input, and prints one line of JSON when it serves:
// {"refresh_tokens":[…]}, tokens that the refresh grant takes.
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { Provider } from 'oidc-provider';

const wanted = JSON.parse(readFileSync(0, 'utf8'));
const issuer = `http://localhost:${wanted.port}`;
const api = 'https://api.berth.example';
const scope = 'openid offline_access api:read';
const accountId = 'bench-person';
const jwk = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), alg: 'EdDSA', use: 'sig', kid: 'bench' };

// Everything in memory, as its own adapter has it, but nothing forgotten: that one keeps a thousand entries, so that tokens still in
// use were evicted and refused.
const kept = new Map();
const byGrant = new Map();

class Memory {
	constructor(model) {
		this.model = model;
	}

	key(id) {
		return `${this.model}:${id}`;
	}

	async upsert(id, payload) {
		kept.set(this.key(id), payload);
		if (payload.grantId) {
			if (!byGrant.has(payload.grantId))
				byGrant.set(payload.grantId, new Set());
			byGrant.get(payload.grantId).add(this.key(id));
		}
	}

	async find(id) {
		return kept.get(this.key(id));
	}

	async consume(id) {
		kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
	}

	async destroy(id) {
		kept.delete(this.key(id));
	}

	async revokeByGrantId(grantId) {
		for (const key of byGrant.get(grantId) ?? [])
			kept.delete(key);
		byGrant.delete(grantId);
	}
}

const provider = new Provider(issuer, {
	adapter: Memory,
	clients: [{
		client_id: wanted.client_id,
		client_secret: wanted.client_secret,
		grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
		redirect_uris: ['https://client.berth.example/callback'],
		response_types: ['code'],
		token_endpoint_auth_method: 'client_secret_basic',
		id_token_signed_response_alg: 'EdDSA',
	}],
	jwks: { keys: [jwk] },
	enabledJWA: { idTokenSigningAlgValues: ['EdDSA'] },
	scopes: ['openid', 'offline_access', 'api:read'],
	findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
	rotateRefreshToken: true,
	ttl: { AccessToken: 600, ClientCredentials: 600, RefreshToken: 86400, Grant: 86400 },
	features: {
		devInteractions: { enabled: false },
		clientCredentials: { enabled: true },
		resourceIndicators: {
			enabled: true,
			defaultResource: () => api,
			useGrantedResource: () => true,
			getResourceServerInfo: () => ({
				scope: 'api:read', audience: api, accessTokenFormat: 'jwt', accessTokenTTL: 600, jwt: { sign: { alg: 'EdDSA' } },
			}),
		},
	},
});

async function refreshToken(client) {
	const grant = new provider.Grant({ accountId, clientId: client.clientId });

	grant.addOIDCScope('openid offline_access');
	grant.addResourceScope(api, 'api:read');
	return new provider.RefreshToken({
		accountId, client, scope, grantId: await grant.save(), resource: api, gty: 'authorization_code',
		authTime: Math.floor(Date.now() / 1000), rotations: 0, iiat: Math.floor(Date.now() / 1000),
	}).save();
}

const client = await provider.Client.find(wanted.client_id);
const tokens = [];

for (let i = 0; i < wanted.refresh_tokens; i++)
	tokens.push(await refreshToken(client));
provider.listen(wanted.port, '127.0.0.1', () => console.log(JSON.stringify({ refresh_tokens: tokens })));
