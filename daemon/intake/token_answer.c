/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/token_answer.h"

#include <jansson.h>

#include "lib/base/alloc.h"
#include "lib/format/consent.h"
#include "lib/policy/jwt_look.h"

/* Of a token that does not say how long it lives. */
#define LIFETIME_UNKNOWN_SEC 300
#define LIFETIME_MAX_SEC     86400

enum remedy { REMEDY_NONE, REMEDY_CREDENTIAL, REMEDY_CONSENT };

/* The API is not known in the tenant: Graph is in every one, others come with a licence. */
#define UNKNOWN_API NULL
static const struct {
	enum token_trouble trouble;
	const char *what;
} unknown[API_COUNT] = {
	[API_GRAPH] = { TOKEN_WRONG_CLOUD,
	    "Microsoft Graph is not known in this tenant; check the app's cloud" },
	[API_MDE] = { TOKEN_NO_LICENCE,
	    "Defender for Endpoint is not known in this tenant; see whether it has a licence for "
	    "it, and check the app's cloud" },
};

/* What `error` means for us. */
static const struct {
	const char *error;
	enum token_trouble trouble;
	enum remedy remedy;
	const char *what; /* UNKNOWN_API: as the API's, and so is the trouble */
} errors[] = {
	{ "invalid_client", TOKEN_REFUSED, REMEDY_CREDENTIAL, "the app's credentials are refused" },
	{ "unauthorized_client", TOKEN_NOT_ONBOARDED, REMEDY_CONSENT,
	    "the app is not admitted in this tenant" },
	{ "invalid_grant", TOKEN_NOT_ONBOARDED, REMEDY_CONSENT, "this tenant has not consented" },
	{ "consent_required", TOKEN_NOT_ONBOARDED, REMEDY_CONSENT,
	    "this tenant has not consented" },
	{ "invalid_request", TOKEN_NOT_ONBOARDED, REMEDY_NONE,
	    "the request is refused; check the tenant's id and the app's cloud" },
	{ "invalid_tenant", TOKEN_WRONG_CLOUD, REMEDY_NONE,
	    "there is no such tenant; check its id, and the app's cloud" },
	{ "invalid_resource", TOKEN_WRONG_CLOUD, REMEDY_NONE, UNKNOWN_API },
	{ "invalid_scope", TOKEN_WRONG_CLOUD, REMEDY_NONE,
	    "the scope is refused; check the app's cloud" },
	{ "access_denied", TOKEN_BLOCKED, REMEDY_NONE, "the tenant's policy blocks the app" },
	{ "interaction_required", TOKEN_BLOCKED, REMEDY_NONE,
	    "the tenant's policy blocks the app" },
	{ "temporarily_unavailable", TOKEN_UNREACHABLE, REMEDY_NONE, "the service is unavailable" },
	{ "server_error", TOKEN_UNREACHABLE, REMEDY_NONE, "the service has a fault" },
};

#define NO_FEDERATION \
	"no federated credential of the app matches the issuer, subject and audience of the token"

/*
 * Better words than those of `error`, by Entra's number (AADSTS…), and where said a better name
 * for the trouble: only from one that parks the tenant to another, so a number that changes its
 * meaning changes nothing but words.
 */
