/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/base64.h"
#include "lib/format/mail_mime.h"
#include "lib/format/mail_parts.h"

/*
 * Headers and the two parts around what others have written. Which headers there are, and what
 * they say, is in the tables; mail_manual.c prints them.
 */
#define TOKEN_HEX 32 /* digits of a hash that make an id: 128 bits */

static struct str
domain_of(const struct mail_style *style)
{
	struct str bare = mail_address_bare(style->from);
	const char *at = bare.n > 0 ? memrchr(bare.s, '@', bare.n) : NULL;

	if (at == NULL)
		return STR("localhost");
	return (struct str){ at + 1, (size_t)(bare.s + bare.n - at - 1) };
}

static void
put_id(struct buf *out, const char *what, const char *hash, struct str domain)
{
	buf_printf(out, "<%s.%.*s@%.*s>", what, TOKEN_HEX, hash, STR_ARG(domain));
}

static void
put_ids(struct buf *out, const struct mail_message *m)
{
	struct str domain = domain_of(m->style);
	struct buf id = BUF_INIT(1000);

	put_id(&id, m->event_id.n == 0 ? "digest" : "event", m->id, domain);
	mime_field_plain(out, "Message-ID", id.p);
	if (m->thread[0] == '\0') {
		buf_release(&id);
		return;
	}
	buf_clear(&id);
	put_id(&id, "thread", m->thread, domain);
	mime_field_plain(out, "In-Reply-To", id.p);
	mime_field_plain(out, "References", id.p);
	buf_release(&id);
}

static unsigned
nibble(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* What Outlook and Exchange make conversations by: a reserved byte, a time (none), a GUID. */
static void
put_thread_index(struct buf *out, const char *hash)
{
	char raw[22] = { 1 };
	struct buf text = BUF_INIT(64);

	for (size_t i = 0; i < 16; i++)
		raw[6 + i] = (char)(nibble(hash[2 * i]) << 4 | nibble(hash[2 * i + 1]));
	base64(&text, (struct str){ raw, sizeof(raw) });
	mime_field_plain(out, "Thread-Index", text.p);
	buf_release(&text);
}

static void
put_list_id(struct buf *out, const struct mail_style *style)
{
	struct str domain = domain_of(style);
	struct buf id = BUF_INIT(1000);

	if (style->list_id != NULL)
		buf_printf(&id, "<%s>", style->list_id);
	else
		buf_printf(&id, "<msspd.%.*s>", STR_ARG(domain));
	mime_field_plain(out, "List-Id", id.p);
	buf_release(&id);
}

/* For filters. Those without a value are left out. */
static const struct {
	const char *name;
	enum mail_value v;
} marks[] = {
	{ "X-Msspd-Customer", MV_CUSTOMER },
	{ "X-Msspd-Tenant", MV_TENANT },
	{ "X-Msspd-Tenant-Id", MV_TENANT_ID },
	{ "X-Msspd-Stream", MV_STREAM },
	{ "X-Msspd-Severity", MV_SEVERITY },
	{ "X-Msspd-Status", MV_STATUS },
	{ "X-Msspd-Incident-Id", MV_INCIDENT },
	{ "X-Msspd-Count", MV_EVENTS },
	{ "X-Msspd-Rule", MV_RULE },
	{ "X-Msspd-Instance", MV_INSTANCE },
};

static void
put_marks(struct buf *out, const struct mail_message *m)
{
	mime_field_plain(out, "X-Msspd-Type", m->type);
	mime_field_plain(out, "X-Msspd-Kind", m->kind);
	if (m->event_id.n != 0)
		mime_field(out, "X-Msspd-Event-Id", m->event_id);
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (m->sheet->v[marks[i].v].n != 0)
			mime_field(out, marks[i].name, m->sheet->v[marks[i].v]);
	}
}

static void
put_headers(struct buf *out, const struct mail_message *m)
{
	bool is_urgent = m->sheet->look == LOOK_HIGH || m->sheet->look == LOOK_ALARM;
	struct buf type = BUF_INIT(200);

	mime_field_date(out, m->to->date);
	mime_field_address(out, "From", m->style->from);
	mime_field_address(out, "To", m->to->to);
	mime_field(out, "Subject", m->sheet->v[MV_SUBJECT]);
	put_ids(out, m);
	if (m->thread[0] != '\0')
		put_thread_index(out, m->thread);
	put_list_id(out, m->style);
	mime_field_plain(out, "Auto-Submitted", "auto-generated");
	mime_field_plain(out, "X-Auto-Response-Suppress", "OOF, AutoReply");
	if (is_urgent)
		mime_field_plain(out, "Importance", "high");
	put_marks(out, m);
	mime_field_plain(out, "MIME-Version", "1.0");
	buf_printf(&type, "multipart/alternative; boundary=\"=_%.*s\"", TOKEN_HEX, m->id);
	mime_field_plain(out, "Content-Type", type.p);
	buf_release(&type);
}

/* No line of quoted-printable begins with the boundary: "=_" is none of its escapes. */
static void
put_part(struct buf *out, const struct mail_message *m, const char *type, struct str body)
{
	buf_printf(out,
	    "\r\n--=_%.*s\r\n"
	    "Content-Type: %s; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
	    TOKEN_HEX, m->id, type);
	mime_quoted(out, body);
}

bool
mail_message_write(struct buf *out, const struct mail_message *m)
{
	size_t start = out->n;

	if (!buf_ok(out))
		return false;
	put_headers(out, m);
	put_part(out, m, "text/plain", buf_peek(&m->text));
	put_part(out, m, "text/html", buf_peek(&m->html));
	buf_printf(out, "\r\n--=_%.*s--\r\n", TOKEN_HEX, m->id);
	if (buf_ok(out))
		return true;
	buf_cut(out, start);
	out->failed = false;
	return false;
}
