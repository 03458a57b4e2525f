/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/address.h"
#include "lib/format/ocsf_parts.h"
#include "lib/format/shape_table.h"
#include "lib/format/web_url.h"

/* Addresses, URLs and mail. */

static bool
is_in(struct str text, const char *others)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.s[i];
		bool is_plain =
		    (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!is_plain && (c == '\0' || strchr(others, c) == NULL))
			return false;
	}
	return text.n != 0;
}

/* The schema's own rule for the type email_t. */
static bool
is_email(struct str a)
{
	const char *at = a.n != 0 ? memrchr(a.s, '@', a.n) : NULL, *dot;
	struct str local, first, rest;

	if (at == NULL)
		return false;
	local = (struct str){ a.s, (size_t)(at - a.s) };
	rest = (struct str){ at + 1, a.n - local.n - 1 };
	dot = rest.n != 0 ? memchr(rest.s, '.', rest.n) : NULL;
	if (dot == NULL)
		return false;
	first = (struct str){ rest.s, (size_t)(dot - rest.s) };
	rest = (struct str){ dot + 1, rest.n - first.n - 1 };
	return is_in(local, "!#$%&'*+,-./=?^_`{|}~") && is_in(first, "-") && is_in(rest, "-.");
}

bool
ocsf_email(struct shape *s, const char *name, struct str address)
{
	if (!is_email(address) || (s->text_max != 0 && address.n > s->text_max))
		return false;
	shape_text(s, name, address, OBSERVABLE_EMAIL);
	return true;
}

/* ---- addresses -------------------------------------------------------------------------- */

static void
put_endpoint(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	struct ocsf *o = ocsf_of(s);
	enum address_rank rank;

	(void)row;
	if (address_family(e->ip.address, &rank) == 0) {
		o->needs_whole = true;
		return;
	}
	shape_open(s, o->has_device ? "dst_endpoint" : "src_endpoint");
	shape_text(s, "ip", e->ip.address, OBSERVABLE_IP);
	shape_open(s, "location");
	shape_text(s, "country", e->ip.country, OBSERVABLE_NONE);
	shape_text(s, "region", e->ip.state, OBSERVABLE_NONE);
	shape_text(s, "city", e->ip.city, OBSERVABLE_NONE);
	shape_close(s);
	shape_close(s);
}

const struct shape_row ocsf_ip_rows[] = {
	CALL("dst_endpoint", put_endpoint,
	    "ipAddress as ip; countryLetterCode, state and city as country, region and city of "
	    "location; where the alert has no device: src_endpoint"),
	END,
};

/* ---- URLs --------------------------------------------------------------------------------- */

static void
put_url(struct shape *s, const char *name, struct str url)
{
	struct web_url u;

	shape_open(s, name);
	shape_text(s, "url_string", url, OBSERVABLE_URL);
	if (web_url_split(url, &u)) {
		shape_text(s, "scheme", u.scheme, OBSERVABLE_NONE);
		shape_text(s, "hostname", u.host, OBSERVABLE_HOSTNAME);
		shape_text(s, "path", u.path, OBSERVABLE_NONE);
		shape_text(s, "query_string", u.query, OBSERVABLE_NONE);
	}
	shape_close(s);
}

static void
put_own_url(struct shape *s, const struct shape_row *row, const void *base)
{
	put_url(s, row->name, ((const struct evidence *)base)->url.url);
}

const struct shape_row ocsf_url_rows[] = {
	CALL("url", put_own_url,
	    "url as url_string; its parts as scheme, hostname, path and query_string"),
	END,
};

/* ---- mail ----------------------------------------------------------------------------------- */

/* The sender that people see before the one of the envelope. */
static void
put_from(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	struct str from =
	    e->message.p2.address.n != 0 ? e->message.p2.address : e->message.p1.address;

	if (from.n != 0 && !ocsf_email(s, row->name, from))
		ocsf_of(s)->needs_whole = true;
}

static void
put_return_path(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	if (e->message.p1.address.n != 0 && !ocsf_email(s, row->name, e->message.p1.address))
		ocsf_of(s)->needs_whole = true;
}

static bool
is_domain_of(struct str domain, struct str address)
{
	size_t n = domain.n;

	return n == 0 || (address.n > n && address.s[address.n - n - 1] == '@' &&
			     str_same_nocase((struct str){ address.s + address.n - n, n }, domain));
}

/* A sender's domain has no place but the end of the address. */
static void
look_for_domains(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	(void)row;
	if (!is_domain_of(e->message.p1.domain, e->message.p1.address) ||
	    !is_domain_of(e->message.p2.domain, e->message.p2.address))
		ocsf_of(s)->needs_whole = true;
}

static void
put_one_to(struct shape *s, const char *name, struct str address)
{
	shape_open_array(s, name);
	if (address.n != 0 && !ocsf_email(s, NULL, address))
		ocsf_of(s)->needs_whole = true;
	shape_close(s);
}

static void
put_to(struct shape *s, const struct shape_row *row, const void *base)
{
	put_one_to(s, row->name, ((const struct evidence *)base)->message.recipient);
}

static void
put_mailbox_to(struct shape *s, const struct shape_row *row, const void *base)
{
	put_one_to(s, row->name, ((const struct evidence *)base)->mailbox.primary_address);
}

static void
put_sender_ip(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	enum address_rank rank;

	shape_put_open(s, shape_row_name(row), true);
	if (address_family(e->message.sender_ip, &rank) != 0)
		shape_text(s, NULL, e->message.sender_ip, OBSERVABLE_IP);
	else if (e->message.sender_ip.n != 0)
		ocsf_of(s)->needs_whole = true;
	shape_close(s);
}

static void
put_mail_urls(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	shape_put_open(s, shape_row_name(row), true);
	for (size_t i = 0; i < e->message.urls.n; i++)
		put_url(s, NULL, e->message.urls.v[i]);
	shape_close(s);
}

#define S struct evidence
const struct shape_row ocsf_message_rows[] = {
	CALL(NULL, look_for_domains, NULL),
	OPEN("email"),
	CALL("from", put_from, "p2Sender's emailAddress, else p1Sender's"),
	CALL("to", put_to, "recipientEmailAddress"),
	IF_CALL("return_path", put_return_path, "p1Sender's emailAddress"),
	IF_MARKED("subject", message.subject, OBSERVABLE_SUBJECT, "subject"),
	IF_MARKED("message_uid", message.internet_id, OBSERVABLE_MESSAGE_UID, "internetMessageId"),
	IF_MARKED("uid", message.network_id, OBSERVABLE_EMAIL_UID, "networkMessageId"),
	IF_CALL("x_originating_ip", put_sender_ip, "senderIp"),
	IF_CALL("urls", put_mail_urls, "urls"),
	CLOSE,
	END,
};

const struct shape_row ocsf_mailbox_rows[] = {
	OPEN("email"),
	CALL("to", put_mailbox_to, "primaryAddress"),
	CLOSE,
	OPEN("user"),
	ROWS(ocsf_account_rows, mailbox.account),
	CLOSE,
	END,
};
#undef S
