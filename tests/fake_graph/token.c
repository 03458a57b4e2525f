/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "lib/base/ticks.h"
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/token.h"
#include "tests/fake_graph/world.h"

#define MAX_TOKEN 8192

static const struct token_error errors[] = {
	{ 7000215, 401, "invalid_client",
	    "Invalid client secret provided. Ensure the secret being sent in the request is the "
	    "client "
	    "secret value, not the client secret ID, for a secret added to app." },
	{ 7000222, 401, "invalid_client", "The provided client secret keys for app are expired." },
	{ 700016, 400, "unauthorized_client",
	    "Application was not found in the directory. This can happen if the application has "
	    "not been "
	    "installed by the administrator of the tenant or consented to by any user in the "
	    "tenant." },
	{ 7000229, 401, "invalid_client",
	    "The client application is missing service principal in the tenant." },
	{ 7000112, 401, "unauthorized_client", "Application is disabled." },
	{ 65001, 400, "invalid_grant",
	    "The user or administrator has not consented to use the application." },
	{ 500011, 400, "invalid_resource", "The resource principal was not found in the tenant." },
	{ 650052, 400, "invalid_client",
	    "The app needs access to a service that your organization has not subscribed to or "
	    "enabled." },
	{ 90002, 400, "invalid_request",
	    "Tenant not found. Check to make sure you have the correct tenant ID and are signing "
	    "into the "
	    "correct cloud." },
	{ 90038, 400, "invalid_request",
	    "Tenant request is being redirected to the National Cloud 'MicrosoftOnline.US'." },
	{ 70011, 400, "invalid_scope",
	    "The provided value for the input parameter 'scope' is not valid." },
	{ 70003, 400, "unsupported_grant_type", "The app requested an unsupported grant type." },
	{ 900144, 400, "invalid_request",
	    "The request body must contain the following parameter." },
	{ 7000218, 401, "invalid_client",
	    "The request body must contain the following parameter: 'client_assertion' or "
	    "'client_secret'." },
	{ 50013, 401, "invalid_client", "Assertion failed signature validation." },
	{ 50027, 401, "invalid_client",
	    "JWT token is invalid or malformed, or its id has been used before." },
	{ 700021, 401, "invalid_client",
	    "Client assertion application identifier doesn't match 'client_id' parameter." },
	{ 700023, 401, "invalid_client",
	    "Client assertion audience claim does not match the token endpoint." },
	{ 700024, 401, "invalid_client", "Client assertion is not within its valid time range." },
	{ 700027, 401, "invalid_client",
	    "The certificate used to sign the client assertion is not registered on application, "
	    "or has expired, or the signature is not its." },
	{ 700211, 401, "invalid_client",
	    "No matching federated identity record found for presented assertion issuer." },
	{ 700212, 401, "invalid_client",
	    "No matching federated identity record found for presented assertion audience." },
	{ 700213, 401, "invalid_client",
	    "No matching federated identity record found for presented assertion subject." },
	{ 53003, 400, "invalid_grant", "Access has been blocked by Conditional Access policies." },
	{ 90033, 503, "temporarily_unavailable",
	    "A transient error has occurred. Please try again." },
	{ 90055, 429, "temporarily_unavailable",
	    "Tenant is throttled due to excessive number of requests." },
	{ 90006, 500, "server_error", "External security token service error." },
};

const struct token_error *
token_error(int code)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (errors[i].code == code)
			return &errors[i];
	}
	return NULL;
}

void
token_error_body(struct buf *b, const struct token_error *e, const char *correlation_id)
{
	int64_t now = ticks_from_ms(wall_ms());
	struct buf when = BUF_INIT(64), text = BUF_INIT(4096);

	ticks_write(&when, now, 0);
	when.p[10] = ' ';
	buf_printf(&text, "AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", e->code,
	    e->text, correlation_id, correlation_id, when.p);
	buf_byte(b, '{');
	j_strs(b, "error", e->error);
	j_strs(b, "error_description", text.p);
	j_key(b, "error_codes");
	buf_printf(b, "[%d]", e->code);
	j_strs(b, "timestamp", when.p);
	j_strs(b, "trace_id", correlation_id);
	j_strs(b, "correlation_id", correlation_id);
	j_key(b, "error_uri");
	buf_printf(b, "\"https://login.microsoftonline.com/error?code=%d\"}", e->code);
	buf_release(&when);
	buf_release(&text);
}

static void
put_base64url(struct buf *b, const void *p, size_t n)
{
	unsigned char text[MAX_TOKEN];
	int len;

	if (n > MAX_TOKEN / 2)
		return;
	len = EVP_EncodeBlock(text, p, (int)n);
	for (int i = 0; i < len && text[i] != '='; i++)
		buf_byte(b, text[i] == '+' ? '-' : text[i] == '/' ? '_' : (char)text[i]);
}

