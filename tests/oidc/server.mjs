// An OpenID provider that knows one client, which signs in with a certificate
// (private_key_jwt, RFC 7523) as Entra's apps do: at /{tenant}/oauth2/v2.0/token.
//
// usage: node server.mjs '{"modules": DIR, "tenant": GUID, "client": ID, "certificate": FILE,
//                          "alg": "PS256", "ahead": SECONDS}'
//
// Prints {"url"} when it listens, then a line for each sign-in: {"granted": assertion} or
// {"refused": why}. Its clock is `ahead`, and its Date says so; SIGUSR2 turns it ten minutes on.

import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const config = JSON.parse(process.argv[2]);
const { default: Provider } = await import(
	pathToFileURL(`${config.modules}/oidc-provider/lib/index.js`).href);

const realNow = Date.now;
Date.now = () => realNow() + config.ahead * 1000;

const say = (o) => process.stdout.write(`${JSON.stringify(o)}\n`);
const key = new X509Certificate(readFileSync(config.certificate)).publicKey.export({ format: 'jwk' });
const server = createServer().listen(0, '127.0.0.1', () => {
	const url = `http://127.0.0.1:${server.address().port}`;
	const provider = new Provider(url, {
		clients: [{
			client_id: config.client,
			grant_types: ['client_credentials'],
			redirect_uris: [],
			response_types: [],
			token_endpoint_auth_method: 'private_key_jwt',
			token_endpoint_auth_signing_alg: config.alg,
			jwks: { keys: [{ ...key, use: 'sig', alg: config.alg }] },
		}],
		clientAuthMethods: ['private_key_jwt'],
		enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'RS256'] },
		features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
		routes: { token: `/${config.tenant}/oauth2/v2.0/token` },
	});

	provider.use(async (ctx, next) => {
		await next();
		ctx.set('Date', new Date(Date.now()).toUTCString());
	});
	provider.on('grant.success', (ctx) => say({ granted: ctx.oidc.params.client_assertion }));
	provider.on('grant.error', (ctx, error) => say({ refused: error.error_detail ?? error.message }));
	server.on('request', provider.callback());
	say({ url });
});
process.on('SIGUSR2', () => {
	config.ahead += 600;
	say({ ahead: config.ahead });
});
process.on('SIGTERM', () => process.exit(0));
