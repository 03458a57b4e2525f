/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "lib/base/alloc.h"
#include "lib/format/portal.h"

#include "tests/unit/make_record.c"

/*
 * Any bytes as the link and the id that the API gave: what comes out is a link
 * that curl's parser, too, says is https, on the portal's host, without user,
 * port or fragment, and for this tenant and no other.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(CURLU *url, CURLUPart part, const char *want)
{
	char *got = NULL;
	CURLUcode rc = curl_url_get(url, part, &got, 0);

	if (want == NULL ? rc == CURLUE_OK : rc != CURLUE_OK || strcasecmp(got, want) != 0)
		BUG("part %d is <%s>, not <%s>", (int)part, got != NULL ? got : "",
		    want != NULL ? want : "");
	curl_free(got);
}

/* Parameters are split before they are decoded, so a name is what counts, decoded. */
static void
check_tid(CURLU *url)
{
	char *query = NULL, *save, *p;
	unsigned tids = 0;

	if (curl_url_get(url, CURLUPART_QUERY, &query, 0) != CURLUE_OK)
		BUG("no query");
	for (p = strtok_r(query, "&;?", &save); p != NULL; p = strtok_r(NULL, "&;?", &save)) {
		int n;
		char *name = curl_easy_unescape(NULL, p, (int)strcspn(p, "="), &n);

		if (strcasecmp(name, "tid") == 0) {
			if (strcasecmp(p + strcspn(p, "=") + 1, MADE_TENANT_ID) != 0)
				BUG("another tenant: %s", p);
			tids++;
		}
		curl_free(name);
	}
	if (tids == 0)
		BUG("no tenant");
	curl_free(query);
}

static void
check_link(const struct buf *link)
{
	CURLU *url = curl_url();

	for (size_t i = 0; i < link->n; i++) {
		if (link->p[i] <= ' ' || link->p[i] >= 0x7f ||
		    strchr("\"<>\\#", link->p[i]) != NULL)
			BUG("%s", link->p);
	}
	if (!buf_ok(link) || !str_starts(buf_peek(link), "https://security.microsoft.com/"))
		BUG("%s", link->p);
	if (curl_url_set(url, CURLUPART_URL, link->p, 0) != CURLUE_OK)
		BUG("no URL: %s", link->p);
	expect(url, CURLUPART_SCHEME, "https");
	expect(url, CURLUPART_HOST, "security.microsoft.com");
	expect(url, CURLUPART_USER, NULL);
	expect(url, CURLUPART_PORT, NULL);
	expect(url, CURLUPART_FRAGMENT, NULL);
	check_tid(url);
	curl_url_cleanup(url);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *nl = memchr(data, '\n', size);
	size_t n = nl != NULL ? (size_t)(nl - text) : size;
	struct buf link = BUF_INIT(PORTAL_LINK_MAX);
	struct made m;

	/* The link, a line end, the id. */
	make_alert(&m);
	m.record.alert.alert_web_url = (struct str){ text, n };
	if (nl != NULL)
		m.record.id = (struct str){ nl + 1, size - n - 1 };
	portal_link(&link, &m.event);
	check_link(&link);
	buf_release(&link);
	return 0;
}
