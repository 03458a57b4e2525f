/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/page.h"

#include <openssl/evp.h>

#include "lib/base/alloc.h"

/* Made of page.html by the Makefile. */
extern const unsigned char page_html[];
extern const unsigned page_html_size;

struct str
page_text(void)
{
	return (struct str) { (const char *)page_html, page_html_size };
}

/* What is between the only two such tags. */
static struct str
between(const char *begin, const char *end)
{
	struct str all = page_text();
	const char *from = memmem(all.s, all.n, begin, strlen(begin)), *to;

	BUG_IF(from == NULL);
	from += strlen(begin);
	to = memmem(from, all.n - (size_t)(from - all.s), end, strlen(end));
	BUG_IF(to == NULL);
	return (struct str) { from, (size_t)(to - from) };
}

static void
put_hash(struct buf *out, struct str text)
{
	unsigned char hash[EVP_MAX_MD_SIZE], coded[4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1];
	unsigned n = 0;

	if (EVP_Digest(text.s, text.n, hash, &n, EVP_sha256(), NULL) != 1)
		BUG("no SHA-256");
	EVP_EncodeBlock(coded, hash, (int)n);
	buf_printf(out, "'sha256-%s'", (const char *)coded);
}

void
page_policy(struct buf *out)
{
	buf_puts(out, "default-src 'none'; style-src ");
	put_hash(out, between("<style>", "</style>"));
	buf_puts(out, "; script-src ");
	put_hash(out, between("<script>", "</script>"));
	buf_puts(out, "; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'; require-trusted-types-for 'script'");
}
