/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stddef.h>

#include "lib/format/address.h"
#include "lib/format/cef_facts.h"
#include "lib/format/path.h"

/*
 * Of each kind of evidence the first item that has something to say is used, of
 * devices a primary one before others. Keys that belong together (a user's name,
 * domain and SID) come from one item only: a line never mixes two users.
 */
enum group {
	GROUP_DEVICE,
	GROUP_SOURCE_USER,
	GROUP_TARGET_USER,
	GROUP_PROCESS,
	GROUP_FILE,
	GROUP_URL,
	GROUP_APP
};

#define EVIDENCE_KINDS (EVIDENCE_HOLDER + 1)
#define SPROC_PART_MAX 1100

/* Kinds in the order in which they may speak for a group. */
#define ROW(kind_, key_, group_, field) \
	{ \
		EVIDENCE_##kind_, CEF_##key_, GROUP_##group_, offsetof(struct evidence, field) \
	}
static const struct row {
	enum evidence_kind kind;
	enum cef_key key;
	enum group group;
	size_t off;
} rows[] = {
	ROW(DEVICE, SHOST, DEVICE, device.dns_name),
	ROW(DEVICE, SHOST, DEVICE, device.host_name),
	ROW(DEVICE, DVCHOST, DEVICE, device.dns_name),
	ROW(DEVICE, DVCHOST, DEVICE, device.host_name),
	ROW(DEVICE, SOURCE_DNS_DOMAIN, DEVICE, device.dns_domain),
	ROW(DEVICE, DEVICE_ID, DEVICE, device.mde_device_id),
	ROW(USER, SUSER, SOURCE_USER, user.account.upn),
	ROW(USER, SUSER, SOURCE_USER, user.account.account_name),
	ROW(USER, SNTDOM, SOURCE_USER, user.account.domain_name),
	ROW(USER, SUID, SOURCE_USER, user.account.sid),
	ROW(PROCESS, COMMAND_LINE, PROCESS, process.command_line),
	ROW(PROCESS, SUSER, SOURCE_USER, process.account.upn),
	ROW(PROCESS, SUSER, SOURCE_USER, process.account.account_name),
	ROW(PROCESS, SNTDOM, SOURCE_USER, process.account.domain_name),
	ROW(PROCESS, SUID, SOURCE_USER, process.account.sid),
	ROW(FILE, FNAME, FILE, file.details.name),
	ROW(FILE, FILE_PATH, FILE, file.details.path),
	ROW(FILE, FILE_HASH, FILE, file.details.sha1),
	ROW(FILE, FILE_HASH, FILE, file.details.sha256),
	ROW(FILE, SHA256, FILE, file.details.sha256),
	ROW(FILE_HASH, FILE_HASH, FILE, hash.value),
	ROW(URL, REQUEST, URL, url.url),
	/* The sender that people see before the one of the envelope. */
	ROW(MESSAGE, SUSER, SOURCE_USER, message.p2.address),
	ROW(MESSAGE, SUSER, SOURCE_USER, message.p1.address),
	ROW(MESSAGE, DUSER, TARGET_USER, message.recipient),
	ROW(MAILBOX, DUSER, TARGET_USER, mailbox.primary_address),
	ROW(MAILBOX, DUSER, TARGET_USER, mailbox.upn),
	ROW(CLOUD_APP, CLOUD_APP, APP, cloud_app.display_name),
	ROW(CLOUD_APP, CLOUD_APP, APP, cloud_app.instance_name),
	ROW(OAUTH_APP, CLOUD_APP, APP, oauth_app.display_name),
};
#undef ROW

static struct str
field(const struct row *row, const struct evidence *e)
{
	return *(const struct str *)((const char *)e + row->off);
}

/* The device's own addresses; the one that its whole site shares only where there is no other. */
static void
set_device_addresses(struct cef_facts *f, const struct evidence *e)
{
	struct address_best b = { .rank4 = ADDRESS_NONE };

	for (size_t i = 0; i < e->device.ips.n; i++)
		address_best_add(&b, e->device.ips.v[i]);
	address_best_add(&b, e->device.last_ip);
	if (b.rank4 <= ADDRESS_LOCAL && b.rank6 == ADDRESS_NONE)
		address_best_add(&b, e->device.last_external_ip);
	cef_set(f, CEF_SRC, b.v4);
	cef_set(f, CEF_SRC6, b.v6);
}

