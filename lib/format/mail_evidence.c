/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_clean.h"
#include "lib/format/mail_parts.h"
#include "lib/format/path.h"

/*
 * What an alert is about, in words: the users and devices that stand among the facts, and a
 * line for each item of evidence.
 */
#define SHOWN_MAX   40    /* items */
#define LINES_MAX   40000 /* bytes of all their lines */
#define NAMES_MAX   12    /* users, devices */
#define NAMES_BYTES 4800  /* of them all */
#define VALUE_MAX   400   /* of one value */
#define COMMAND_MAX 1500

/* ---- pieces of a line ------------------------------------------------------------------- */

static void
put_as(struct buf *out, const char *before, struct str value, unsigned flags)
{
	if (value.n == 0)
		return;
	buf_puts(out, before);
	mail_clean(out, value, VALUE_MAX, flags);
}

static void
put(struct buf *out, const char *before, struct str value)
{
	put_as(out, before, value, 0);
}

static void
put_number(struct buf *out, const char *before, int64_t number, const char *after)
{
	if (number == RECORD_NO_NUMBER)
		return;
	buf_puts(out, before);
	buf_int(out, number);
	buf_puts(out, after);
}

/* "ana@contoso.example", else "CONTOSO\ana", else whatever there is. */
static void
put_account(struct buf *out, const struct user_account *a)
{
	if (a->upn.n != 0) {
		mail_clean(out, a->upn, VALUE_MAX, MAIL_PERSON);
	} else if (a->account_name.n != 0) {
		put_as(out, "", a->domain_name, MAIL_DEVICE);
		buf_puts(out, a->domain_name.n != 0 ? "\\" : "");
		mail_clean(out, a->account_name, VALUE_MAX, MAIL_PERSON);
	} else {
		put(out, "", a->display_name.n != 0 ? a->display_name : a->sid);
	}
}

static void
put_file(struct buf *out, const struct file_details *f)
{
	struct buf path = BUF_INIT(64 * 1024);

	path_join(&path, f->path, f->name);
	put_as(out, "", buf_peek(&path), MAIL_PATH);
	buf_release(&path);
}

static void
put_hashes(struct buf *out, const struct file_details *f)
{
	if (f->sha256.n != 0)
		put(out, ", SHA-256 ", f->sha256);
	else if (f->sha1.n != 0)
		put(out, ", SHA-1 ", f->sha1);
	else
		put(out, ", MD5 ", f->md5);
}

static void
put_sender(struct buf *out, const char *before, const struct mail_sender *m)
{
	put(out, before, m->address.n != 0 ? m->address : m->name);
}

/* ---- a line for each kind --------------------------------------------------------------- */

static void
put_device(struct buf *out, const struct evidence *e)
{
	struct str name = e->device.dns_name.n != 0 ? e->device.dns_name : e->device.host_name;

	put_as(out, "", name.n != 0 ? name : e->device.mde_device_id, MAIL_DEVICE);
	put(out, ", ", e->device.os_platform);
	put(out, " ", e->device.version);
	put(out, ", risk ", e->device.risk_score);
	put(out, ", address ", e->device.last_ip);
	put(out, ", group ", e->device.rbac_group_name);
}

static void
put_user(struct buf *out, const struct evidence *e)
{
	put_account(out, &e->user.account);
	put(out, ", SID ", e->user.account.sid);
}

static void
put_process(struct buf *out, const struct evidence *e)
{
	put_file(out, &e->process.image);
	put_number(out, " (process ", e->process.pid, ")");
	if (e->process.account.upn.n + e->process.account.account_name.n != 0) {
		buf_puts(out, " as ");
		put_account(out, &e->process.account);
	}
	if (e->process.command_line.n != 0) {
		buf_puts(out, ": ");
		mail_clean(out, e->process.command_line, COMMAND_MAX, 0);
	}
	put_hashes(out, &e->process.image);
	put_as(out, "; started by ", e->process.parent_image.name, MAIL_PATH);
	put(out, "; ", e->process.detection_status);
}

static void
put_file_line(struct buf *out, const struct evidence *e)
{
	put_file(out, &e->file.details);
	put_number(out, ", ", e->file.details.size, " bytes");
	put_hashes(out, &e->file.details);
	put(out, ", signed by ", e->file.details.signer);
	put(out, "; ", e->file.detection_status);
}

static void
put_hash(struct buf *out, const struct evidence *e)
{
	put(out, "", e->hash.algorithm);
	put(out, " ", e->hash.value);
}

static void
put_ip(struct buf *out, const struct evidence *e)
{
	put(out, "", e->ip.address);
	put(out, ", ", e->ip.country);
	put(out, ", ", e->ip.city);
}

static void
put_url(struct buf *out, const struct evidence *e)
{
	put(out, "", e->url.url);
}

