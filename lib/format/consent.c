/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/consent.h"

/* RFC 3986: all but the unreserved characters. */
static void
put_encoded(struct buf *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr(plain, c) != NULL) {
			buf_byte(out, *text);
		} else {
			buf_byte(out, '%');
			buf_byte(out, hex[c >> 4]);
			buf_byte(out, hex[c & 15]);
		}
	}
}

void
consent_put(struct buf *out, const struct consent *c)
{
	buf_printf(
	    out, "%s/%s/adminconsent?client_id=%s", c->login_url, c->tenant_id, c->client_id);
	if (c->redirect_uri != NULL) {
		buf_puts(out, "&redirect_uri=");
		put_encoded(out, c->redirect_uri);
	}
	if (c->state != NULL) {
		buf_puts(out, "&state=");
		put_encoded(out, c->state);
	}
}
