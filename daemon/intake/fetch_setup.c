/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_setup.h"

#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/version.h"

#define URL_MAX    (32 * 1024)
#define HEADER_MAX (64 * 1024)
#define CONNECT_MS 10000
/* Slower than this many bytes a second for three quarters of the time is given up. */
#define LOW_SPEED_BYTES 64L
/* DNS changes and load balancing want new connections now and then. */
#define CONNECTION_LIFE_SEC 600L
#define CONNECTION_IDLE_SEC 120L
#define DNS_CACHE_SEC       60L

void
fetch_home_init(struct fetch_home *h)
{
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	h->has_ca_bundle = v->cainfo != NULL && access(v->cainfo, R_OK) == 0;
	(void)snprintf(h->user_agent, sizeof(h->user_agent), "msspd/%s", msspd_version);
}

/* What goes into a header field must not be able to begin another. */
static bool
is_header_text(const char *s)
{
	size_t n = 0;

	if (s == NULL)
		return true;
	for (; s[n] != '\0' && n <= HEADER_MAX; n++) {
		if (s[n] < ' ' || s[n] > '~')
			return false;
	}
	return n <= HEADER_MAX;
}

static bool
check_headers(const struct fetch_req *req, struct err *err)
{
	if (!is_header_text(req->bearer))
		return err_set(err, ERR_TEMP, "the token has characters that no token has");
	if (!is_header_text(req->prefer) || !is_header_text(req->client_request_id))
		return err_set(err, ERR_CONF, "a header has characters that no header has");
	return true;
}

/* *host: "host" or "host:port" for messages, "?" where there is none. */
static bool
check_url(const char *url, char **host, struct err *err)
{
	char *scheme = NULL, *name = NULL, *port = NULL;
	CURLU *u = curl_url();
	bool is_url = u != NULL && strlen(url) <= URL_MAX &&
	              curl_url_set(u, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
	              curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	              curl_url_get(u, CURLUPART_HOST, &name, 0) == CURLUE_OK;
	bool is_http = is_url && (strcmp(scheme, "https") == 0 || strcmp(scheme, "http") == 0);

	if (is_url)
		(void)curl_url_get(u, CURLUPART_PORT, &port, 0);
	*host = port != NULL ? xasprintf("%s:%s", name, port) : xstrdup(is_url ? name : "?");
	curl_free(scheme);
	curl_free(name);
	curl_free(port);
	curl_url_cleanup(u);
	if (!is_url)
		return err_set(err, ERR_CONF, "not a URL");
	return is_http || err_set(err, ERR_CONF, "only http and https URLs are asked");
}

bool
fetch_check(const struct fetch_req *req, char **host, struct err *err)
{
	return check_url(req->url, host, err) && check_headers(req, err);
}

static void
set_request(CURL *e, const struct fetch_req *req, struct curl_slist *headers)
{
	/* Without these two a resolver that hangs would hold the loop. */
	(void)curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	(void)curl_easy_setopt(e, CURLOPT_URL, req->url);
	(void)curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	if (req->post != NULL) {
		(void)curl_easy_setopt(e, CURLOPT_POSTFIELDS, req->post);
		(void)curl_easy_setopt(
		    e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(req->post));
	}
}

static void
set_limits(CURL *e, const struct fetch_req *req)
{
	long ms = (long)req->timeout_ms;

	(void)curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, ms);
	(void)curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : CONNECT_MS);
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES);
	(void)curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, ms / 1000 * 3 / 4 + 1);
	(void)curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, DNS_CACHE_SEC);
	(void)curl_easy_setopt(e, CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_SEC);
	(void)curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, CONNECTION_IDLE_SEC);
	(void)curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, (long)req->is_fresh);
}

/*
 * curl keeps the authorities it has read once per multi handle, but only when they come
 * from one file; with its directory, each connection would read them all (20 ms, 2 MB).
 */
static void
set_security(CURL *e, const struct fetch_req *req, const struct fetch_home *home)
{
	(void)curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(e, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
	if (req->ca_file != NULL)
		(void)curl_easy_setopt(e, CURLOPT_CAINFO, req->ca_file);
	if (req->ca_file != NULL || home->has_ca_bundle)
		(void)curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
}

void
fetch_setup(CURL *easy, const struct fetch_req *req, struct curl_slist *headers,
    const struct fetch_home *home)
{
	set_request(easy, req, headers);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, home->user_agent);
	set_limits(easy, req);
	set_security(easy, req, home);
}
