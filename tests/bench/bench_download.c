/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bare client beside which msspd is measured: fetches the same pages over the
 * same TLS and gzip, one tenant after the other on one connection, and throws
 * them away. No splitting, reading, storing or sending.
 *
 * usage: bench_download BASE-URL CLIENT-ID SECRET CA-FILE TENANTS
 * Prints: pages bytes cpu_seconds
 */
#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"

struct client {
	CURL *curl;
	const char *base, *id, *secret;
	struct curl_slist *headers;
	struct buf body;
	unsigned long pages;
	unsigned long long bytes;
};

static size_t
on_bytes(char *p, size_t size, size_t n, void *arg)
{
	struct client *c = arg;

	buf_add(&c->body, p, size * n);
	return size * n;
}

static bool
perform(struct client *c, const char *url, const char *post)
{
	long status = 0;

	buf_clear(&c->body);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	if (post != NULL)
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, post);
	else
		curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, post == NULL ? c->headers : NULL);
	if (curl_easy_perform(c->curl) != CURLE_OK)
		return false;
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	return status == 200;
}

static bool
sign_in(struct client *c, unsigned tenant)
{
	char url[256], form[512], header[8192];
	char *secret = curl_easy_escape(c->curl, c->secret, 0);
	json_t *o;

	snprintf(url, sizeof(url), "%s/00000000-0000-4000-8000-%012u/oauth2/v2.0/token", c->base, tenant);
	snprintf(form, sizeof(form), "grant_type=client_credentials&client_id=%s&client_secret=%s"
	    "&scope=%s/.default", c->id, secret, c->base);
	curl_free(secret);
	if (!perform(c, url, form))
		return false;
	o = json_loadb(c->body.p, c->body.n, 0, NULL);
	snprintf(header, sizeof(header), "Authorization: Bearer %s",
	    json_string_value(json_object_get(o, "access_token")));
	json_decref(o);
	curl_slist_free_all(c->headers);
	c->headers = curl_slist_append(NULL, header);
	return true;
}

/* The link, if the page has one; it is near an end, so nothing is parsed. */
static char *
next_link(const struct buf *body)
{
	static const char key[] = "\"@odata.nextLink\":\"";
	char *p = memmem(body->p, body->n, key, sizeof(key) - 1), *end;

	if (p == NULL)
		return NULL;
	p += sizeof(key) - 1;
	end = strchr(p, '"');
	return xstrndup(p, (size_t)(end - p));
}

static bool
read_tenant(struct client *c, unsigned tenant)
{
	char *url = xasprintf("%s/v1.0/security/alerts_v2?$top=200&$orderby=lastUpdateDateTime%%20asc",
	    c->base);
	bool ok = sign_in(c, tenant);

	while (ok && url != NULL) {
		char *next = NULL;

		ok = perform(c, url, NULL);
		if (ok)
			next = next_link(&c->body);
		c->pages++;
		c->bytes += c->body.n;
		free(url);
		url = next;
	}
	free(url);
	return ok;
}

int
main(int argc, char **argv)
{
	struct client c = { .body = BUF_INIT(64 << 20) };
	struct rusage before, after;
	unsigned tenants;

	if (argc != 6) {
		fprintf(stderr, "usage: bench_download BASE-URL CLIENT-ID SECRET CA-FILE TENANTS\n");
		return 64;
	}
	c.base = argv[1], c.id = argv[2], c.secret = argv[3];
	tenants = (unsigned)strtoul(argv[5], NULL, 10);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	c.curl = curl_easy_init();
	curl_easy_setopt(c.curl, CURLOPT_CAINFO, argv[4]);
	curl_easy_setopt(c.curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c.curl, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(c.curl, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c.curl, CURLOPT_WRITEDATA, &c);
	getrusage(RUSAGE_SELF, &before);
	for (unsigned i = 1; i <= tenants; i++) {
		if (!read_tenant(&c, i)) {
			fprintf(stderr, "bench_download: tenant %u failed\n", i);
			return 1;
		}
	}
	getrusage(RUSAGE_SELF, &after);
	printf("%lu %llu %.3f\n", c.pages, c.bytes,
	    (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec)
	    + (double)(after.ru_stime.tv_sec - before.ru_stime.tv_sec)
	    + (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6
	    + (double)(after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6);
	curl_slist_free_all(c.headers);
	curl_easy_cleanup(c.curl);
	buf_release(&c.body);
	return 0;
}