/* Where the alert has a device, an address in its evidence is the far side. */
static void
set_ip(struct cef_facts *f, const struct evidence *e, bool has_device)
{
	enum address_rank rank;
	int family = address_family(e->ip.address, &rank);

	if (family == AF_INET)
		cef_set(f, has_device ? CEF_DST : CEF_SRC, e->ip.address);
	else if (family == AF_INET6)
		cef_set(f, has_device ? CEF_DST6 : CEF_SRC6, e->ip.address);
}

static struct str
clip(struct str s)
{
	return (struct str){ s.s, utf8_cut(s.s, s.n, SPROC_PART_MAX) };
}

static void
set_process(struct cef_facts *f, const struct evidence *e)
{
	size_t start;

	cef_set_number(f, CEF_SPID, e->process.pid);
	start = f->text.n;
	path_join(&f->text, clip(e->process.image.path), clip(e->process.image.name));
	cef_set_text(f, CEF_SPROC, start);
}

static void
set_hash(struct cef_facts *f, const struct evidence *e)
{
	if (f->value[CEF_FILE_HASH].s == e->hash.value.s &&
	    str_same_nocase(e->hash.algorithm, STR("sha256")))
		cef_set(f, CEF_SHA256, e->hash.value);
}

static void
set_special(struct cef_facts *f, const struct evidence *e, bool has_device)
{
	switch (e->kind) {
	case EVIDENCE_DEVICE:
		set_device_addresses(f, e);
		break;
	case EVIDENCE_PROCESS:
		set_process(f, e);
		break;
	case EVIDENCE_FILE:
		cef_set_number(f, CEF_FSIZE, e->file.details.size);
		break;
	case EVIDENCE_FILE_HASH:
		set_hash(f, e);
		break;
	case EVIDENCE_IP:
		set_ip(f, e, has_device);
		break;
	case EVIDENCE_GENERIC:
	case EVIDENCE_USER:
	case EVIDENCE_URL:
	case EVIDENCE_MESSAGE:
	case EVIDENCE_MAILBOX:
	case EVIDENCE_CLOUD_APP:
	case EVIDENCE_OAUTH_APP:
	case EVIDENCE_REGISTRY_KEY:
	case EVIDENCE_REGISTRY_VALUE:
	case EVIDENCE_AZURE_RESOURCE:
	case EVIDENCE_HOLDER:
		break;
	}
}

/* Whether an item has anything for the line. */
static bool
is_useful(const struct evidence *e)
{
	enum address_rank rank;

	if (e->kind == EVIDENCE_IP)
		return address_family(e->ip.address, &rank) != 0;
	if (e->kind == EVIDENCE_PROCESS && (e->process.image.name.n != 0 || e->process.pid >= 0))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].kind == e->kind && field(&rows[i], e).n != 0)
			return true;
	}
	return false;
}

static void
choose(const struct evidence **chosen, const struct evidence *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &list[i], **best = &chosen[e->kind];
		bool is_better = *best == NULL || (e->kind == EVIDENCE_DEVICE && e->is_primary &&
						      !(*best)->is_primary);

		if (is_better && is_useful(e))
			*best = e;
		choose(chosen, e->children, e->nchildren);
	}
}

void
cef_gather_evidence(struct cef_facts *f, const struct alert *a)
{
	const struct evidence *chosen[EVIDENCE_KINDS] = { NULL };
	const struct evidence *owner[GROUP_APP + 1] = { NULL };

	choose(chosen, a->evidence, a->nevidence);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct evidence *e = chosen[rows[i].kind], **own = &owner[rows[i].group];

		if (e == NULL || (*own != NULL && *own != e) || field(&rows[i], e).n == 0)
			continue;
		*own = e;
		cef_set(f, rows[i].key, field(&rows[i], e));
	}
	for (size_t k = 0; k < EVIDENCE_KINDS; k++) {
		if (chosen[k] != NULL)
			set_special(f, chosen[k], chosen[EVIDENCE_DEVICE] != NULL);
	}
	cef_set_number(f, CEF_EVIDENCE_COUNT, (int64_t)a->nevidence_all);
}
