/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/token_assertion.h"

#include <jansson.h>

#include "daemon/intake/graph.h"
#include "lib/base/alloc.h"
#include "lib/base/base64.h"

#define LIFETIME_SEC  300
#define SIGNATURE_MAX 2048
#define ROOM          (4 * SIGNATURE_MAX) /* at once: growing would leave copies */

static void
add_json(struct buf *out, json_t *taken)
{
	char *text = json_dumps(taken, JSON_COMPACT);

	BUG_IF(text == NULL);
	base64url(out, str_of(text));
	free(text);
	json_decref(taken);
}

/* PS256 goes with the certificate's SHA-256, RS256 with the older SHA-1. */
static json_t *
head(const struct assertion *a, const struct keypair *k)
{
	struct buf thumb = BUF_INIT(64);
	bool is_old = a->signature == SIGNATURE_RS256;
	json_t *o;

	base64url(&thumb, is_old ? (struct str){ (const char *)k->sha1, sizeof(k->sha1) }
	                         : (struct str){ (const char *)k->sha256, sizeof(k->sha256) });
	o = json_pack("{s:s, s:s, s:s}", "alg", is_old ? "RS256" : "PS256", "typ", "JWT",
	    is_old ? "x5t" : "x5t#S256", thumb.p);
	buf_release(&thumb);
	return o;
}

static json_t *
claims(const struct assertion *a, const char *id)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "aud", a->audience, "iss",
	    a->client_id, "sub", a->client_id, "jti", id, "iat", (json_int_t)a->now, "nbf",
	    (json_int_t)a->now, "exp", (json_int_t)(a->now + LIFETIME_SEC));
}

bool
assertion_sign(
    const struct assertion *a, const struct keypair *k, struct buf *out, struct err *err)
{
	struct buf signature = BUF_INIT(SIGNATURE_MAX);
	size_t start = out->n;
	char id[37];
	bool ok;

	(void)buf_room(out, ROOM);
	graph_request_id(id);
	add_json(out, head(a, k));
	buf_byte(out, '.');
	add_json(out, claims(a, id));
	ok = buf_ok(out) || err_set(err, ERR_CONF, "the assertion is too long");
	ok = ok && keypair_sign(k, a->signature == SIGNATURE_PS256,
	               (struct str){ out->p + start, out->n - start }, &signature, err);
	if (ok) {
		buf_byte(out, '.');
		base64url(out, buf_peek(&signature));
		ok = buf_ok(out) || err_set(err, ERR_CONF, "the assertion is too long");
	}
	buf_release(&signature);
	return ok;
}