static const struct {
	int code;
	enum remedy remedy;
	const char *what;           /* UNKNOWN_API: as the API's, and so is the trouble */
	enum token_trouble trouble; /* TOKEN_OK: as `error` says */
} hints[] = {
	{ 7000215, REMEDY_CREDENTIAL,
	    "the secret is wrong; often its id was taken instead of its value" },
	{ 7000222, REMEDY_CREDENTIAL, "the secret has expired" },
	{ 700027, REMEDY_CREDENTIAL,
	    "the certificate is not registered with the app, or has expired" },
	{ 50012, REMEDY_CREDENTIAL,
	    "the certificate is not registered with the app, or has expired" },
	{ 700021, REMEDY_NONE, "the assertion names another app than client_id" },
	{ 700023, REMEDY_NONE,
	    "the assertion is for another audience; check the tenant's id and the app's cloud" },
	{ 70021, REMEDY_CREDENTIAL, NO_FEDERATION, TOKEN_REFUSED },
	{ 700211, REMEDY_CREDENTIAL, NO_FEDERATION, TOKEN_REFUSED },
	{ 700212, REMEDY_CREDENTIAL, NO_FEDERATION, TOKEN_REFUSED },
	{ 700213, REMEDY_CREDENTIAL, NO_FEDERATION, TOKEN_REFUSED },
	{ 7002138, REMEDY_CREDENTIAL, NO_FEDERATION, TOKEN_REFUSED },
	{ 50013, REMEDY_CREDENTIAL, "the token's signature is not that of its issuer",
	    TOKEN_REFUSED },
	{ 700024, REMEDY_NONE,
	    "the assertion is outside its time; is the clock of this machine right?" },
	{ 500133, REMEDY_NONE,
	    "the assertion is outside its time; is the clock of this machine right?" },
	{ 700016, REMEDY_CONSENT,
	    "the app is not known in this tenant: no consent yet, consent "
	    "withdrawn, or the wrong tenant" },
	{ 7000229, REMEDY_CONSENT, "the app has no service principal in this tenant",
	    TOKEN_NOT_ONBOARDED },
	{ 7000112, REMEDY_NONE, "the customer has disabled the app; has the customer left?" },
	{ 70001, REMEDY_NONE, "the app is disabled or deleted" },
	{ 65001, REMEDY_CONSENT, "consent is missing" },
	{ 650056, REMEDY_CONSENT, "consent is missing" },
	{ 90094, REMEDY_CONSENT, "an administrator's consent is missing" },
	{ 500011, REMEDY_NONE, UNKNOWN_API },
	{ 650052, REMEDY_NONE, "the tenant has no licence for the service", TOKEN_NO_LICENCE },
	{ 650057, REMEDY_CONSENT, "the app registration does not name this API; add its permissions",
	    TOKEN_NOT_ONBOARDED },
	{ 50001, REMEDY_NONE, UNKNOWN_API },
	{ 90002, REMEDY_NONE, "there is no such tenant; check its id, and the app's cloud",
	    TOKEN_WRONG_CLOUD },
	{ 90038, REMEDY_NONE, "the tenant lives in another national cloud; set the app's cloud",
	    TOKEN_WRONG_CLOUD },
	{ 900382, REMEDY_NONE, "the tenant lives in another national cloud; set the app's cloud",
	    TOKEN_WRONG_CLOUD },
	{ 900432, REMEDY_NONE, "the tenant lives in another national cloud; set the app's cloud",
	    TOKEN_WRONG_CLOUD },
	{ 53003, REMEDY_NONE,
	    "Conditional Access blocks the app; the customer must allow it and "
	    "the address that msspd comes from",
	    TOKEN_BLOCKED },
	{ 530032, REMEDY_NONE,
	    "Conditional Access blocks the app; the customer must allow it and "
	    "the address that msspd comes from",
	    TOKEN_BLOCKED },
};

/* What goes into a message of ours from theirs: an identifier, or nothing. */
static void
copy_word(char *out, size_t room, const json_t *v)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);

	out[0] = '\0';
	if (s == NULL || n >= room)
		return;
	for (size_t i = 0; i < n; i++) {
		if ((s[i] < 'a' || s[i] > 'z') && s[i] != '_')
			return;
	}
	memcpy(out, s, n);
	out[n] = '\0';
}

static void
add_credential_remedy(const struct credential *c, char *out, size_t room)
{
	switch (c->kind) {
	case CREDENTIAL_FEDERATED:
		(void)snprintf(out, room, "; see who writes federated_token_file %.200s", c->file);
		break;
	case CREDENTIAL_CERTIFICATE:
		(void)snprintf(out, room,
		    "; register a valid one with the app and put it into certificate_file %.200s",
		    c->file);
		break;
	case CREDENTIAL_SECRET:
		(void)snprintf(out, room, "; put a valid one into secret_file %.200s", c->file);
		break;
	}
}

static void
add_remedy(enum remedy remedy, const struct token_question *q, char *out, size_t room)
{
	struct buf link = BUF_INIT(4096);

	out[0] = '\0';
	switch (remedy) {
	case REMEDY_NONE:
		break;
	case REMEDY_CREDENTIAL:
		add_credential_remedy(q->credential, out, room);
		break;
	case REMEDY_CONSENT:
		consent_put(&link, &(struct consent){ q->login_url, q->tenant_id, q->client_id,
				       q->redirect_uri, NULL });
		(void)snprintf(out, room, "; an administrator of the customer consents at %.*s",
		    STR_ARG(buf_peek(&link)));
		break;
	}
	buf_release(&link);
}

