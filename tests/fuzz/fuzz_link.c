/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What link_is_allowed() lets through, curl reads in the same way: the same
 * host and port, and a path below the API's root that has nothing to straighten.
 */
#include <curl/curl.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "lib/policy/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *url, *host, *port, *root;
} bases[] = {
	{ "https://graph.microsoft.com/v1.0/security/", "graph.microsoft.com", "443",
	    "/v1.0/security/" },
	{ "http://127.0.0.1:8080/v1.0/security", "127.0.0.1", "8080", "/v1.0/security/" },
	{ "http://[::1]:80", "[::1]", "80", "/" },
};

static char *
part(CURLU *u, CURLUPart what)
{
	char *text = NULL;

	BUG_IF(curl_url_get(u, what, &text, CURLU_DEFAULT_PORT) != CURLUE_OK);
	return text;
}

/* As curl would send it: its parser takes dot segments out. */
static void
check(size_t i, const char *link)
{
	CURLU *u = curl_url();
	char *host, *port, *path, *user = NULL;

	BUG_IF(curl_url_set(u, CURLUPART_URL, link, 0) != CURLUE_OK);
	host = part(u, CURLUPART_HOST);
	port = part(u, CURLUPART_PORT);
	path = part(u, CURLUPART_PATH);
	BUG_IF(!str_same_nocase(str_of(host), str_of(bases[i].host)));
	BUG_IF(strcmp(port, bases[i].port) != 0);
	BUG_IF(strlen(path) < strlen(bases[i].root));
	BUG_IF(
	    !str_same_nocase((struct str){ path, strlen(bases[i].root) }, str_of(bases[i].root)));
	BUG_IF(strstr(link, path) == NULL);
	BUG_IF(curl_url_get(u, CURLUPART_USER, &user, 0) != CURLUE_NO_USER);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_url_cleanup(u);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *link = xstrndup((const char *)data, size);
	struct err err;

	for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
		err = (struct err){ ERR_NONE, "" };
		if (link_is_allowed(bases[i].url, link, &err))
			check(i, link);
		else
			BUG_IF(err.kind != ERR_PERM || err.text[0] == '\0');
	}
	free(link);
	return 0;
}
