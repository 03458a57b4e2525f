/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/certificates.h"
#include "daemon/settings_build.h"
#include "lib/base/alloc.h"
#include "lib/config/url.h"
#include "lib/policy/no_proxy.h"

static const char none[] = "none";

static bool
check_proxy_url(const char *text, struct err *err)
{
	struct url u;

	if (strcmp(text, none) == 0)
		return true;
	if (!url_split(str_of(text), &u, err))
		return false;
	return u.path.n <= 1 || err_set(err, ERR_CONF,
				    "\"%.120s\" is not a proxy; write http://host:port", text);
}

/* HTTP's basic authentication separates them by a colon (RFC 7617). */
static bool
check_username(const char *text, struct err *err)
{
	return (text[0] != '\0' && strchr(text, ':') == NULL) ||
	       err_set(err, ERR_CONF,
		   "\"%.80s\" is no user name for a proxy; it may not be empty nor "
		   "hold a colon",
		   text);
}

/* In the order of the manual. */

#define F(field) offsetof(struct proxy_conf, field)
const struct conf_opt proxy_opts[] = {
	{ .name = "url", .type = CONF_STR, .off = F(url), .check = check_proxy_url,
	  .shown = "no proxy",
	  .help = "The proxy, like `http://proxy.soc.example:3128`; https where it is spoken to by "
	      "TLS. Everything goes through it by CONNECT, so that it sees no token and no alert. "
	      "`none`: directly." },
	{ .name = "username", .type = CONF_STR, .off = F(username), .check = check_username,
	  .help = "User at the proxy (basic authentication, which an http proxy gets in the "
	      "clear)." },
	{ .name = "password_file", .type = CONF_SECRET, .off = F(password_file), .min = 1,
	  .max = 1,
	  .help = "File with that user's password, as `secret_file` of an app; read again at each "
	      "request, so that a new password needs no reload." },
	{ .name = "no_proxy", .type = CONF_LIST, .off = F(no_proxy), .check = no_proxy_check,
	  .help = "What is reached directly all the same: names (with all names below them), "
	      "addresses, networks like 10.0.0.0/8 (compared with hosts that are written as "
	      "addresses), `*`." },
	{ .name = "ca_file", .type = CONF_STR, .off = F(ca_file), .check = conf_check_absolute,
	  .shown = "the system's",
	  .help = "Certificate authorities (PEM) to trust for an https proxy itself. Where a proxy "
	      "inspects TLS, its authority belongs into `ca_file` of the app instead." },
	{ .name = NULL }
};
#undef F

/* The port is always there: programs disagree on a proxy's default. */
static char *
full_url(struct arena *a, const char *text)
{
	struct err ignored;
	struct url u;
	char *url, *copy;

	if (!url_split(str_of(text), &u, &ignored))
		return NULL;
	url = xasprintf("%s://%s%.*s%s:%u", u.is_https ? "https" : "http", u.is_ipv6 ? "[" : "",
	    (int)u.host.n, u.host.s, u.is_ipv6 ? "]" : "", u.port);
	copy = arena_strdup(a, url);
	free(url);
	return copy;
}

static void
check_together(struct build *b, const struct node *n, const struct proxy_conf *p)
{
	bool is_https = p->url != NULL && str_starts(str_of(p->url), "https:");
	struct err err;

	if (p->url == NULL)
		conf_error_key(&b->conf, n, "url", "is missing; write the proxy, or none");
	if ((p->username == NULL) != (p->password_file.n == 0))
		conf_error_key(&b->conf, n,
		    p->username == NULL ? "password_file" : "username",
		    "username and password_file belong together; give both or neither");
	if (p->ca_file != NULL && p->url != NULL && !is_https)
		conf_error_key(&b->conf, n, "ca_file",
		    "is for a proxy that is spoken to by TLS (https); for one that inspects TLS "
		    "it is ca_file of the app");
	else if (p->ca_file != NULL && b->check_secrets && !certificates_check(p->ca_file, &err))
		conf_error(&b->conf, node_get(n, "ca_file"), "%s", err.text);
}

void
settings_finish_proxy(struct build *b, const struct node *of, struct proxy_conf *proxy,
    const struct proxy_conf *inherited)
{
	const struct node *n = node_get(of, "proxy");

	if (n == NULL || n->kind != NODE_MAP) {
		*proxy = inherited != NULL ? *inherited : (struct proxy_conf){ .url = NULL };
		return;
	}
	if (proxy->url != NULL && strcmp(proxy->url, none) == 0) {
		*proxy = (struct proxy_conf){ .url = NULL };
		return;
	}
	check_together(b, n, proxy);
	if (proxy->url != NULL)
		proxy->url = full_url(&b->w->arena, proxy->url);
}

void
settings_warn_environment(struct build *b)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY" };
	const char *value;

	if (node_get(b->root, "proxy") != NULL)
		return;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		value = getenv(names[i]);
		if (value == NULL || *value == '\0')
			continue;
		conf_warn(&b->conf, b->root,
		    "the environment's %s is not used; write proxy: {url: ...} for a proxy, or "
		    "proxy: {url: none}",
		    names[i]);
		return;
	}
}