/* The first number that we have words for, else the first number. */
static int
choose_code(const json_t *root, size_t *hint)
{
	const json_t *codes = json_object_get(root, "error_codes");
	size_t n = json_array_size(codes) < 16 ? json_array_size(codes) : 16;

	*hint = ARRAY_LEN(hints);
	for (size_t i = 0; i < n; i++) {
		for (size_t h = 0; h < ARRAY_LEN(hints); h++) {
			if (json_integer_value(json_array_get(codes, i)) != hints[h].code)
				continue;
			*hint = h;
			return hints[h].code;
		}
	}
	return (int)(json_integer_value(json_array_get(codes, 0)) % 100000000);
}

static enum err_kind
kind_of(enum token_trouble trouble)
{
	return trouble == TOKEN_UNREACHABLE || trouble == TOKEN_GARBLED ? ERR_TEMP : ERR_AUTH;
}

/* The words for it, and what the trouble is by them. */
static const char *
choose_words(const struct token_question *q, size_t known, size_t hint, enum token_trouble *trouble)
{
	bool has_hint = hint < ARRAY_LEN(hints);
	const char *what = has_hint ? hints[hint].what : errors[known].what;
	enum token_trouble by_words = has_hint ? hints[hint].trouble : TOKEN_OK;

	if (what == UNKNOWN_API) {
		what = unknown[q->api].what;
		by_words = unknown[q->api].trouble;
	}
	if (by_words != TOKEN_OK && kind_of(*trouble) == ERR_AUTH)
		*trouble = by_words;
	return what;
}

static void
explain(const struct token_question *q, int status, const json_t *root, size_t known,
    struct token_answer *out)
{
	char rest[ERR_TEXT], number[32] = "";
	size_t hint;
	int code = choose_code(root, &hint);
	const char *what = choose_words(q, known, hint, &out->trouble);

	add_remedy(hint < ARRAY_LEN(hints) ? hints[hint].remedy : errors[known].remedy, q, rest,
	    sizeof(rest));
	if (code > 0)
		(void)snprintf(number, sizeof(number), ", AADSTS%d", code);
	(void)err_set(&out->err, kind_of(out->trouble), "%s%s (HTTP %d %s%s)", what, rest, status,
	    errors[known].error, number);
}

/* 4xx. */
static void
read_refusal(
    const struct token_question *q, int status, const json_t *root, struct token_answer *out)
{
	char error[40];

	copy_word(error, sizeof(error), json_object_get(root, "error"));
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		if (strcmp(error, errors[i].error) != 0)
			continue;
		out->trouble = errors[i].trouble;
		explain(q, status, root, i, out);
		out->is_credential_refused =
		    out->trouble == TOKEN_REFUSED || strcmp(error, "invalid_client") == 0;
		return;
	}
	out->trouble = TOKEN_GARBLED;
	(void)err_set(&out->err, ERR_TEMP, "the sign-in service answers HTTP %d %s", status,
	    error[0] != '\0' ? error : "without saying why; is there a proxy in between?");
}

/* Within what an integer holds. */
static long long
whole_sec(double sec)
{
	if (sec >= LIFETIME_MAX_SEC)
		return LIFETIME_MAX_SEC;
	return sec > 0 ? (long long)sec : 0;
}

/* A number, or a number as text (v1.0 endpoints). */
static int64_t
read_lifetime_sec(const json_t *v)
{
	const char *text = json_string_value(v);
	char *end;
	long long sec = LIFETIME_UNKNOWN_SEC;

	if (json_is_integer(v)) {
		sec = json_integer_value(v);
	} else if (json_is_real(v)) {
		sec = whole_sec(json_real_value(v));
	} else if (text != NULL && text[0] >= '0' && text[0] <= '9') {
		sec = strtoll(text, &end, 10);
		sec = *end == '\0' ? sec : LIFETIME_UNKNOWN_SEC;
	}
	if (sec <= 0)
		return LIFETIME_UNKNOWN_SEC;
	return sec < LIFETIME_MAX_SEC ? sec : LIFETIME_MAX_SEC;
}