int
token_base64url(struct str s, unsigned char *to, size_t room)
{
	unsigned char text[MAX_TOKEN];
	size_t n = 0;
	int len;

	if (s.n > sizeof(text) - 4 || s.n > room)
		return -1;
	for (; n < s.n; n++)
		text[n] = (unsigned char)(s.s[n] == '-' ? '+' : s.s[n] == '_' ? '/' : s.s[n]);
	while (n % 4 != 0)
		text[n++] = '=';
	len = EVP_DecodeBlock(to, text, (int)n);
	return len < 0 ? -1 : len - (int)(n - s.n);
}

static void
put_mac(struct buf *b, const unsigned char key[TOKEN_KEY], struct str text)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	HMAC(EVP_sha256(), key, TOKEN_KEY, (const unsigned char *)text.s, text.n, mac, &n);
	put_base64url(b, mac, n);
}

static bool
is_mde_audience(const char *audience)
{
	size_t n = audience != NULL ? strlen(audience) : 0;

	return n > 4 && strcmp(audience + n - 4, "/mde") == 0;
}

static void
put_roles(struct buf *b, const struct token_claims *c)
{
	buf_puts(b, ",\"roles\":[\"SecurityAlert.Read.All\"");
	if (c->may_read_incidents)
		buf_puts(b, ",\"SecurityIncident.Read.All\"");
	if (c->may_change)
		buf_puts(b, ",\"SecurityAlert.ReadWrite.All\"");
	buf_byte(b, ']');
}

void
token_make(struct buf *b, const unsigned char key[TOKEN_KEY], const struct token_claims *c,
    const char *client_id, const char *audience)
{
	static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"RS256\",\"kid\":\"fake-graph\"}";
	struct buf claims = BUF_INIT(MAX_TOKEN);
	struct buf issuer = BUF_INIT(256);

	buf_printf(&issuer, "https://sts.windows.net/%s/", c->tid);
	buf_byte(&claims, '{');
	j_strs(&claims, "aud", audience);
	j_strs(&claims, "iss", issuer.p);
	j_int(&claims, "iat", c->issued);
	j_int(&claims, "nbf", c->issued - 300);
	j_int(&claims, "exp", c->expires);
	j_strs(&claims, "appid", client_id);
	j_strs(&claims, "idtyp", "app");
	if (c->has_role && is_mde_audience(audience))
		j_raw(&claims, "roles", "[\"Alert.Read.All\"]");
	else if (c->has_role)
		put_roles(&claims, c);
	j_strs(&claims, "tid", c->tid);
	j_strs(&claims, "ver", "1.0");
	/* The real ones carry much that nobody reads. */
	j_key(&claims, "xms_padding");
	buf_byte(&claims, '"');
	for (int i = 0; i < 700; i++)
		buf_byte(&claims, (char)('a' + i % 26));
	buf_puts(&claims, "\"}");
	put_base64url(b, head, sizeof(head) - 1);
	buf_byte(b, '.');
	put_base64url(b, claims.p, claims.n);
	buf_release(&claims);
	buf_release(&issuer);
	{
		struct buf mac = BUF_INIT(256);

		put_mac(&mac, key, buf_peek(b));
		buf_byte(b, '.');
		buf_str(b, buf_peek(&mac));
		buf_release(&mac);
	}
}

static bool
read_claims(const unsigned char *p, size_t n, struct token_claims *c)
{
	json_t *root = json_loadb((const char *)p, n, 0, NULL);
	const char *tid = json_string_value(json_object_get(root, "tid"));
	const char *second =
	    json_string_value(json_array_get(json_object_get(root, "roles"), 1));
	bool is_sound = guid_parse(str_of(tid), c->tid);

	c->issued = json_integer_value(json_object_get(root, "iat"));
	c->expires = json_integer_value(json_object_get(root, "exp"));
	c->is_mde = is_mde_audience(json_string_value(json_object_get(root, "aud")));
	c->has_role = json_object_get(root, "roles") != NULL;
	c->may_read_incidents = second != NULL && strcmp(second, "SecurityIncident.Read.All") == 0;
	json_decref(root);
	return is_sound;
}

bool
token_read(struct str token, const unsigned char key[TOKEN_KEY], struct token_claims *c)
{
	const char *dot1 = memchr(token.s, '.', token.n), *dot2;
	struct buf mac = BUF_INIT(256);
	unsigned char claims[MAX_TOKEN];
	bool is_ours;
	int n;

	dot2 = dot1 != NULL ? memchr(dot1 + 1, '.', token.n - (size_t)(dot1 + 1 - token.s)) : NULL;
	if (dot2 == NULL)
		return false;
	put_mac(&mac, key, (struct str){ token.s, (size_t)(dot2 - token.s) });
	is_ours = str_same(
	    buf_peek(&mac), (struct str){ dot2 + 1, token.n - (size_t)(dot2 + 1 - token.s) });
	buf_release(&mac);
	if (!is_ours)
		return false;
	n = token_base64url(
	    (struct str){ dot1 + 1, (size_t)(dot2 - dot1 - 1) }, claims, sizeof(claims));
	return n > 0 && read_claims(claims, (size_t)n, c);
}