static void
put_message(struct buf *out, const struct evidence *e)
{
	buf_puts(out, "\"");
	put(out, "", e->message.subject);
	buf_puts(out, "\"");
	put_sender(out, " from ", e->message.p2.address.n != 0 ? &e->message.p2 : &e->message.p1);
	if (e->message.recipient.n != 0) {
		buf_puts(out, " to ");
		mail_clean(out, e->message.recipient, VALUE_MAX, MAIL_PERSON);
	}
	put(out, ", sent from ", e->message.sender_ip);
	put(out, ", ", e->message.delivery_action);
	put(out, " in ", e->message.delivery_location);
	put_number(out, ", ", e->message.url_count, e->message.url_count == 1 ? " link" : " links");
	put_number(out, ", ", e->message.attachments,
	    e->message.attachments == 1 ? " attachment" : " attachments");
	put(out, ", message id ", e->message.internet_id);
}

static void
put_mailbox(struct buf *out, const struct evidence *e)
{
	struct str name =
	    e->mailbox.primary_address.n != 0 ? e->mailbox.primary_address : e->mailbox.upn;

	put_as(out, "", name, MAIL_PERSON);
	if (name.n == 0)
		put(out, "", e->mailbox.display_name);
}

static void
put_cloud_app(struct buf *out, const struct evidence *e)
{
	put(out, "", e->cloud_app.display_name);
	put(out, ", ", e->cloud_app.instance_name);
	put_number(out, ", application ", e->cloud_app.app_id, "");
}

static void
put_oauth_app(struct buf *out, const struct evidence *e)
{
	put(out, "", e->oauth_app.display_name);
	put(out, ", application ", e->oauth_app.app_id);
	put(out, ", by ", e->oauth_app.publisher);
}

static void
put_registry(struct buf *out, const struct evidence *e)
{
	put_as(out, "", e->registry.hive, MAIL_PATH);
	put_as(out, "\\", e->registry.key, MAIL_PATH);
	put_as(out, ", ", e->registry.name, MAIL_PATH);
	put(out, " = ", e->registry.value);
	put(out, ", ", e->registry.value_type);
}

static void
put_azure(struct buf *out, const struct evidence *e)
{
	put_as(out, "", e->azure.name, MAIL_PATH);
	put_as(out, ", ", e->azure.resource_type, MAIL_PATH);
	put_as(out, ", ", e->azure.id, MAIL_PATH);
}

/* Kinds without fields are told by their name; the portal has the rest. */
static void
put_nothing(struct buf *out, const struct evidence *e)
{
	(void)out;
	(void)e;
}

static const struct {
	const char *label; /* NULL: the kind's own name */
	void (*put)(struct buf *out, const struct evidence *e);
} lines[] = {
	[EVIDENCE_GENERIC] = { NULL, put_nothing },
	[EVIDENCE_DEVICE] = { "Device", put_device },
	[EVIDENCE_USER] = { "User", put_user },
	[EVIDENCE_PROCESS] = { "Process", put_process },
	[EVIDENCE_FILE] = { "File", put_file_line },
	[EVIDENCE_FILE_HASH] = { "File hash", put_hash },
	[EVIDENCE_IP] = { "IP address", put_ip },
	[EVIDENCE_URL] = { "URL", put_url },
	[EVIDENCE_MESSAGE] = { "Mail", put_message },
	[EVIDENCE_MAILBOX] = { "Mailbox", put_mailbox },
	[EVIDENCE_CLOUD_APP] = { "Cloud app", put_cloud_app },
	[EVIDENCE_OAUTH_APP] = { "OAuth app", put_oauth_app },
	[EVIDENCE_REGISTRY_KEY] = { "Registry key", put_registry },
	[EVIDENCE_REGISTRY_VALUE] = { "Registry value", put_registry },
	[EVIDENCE_AZURE_RESOURCE] = { "Azure resource", put_azure },
	[EVIDENCE_HOLDER] = { NULL, put_nothing },
};

/* "kubernetesPodEvidence" as "Kubernetes pod". */
static void
put_type(struct buf *out, struct str type)
{
	static const struct str end = STR("Evidence");
	struct buf words = BUF_INIT(400);

	if (type.n > end.n && memcmp(type.s + type.n - end.n, end.s, end.n) == 0)
		type.n -= end.n;
	type.n = utf8_cut(type.s, type.n, 60);
	for (size_t i = 0; i < type.n; i++) {
		bool is_capital = type.s[i] >= 'A' && type.s[i] <= 'Z';

		if (i == 0 && type.s[i] >= 'a' && type.s[i] <= 'z') {
			buf_byte(&words, (char)(type.s[i] - 'a' + 'A'));
		} else if (is_capital && i > 0) {
			buf_byte(&words, ' ');
			buf_byte(&words, (char)(type.s[i] - 'A' + 'a'));
		} else {
			buf_byte(&words, type.s[i]);
		}
	}
	mail_clean(out, words.n > 0 ? buf_peek(&words) : STR("Evidence"), 80, 0);
	buf_release(&words);
}

static bool
is_word(struct str s)
{
	return s.n != 0 && !str_is(s, "unknown") && !str_is(s, "none");
}