/* Goes into a header: visible ASCII only. */
static bool
is_bearer(const json_t *v)
{
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);

	if (s == NULL || n == 0 || n > TOKEN_BEARER_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	}
	return true;
}

static bool
is_type_fine(const json_t *v)
{
	struct str type = { json_string_value(v), json_string_length(v) };

	return v == NULL || (type.s != NULL && str_same_nocase(type, STR("bearer")));
}

/* NULL: it cannot be told. */
static unsigned
read_roles(const struct jwt_look *jwt)
{
	static const struct {
		const char *name;
		enum token_role role;
	} names[] = {
		{ "SecurityAlert.Read.All", TOKEN_MAY_ALERTS },
		{ "SecurityAlert.ReadWrite.All", TOKEN_MAY_ALERTS },
		{ "SecurityIncident.Read.All", TOKEN_MAY_INCIDENTS },
		{ "SecurityIncident.ReadWrite.All", TOKEN_MAY_INCIDENTS },
		{ "Alert.Read.All", TOKEN_MAY_MDE_ALERTS },
		{ "Alert.ReadWrite.All", TOKEN_MAY_MDE_ALERTS },
	};
	unsigned roles = 0;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (jwt == NULL || jwt_has_role(jwt, names[i].name))
			roles |= names[i].role;
	}
	return roles;
}

static void
read_token(const struct token_question *q, const json_t *root, struct token_answer *out)
{
	const json_t *token = json_object_get(root, "access_token");
	struct str text = { json_string_value(token), json_string_length(token) };
	struct jwt_look *jwt;
	bool is_readable;

	out->trouble = TOKEN_GARBLED;
	if (!is_bearer(token) || !is_type_fine(json_object_get(root, "token_type"))) {
		(void)err_set(&out->err, ERR_TEMP,
		    "the sign-in service answers HTTP 200 without a "
		    "usable token; is there a proxy in between?");
		return;
	}
	jwt = xmalloc(sizeof(*jwt));
	is_readable = jwt_look(text, jwt);
	if (jwt->tid[0] != '\0' && strcmp(jwt->tid, q->tenant_id) != 0) {
		(void)err_set(&out->err, ERR_TEMP, "the token is for the tenant %s and is not used",
		    jwt->tid);
		out->is_foreign = true;
	} else {
		out->trouble = TOKEN_OK;
		out->bearer = xstrndup(text.s, text.n);
		out->lifetime_ms = read_lifetime_sec(json_object_get(root, "expires_in")) * 1000;
		out->roles = read_roles(is_readable ? jwt : NULL);
	}
	free(jwt);
}

static void
read_by_status(const struct token_question *q, const struct fetch_reply *reply, const json_t *root,
    struct token_answer *out)
{
	int status = reply->status;

	if (status == 0 || reply->is_too_large) {
		out->trouble = status == 0 ? TOKEN_UNREACHABLE : TOKEN_GARBLED;
		out->err = reply->err;
	} else if (status == 429 || status == 408 || status >= 500) {
		out->trouble = TOKEN_UNREACHABLE;
		(void)err_set(&out->err, ERR_TEMP, "the sign-in service %s (HTTP %d)",
		    status == 429 ? "asks us to wait" : "has a fault", status);
	} else if (status == 200) {
		read_token(q, root, out);
	} else if (status >= 400) {
		read_refusal(q, status, root, out);
	} else {
		out->trouble = TOKEN_GARBLED;
		(void)err_set(&out->err, ERR_TEMP,
		    "the sign-in service answers HTTP %d%s%s and no "
		    "token; is there a proxy in between?",
		    status, reply->location[0] != '\0' ? " to " : "", reply->location);
	}
}

/* jansson's own copy of the token. */
static void
wipe_token(const json_t *root)
{
	const json_t *token = json_object_get(root, "access_token");

	if (json_is_string(token))
		explicit_bzero(
		    (char *)(uintptr_t)json_string_value(token), json_string_length(token));
}

void
token_read_answer(const struct token_question *q, const struct fetch_reply *reply, struct str body,
    struct token_answer *out)
{
	json_t *root = body.n > 0 ? json_loadb(body.s, body.n, JSON_REJECT_DUPLICATES, NULL) : NULL;

	*out = (struct token_answer){ .trouble = TOKEN_GARBLED };
	read_by_status(q, reply, root, out);
	wipe_token(root);
	json_decref(root);
}
