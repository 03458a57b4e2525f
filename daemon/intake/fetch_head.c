/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake/fetch_head.h"

#include "lib/base/ticks.h"
#include "lib/policy/retry_after.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str
trim(struct str s)
{
	while (s.n > 0 && is_space(s.s[0])) {
		s.s++;
		s.n--;
	}
	while (s.n > 0 && is_space(s.s[s.n - 1]))
		s.n--;
	return s;
}

/* Printable ASCII only, cut to room: it goes to logs and comparisons. */
static void
copy_text(char *out, size_t room, struct str s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n && n + 1 < room; i++) {
		if (s.s[i] > ' ' && s.s[i] < 0x7f)
			out[n++] = s.s[i];
	}
	out[n] = '\0';
}

static size_t
span_to(struct str s, const char *ends)
{
	size_t i = 0;

	while (i < s.n && (s.s[i] == '\0' || strchr(ends, s.s[i]) == NULL))
		i++;
	return i;
}

static void
on_date(struct fetch_head *h, struct str v, struct fetch_reply *reply)
{
	(void)h;
	reply->server_date = http_date(v);
}

/* Whole or not at all: half a date is none. */
static void
on_retry_after(struct fetch_head *h, struct str v, struct fetch_reply *reply)
{
	(void)reply;
	if (v.n >= sizeof(h->retry_after))
		return;
	memcpy(h->retry_after, v.s, v.n);
	h->retry_after[v.n] = '\0';
}

static void
on_content_type(struct fetch_head *h, struct str v, struct fetch_reply *reply)
{
	(void)h;
	copy_text(reply->content_type, sizeof(reply->content_type),
	    (struct str){ v.s, span_to(v, ";,") });
	for (char *p = reply->content_type; *p != '\0'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	}
}

static void
on_request_id(struct fetch_head *h, struct str v, struct fetch_reply *reply)
{
	(void)h;
	copy_text(reply->request_id, sizeof(reply->request_id), v);
}

/* "scheme://user@host:port/path": the host and port only; a relative one has none. */
static void
on_location(struct fetch_head *h, struct str v, struct fetch_reply *reply)
{
	size_t at = span_to(v, "/?#");
	struct str host;

	(void)h;
	reply->location[0] = '\0';
	if (v.n < at + 2 || v.s[at] != '/' || v.s[at + 1] != '/')
		return;
	host = (struct str){ v.s + at + 2, v.n - at - 2 };
	host.n = span_to(host, "/?#\\");
	for (at = span_to(host, "@"); at < host.n; at = span_to(host, "@")) {
		host.s += at + 1;
		host.n -= at + 1;
	}
	copy_text(reply->location, sizeof(reply->location), host);
}

/* Encoded twice is none that was asked for. */
static void
on_content_encoding(struct fetch_head *h, struct str v, struct fetch_reply *reply)
{
	(void)reply;
	if (v.n == 0 || str_same_nocase(v, STR("identity")))
		return;
	if (h->coding == CODING_NONE &&
	    (str_same_nocase(v, STR("gzip")) || str_same_nocase(v, STR("x-gzip"))))
		h->coding = CODING_GZIP;
	else
		h->coding = CODING_ODD;
}

static const struct {
	struct str name;
	void (*on_value)(struct fetch_head *h, struct str value, struct fetch_reply *reply);
} fields[] = {
	{ { "date", 4 }, on_date },
	{ { "retry-after", 11 }, on_retry_after },
	{ { "content-type", 12 }, on_content_type },
	{ { "content-encoding", 16 }, on_content_encoding },
	{ { "request-id", 10 }, on_request_id },
	{ { "location", 8 }, on_location },
};

/* After "100 Continue" and the like comes the head that counts. */
static void
start_anew(struct fetch_head *h, struct fetch_reply *reply)
{
	h->retry_after[0] = '\0';
	h->coding = CODING_NONE;
	reply->server_date = TICKS_NONE;
	reply->retry_after_ms = -1;
	reply->content_type[0] = '\0';
	reply->request_id[0] = '\0';
	reply->location[0] = '\0';
}

bool
fetch_head_line(struct fetch_head *h, struct str line, struct fetch_reply *reply)
{
	size_t colon = span_to(line, ":");
	struct str name = { line.s, colon };

	h->lines++;
	h->bytes += line.n;
	if (h->lines > FETCH_HEAD_LINES || h->bytes > FETCH_HEAD_BYTES)
		return false;
	if (str_starts(line, "HTTP/"))
		start_anew(h, reply);
	else if (colon < line.n)
		for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
			if (str_same_nocase(name, fields[i].name))
				fields[i].on_value(h,
				    trim((struct str){ line.s + colon + 1, line.n - colon - 1 }),
				    reply);
		}
	return true;
}

void
fetch_head_end(const struct fetch_head *h, struct fetch_reply *reply, int64_t now)
{
	reply->retry_after_ms = retry_after_ms(str_of(h->retry_after), reply->server_date, now);
}
