/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/portal.h"

#define GIVEN_MAX  600 /* a longer link of the API's is not used */
#define ID_MAX     128 /* percent-encoding makes three of each byte */
#define SHA256_HEX 64

/* What a URL may hold of printable ASCII: no quotes, brackets, backslash, and no
 * fragment, behind which a tid would mean nothing. */
static bool
is_plain_url(struct str u)
{
	static const bool is_refused[0x7f] = { ['"'] = true,
		['#'] = true,
		['<'] = true,
		['>'] = true,
		['\\'] = true,
		['^'] = true,
		['`'] = true,
		['{'] = true,
		['|'] = true,
		['}'] = true };

	for (size_t i = 0; i < u.n; i++) {
		if (u.s[i] <= ' ' || u.s[i] >= 0x7f || is_refused[(unsigned char)u.s[i]])
			return false;
	}
	return u.n <= GIVEN_MAX;
}

/* What follows https://host; absent when that is not how it begins. */
static struct str
after_host(struct str u, const char *host)
{
	static const char scheme[] = "https://";
	size_t begin = sizeof(scheme) - 1, n = strlen(host);
	struct str rest = { NULL, 0 };

	if (n == 0 || u.n < begin + n ||
	    !str_same_nocase((struct str){ u.s, begin }, STR(scheme)) ||
	    !str_same_nocase((struct str){ u.s + begin, n }, str_of(host)))
		return rest;
	rest = (struct str){ u.s + begin + n, u.n - begin - n };
	if (rest.n == 0 || rest.s[0] == '/' || rest.s[0] == '?')
		return rest;
	return (struct str){ NULL, 0 };
}

enum tid { TID_NONE, TID_OURS, TID_FOREIGN };

static enum tid
judge_parameter(struct str p, const char *tenant_id)
{
	const char *eq = memchr(p.s, '=', p.n);
	struct str name = { p.s, eq != NULL ? (size_t)(eq - p.s) : p.n };
	struct str value = { p.s + name.n, p.n - name.n };

	/* An encoded name may be tid after all. */
	if (memchr(name.s, '%', name.n) != NULL)
		return TID_FOREIGN;
	if (!str_same_nocase(name, STR("tid")))
		return TID_NONE;
	if (value.n > 0)
		value = (struct str){ value.s + 1, value.n - 1 };
	return str_same_nocase(value, str_of(tenant_id)) ? TID_OURS : TID_FOREIGN;
}

/* Whose tenant a query (what follows the host, path included) names. */
static enum tid
find_tid(struct str rest, const char *tenant_id)
{
	const char *p = rest.n != 0 ? memchr(rest.s, '?', rest.n) : NULL, *end = rest.s + rest.n;
	enum tid found = TID_NONE;

	while (p != NULL && p < end) {
		const char *stop = ++p;
		enum tid t;

		while (stop < end && *stop != '&' && *stop != ';' && *stop != '?')
			stop++;
		t = judge_parameter((struct str){ p, (size_t)(stop - p) }, tenant_id);
		if (t == TID_FOREIGN)
			return t;
		found = t == TID_OURS ? t : found;
		p = stop;
	}
	return found;
}

static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void
encode(struct buf *out, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0, start = 0; i < s.n; start = ++i) {
		unsigned char c;

		while (i < s.n && is_unreserved(s.s[i]))
			i++;
		buf_add(out, s.s + start, i - start);
		if (i == s.n)
			break;
		c = (unsigned char)s.s[i];
		buf_byte(out, '%');
		buf_byte(out, hex[c >> 4]);
		buf_byte(out, hex[c & 15]);
	}
}

bool
portal_given(struct buf *out, struct str given, const struct origin *o)
{
	struct str rest =
	    is_plain_url(given) ? after_host(given, o->portal_host) : (struct str){ NULL, 0 };
	enum tid tid;

	if (rest.s == NULL)
		return false;
	tid = find_tid(rest, o->tenant_id);
	if (tid == TID_FOREIGN)
		return false;
	/* The scheme and host as we write them: receivers compare. */
	buf_puts(out, "https://");
	buf_puts(out, o->portal_host);
	if (rest.n == 0 || rest.s[0] != '/')
		buf_byte(out, '/');
	buf_str(out, rest);
	if (tid == TID_NONE) {
		buf_byte(out, rest.n != 0 && memchr(rest.s, '?', rest.n) != NULL ? '&' : '?');
		buf_puts(out, "tid=");
		encode(out, str_of(o->tenant_id));
	}
	return true;
}

/* "." and ".." would be steps of the path. */
static bool
is_usable_id(struct str id)
{
	return id.n != 0 && id.n <= ID_MAX && !str_is(id, ".") && !str_is(id, "..");
}

static void
build(struct buf *out, const char *list, struct str id, const struct origin *o)
{
	buf_puts(out, "https://");
	buf_puts(out, o->portal_host);
	buf_puts(out, list);
	if (is_usable_id(id)) {
		buf_byte(out, '/');
		encode(out, id);
	}
	buf_puts(out, "?tid=");
	encode(out, str_of(o->tenant_id));
}

/* The id that Microsoft knows: an unreadable record may have none but its hash. */
static struct str
known_id(const struct record *r)
{
	if (r->type == RECORD_ALERT || r->type == RECORD_INCIDENT ||
	    (r->type == RECORD_UNREADABLE && r->id.n != SHA256_HEX))
		return r->id;
	return (struct str){ NULL, 0 };
}

void
portal_link(struct buf *out, const struct event *ev)
{
	const struct record *r = ev->record;
	bool is_incident = r->type == RECORD_INCIDENT;
	struct str given = { NULL, 0 };

	if (is_incident)
		given = r->incident.web_url;
	else if (r->type == RECORD_ALERT)
		given = r->alert.alert_web_url;
	if (!portal_given(out, given, ev->origin))
		build(out, is_incident ? "/incidents" : "/alerts", known_id(r), ev->origin);
}