/* What Defender thinks of it, and what it did. */
static void
put_standing(struct buf *out, const struct evidence *e)
{
	if (!is_word(e->verdict) && !is_word(e->remediation_status))
		return;
	buf_puts(out, " [");
	if (is_word(e->verdict))
		put(out, "", e->verdict);
	if (is_word(e->remediation_status))
		put(out, is_word(e->verdict) ? ", " : "", e->remediation_status);
	buf_puts(out, "]");
}

struct lines {
	struct mail_sheet *sheet;
	size_t shown, left_out;
};

static void
add_line(struct lines *l, const struct evidence *e)
{
	struct buf *out = &l->sheet->tmp;
	size_t start;

	if (l->shown >= SHOWN_MAX || out->n >= mail_limit(l->sheet, LINES_MAX)) {
		l->left_out++;
		return;
	}
	if (out->n > 0)
		buf_byte(out, '\n');
	if (lines[e->kind].label != NULL)
		buf_puts(out, lines[e->kind].label);
	else
		put_type(out, e->type);
	buf_byte(out, '\t');
	start = out->n;
	lines[e->kind].put(out, e);
	if (out->n == start)
		buf_puts(out, "see the portal");
	put_standing(out, e);
	l->shown++;
}

static void
add_lines(struct lines *l, const struct evidence *e, size_t n, unsigned depth)
{
	for (size_t i = 0; i < n && depth <= EVIDENCE_DEPTH; i++) {
		if (e[i].kind != EVIDENCE_DEVICE || l->sheet->style->with_device)
			add_line(l, &e[i]);
		add_lines(l, e[i].children, e[i].nchildren, depth + 1);
	}
}

/* ---- users and devices ------------------------------------------------------------------ */

/* The user that an item of evidence tells of; NULL: none. */
static bool
put_person(struct buf *out, const struct evidence *e)
{
	size_t start = out->n;

	if (e->kind == EVIDENCE_USER)
		put_account(out, &e->user.account);
	else if (e->kind == EVIDENCE_PROCESS)
		put_account(out, &e->process.account);
	else if (e->kind == EVIDENCE_MAILBOX)
		put_mailbox(out, e);
	return out->n > start;
}

/* "ws-0412" of ws-0412.contoso.example: short, as people say it. */
static bool
put_machine(struct buf *out, const struct evidence *e)
{
	struct str name;
	const char *dot;

	if (e->kind != EVIDENCE_DEVICE)
		return false;
	name = e->device.dns_name.n != 0 ? e->device.dns_name : e->device.host_name;
	dot = name.n != 0 ? memchr(name.s, '.', name.n) : NULL;
	if (dot != NULL && dot != name.s)
		name.n = (size_t)(dot - name.s);
	mail_clean(out, name, VALUE_MAX, MAIL_DEVICE);
	return name.n != 0;
}

/* Is what stands behind `start` there before, as a whole? */
static bool
is_repeated(const struct buf *b, size_t start)
{
	struct str added = { b->p + start, b->n - start };

	for (size_t i = 0; i + added.n <= start; i++) {
		if ((i == 0 || b->p[i - 1] == ' ') && memcmp(b->p + i, added.s, added.n) == 0 &&
		    b->p[i + added.n] == ',')
			return true;
	}
	return false;
}

static void
add_names(struct buf *b, const struct evidence *e, size_t n, size_t *count,
    bool (*put_name)(struct buf *, const struct evidence *), unsigned depth)
{
	for (size_t i = 0; i < n && depth <= EVIDENCE_DEPTH; i++) {
		size_t before = b->n, start;

		if (before > 0)
			buf_puts(b, ", ");
		start = b->n;
		if (*count < NAMES_MAX && put_name(b, &e[i]) && !is_repeated(b, start))
			++*count;
		else
			buf_cut(b, before);
		add_names(b, e[i].children, e[i].nchildren, count, put_name, depth + 1);
	}
}

static void
set_names(struct mail_sheet *s, enum mail_value v, const struct alert *a,
    bool (*put_name)(struct buf *, const struct evidence *))
{
	size_t count = 0, limit = mail_limit(s, NAMES_BYTES);
	bool is_long;

	add_names(&s->tmp, a->evidence, a->nevidence, &count, put_name, 0);
	is_long = s->tmp.n > limit;
	if (is_long)
		buf_cut(&s->tmp, utf8_cut(s->tmp.p, s->tmp.n, limit));
	if (is_long || count == NAMES_MAX)
		buf_puts(&s->tmp, is_long ? "…" : ", …");
	mail_set_tmp(s, v);
}

void
mail_sheet_evidence(struct mail_sheet *s, const struct alert *a)
{
	struct lines l = { .sheet = s };
	size_t beyond = a->nevidence_all > a->nevidence ? a->nevidence_all - a->nevidence : 0;

	set_names(s, MV_USER, a, put_person);
	if (s->style->with_device)
		set_names(s, MV_DEVICE, a, put_machine);
	add_lines(&l, a->evidence, a->nevidence, 0);
	if (l.left_out + beyond > 0)
		buf_printf(&s->tmp, "\nMore\t%zu more; see the portal", l.left_out + beyond);
	mail_set_tmp(s, MV_EVIDENCE);
}
