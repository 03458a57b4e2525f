/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/record/fields.h"

/*
 * Alerts as Defender for Endpoint's own API writes them (Microsoft Learn: "Alert
 * resource type"): one flat object for each piece of evidence, and enums with
 * capitals. They become the same alert, with Graph's words, so that who reads it
 * need not know where it came from.
 */

/* ---- evidence ------------------------------------------------------------------- */

/* Of any entityType; what it is not about is null. */
struct flat {
	struct str type, sha1, sha256, file_name, file_path, command_line;
	struct str parent_name, parent_path, ip, url, key, hive, value_type, value, value_name;
	struct str account, domain, sid, aad_id, upn, detection;
	int64_t created, pid, pid_created, parent_pid, parent_created;
};

#define S struct flat
static const struct field flat_rows[] = {
	TEXT("entityType", type, PART_NONE),
	TIME("evidenceCreationTime", created, PART_NONE),
	TEXT("sha1", sha1, PART_NONE),
	TEXT("sha256", sha256, PART_NONE),
	TEXT("fileName", file_name, PART_NONE),
	TEXT("filePath", file_path, PART_NONE),
	INT("processId", pid, PART_NONE),
	TEXT("processCommandLine", command_line, PART_NONE),
	TIME("processCreationTime", pid_created, PART_NONE),
	INT("parentProcessId", parent_pid, PART_NONE),
	TIME("parentProcessCreationTime", parent_created, PART_NONE),
	TEXT("parentProcessFileName", parent_name, PART_NONE),
	TEXT("parentProcessFilePath", parent_path, PART_NONE),
	TEXT("ipAddress", ip, PART_NONE),
	TEXT("url", url, PART_NONE),
	TEXT("registryKey", key, PART_NONE),
	TEXT("registryHive", hive, PART_NONE),
	TEXT("registryValueType", value_type, PART_NONE),
	TEXT("registryValue", value, PART_NONE),
	TEXT("registryValueName", value_name, PART_NONE),
	TEXT("accountName", account, PART_NONE),
	TEXT("domainName", domain, PART_NONE),
	TEXT("userSid", sid, PART_NONE),
	TEXT("aadUserId", aad_id, PART_NONE),
	TEXT("userPrincipalName", upn, PART_NONE),
	TEXT("detectionStatus", detection, PART_NONE),
};
static const struct fields flat_fields = FIELDS(flat_rows, S);
#undef S

static struct user_account
account_of(const struct flat *f)
{
	return (struct user_account){ .account_name = f->account,
		.domain_name = f->domain,
		.sid = f->sid,
		.aad_id = f->aad_id,
		.upn = f->upn };
}

static void
set_file(struct file_details *d, const struct flat *f)
{
	d->name = f->file_name;
	d->path = f->file_path;
	d->sha1 = f->sha1;
	d->sha256 = f->sha256;
}

static void
fill_user(struct evidence *e, const struct flat *f)
{
	e->user.account = account_of(f);
}

static void
fill_file(struct evidence *e, const struct flat *f)
{
	set_file(&e->file.details, f);
	e->file.detection_status = f->detection;
}

static void
fill_process(struct evidence *e, const struct flat *f)
{
	set_file(&e->process.image, f);
	e->process.pid = f->pid;
	e->process.created = f->pid_created;
	e->process.command_line = f->command_line;
	e->process.parent_pid = f->parent_pid;
	e->process.parent_created = f->parent_created;
	e->process.parent_image.name = f->parent_name;
	e->process.parent_image.path = f->parent_path;
	e->process.account = account_of(f);
	e->process.detection_status = f->detection;
}

static void
fill_ip(struct evidence *e, const struct flat *f)
{
	e->ip.address = f->ip;
}

static void
fill_url(struct evidence *e, const struct flat *f)
{
	e->url.url = f->url;
}

static void
fill_mailbox(struct evidence *e, const struct flat *f)
{
	e->mailbox.upn = f->upn;
	e->mailbox.account = account_of(f);
}

static void
fill_registry(struct evidence *e, const struct flat *f)
{
	e->registry.hive = f->hive;
	e->registry.key = f->key;
	e->registry.name = f->value_name;
	e->registry.value = f->value;
	e->registry.value_type = f->value_type;
}

/* By entityType, as Graph's type. What is not here has the type's name and its JSON only. */
static const struct {
	const char *entity, *type;
	void (*fill)(struct evidence *e, const struct flat *f);
} entities[] = {
	{ "File", "fileEvidence", fill_file },
	{ "Process", "processEvidence", fill_process },
	{ "User", "userEvidence", fill_user },
	{ "Ip", "ipEvidence", fill_ip },
	{ "Url", "urlEvidence", fill_url },
	{ "MailBox", "mailboxEvidence", fill_mailbox },
	{ "Registry", "registryValueEvidence", fill_registry },
	{ "RegistryKey", "registryKeyEvidence", fill_registry },
	{ "RegistryValue", "registryValueEvidence", fill_registry },
};

static void
begin_evidence(struct evidence *e, struct str type, struct str json)
{
	const struct evidence_type *t = evidence_type(type);

	*e = (struct evidence){ .kind = t->kind, .type = type, .json = json, .member = "evidence" };
	fields_blank(&t->fields, e);
}

static void
convert(struct evidence *e, const struct flat *f, struct str json)
{
	for (size_t i = 0; i < ARRAY_LEN(entities); i++) {
		if (!str_same_nocase(f->type, str_of(entities[i].entity)))
			continue;
		begin_evidence(e, str_of(entities[i].type), json);
		entities[i].fill(e, f);
		e->created = f->created;
		return;
	}
	begin_evidence(e, f->type, json);
	if (e->kind == EVIDENCE_GENERIC || e->kind == EVIDENCE_HOLDER)
		e->other.own = parts_hash(0, json);
	e->created = f->created;
}

/* ---- the alert --------------------------------------------------------------------- */

/* What of it is no field of an alert. */
struct more {
	struct alert a;
	struct str machine_id, dns_name, group, evidence;
	struct user_account related;
};

#define S struct user_account
static const struct field related_rows[] = {
	TEXT("userName", account_name, PART_NONE),
	TEXT("domainName", domain_name, PART_NONE),
};
static const struct fields related = FIELDS(related_rows, S);
#undef S

#define S struct more
#define TEXTS(nm, field, count, p) \
	FIELD_ROW(FIELD_TEXTS, nm, AT(field), .noff = offsetof(S, count), .part = p)
static const struct field rows[] = {
	FIELD_ROW(FIELD_TEXT, "id", AT(a.id), .part = PART_NONE, .once = ONCE_ID),
	TEXT("incidentId", a.incident_id, PART_NONE),
	TEXT("assignedTo", a.assigned_to, PART_NONE),
	TEXT("severity", a.severity_text, PART_NONE),
	TEXT("status", a.status_text, PART_NONE),
	TEXT("classification", a.classification, PART_NONE),
	TEXT("determination", a.determination, PART_NONE),
	TEXT("investigationState", a.investigation_state, PART_NONE),
	TEXT("detectionSource", a.detection_source, PART_NONE),
	TEXT("detectorId", a.detector_id, PART_NONE),
	TEXT("category", a.category, PART_NONE),
	TEXT("threatFamilyName", a.threat_family_name, PART_NONE),
	TEXT("threatName", a.threat_display_name, PART_NONE),
	TEXT("title", a.title, PART_NONE),
	TEXT("description", a.description, PART_NONE),
	TEXT("recommendedAction", a.recommended_actions, PART_NONE),
	TIME("alertCreationTime", a.created, PART_NONE),
	TIME("firstEventTime", a.first_activity, PART_NONE),
	TIME("lastEventTime", a.last_activity, PART_NONE),
	FIELD_ROW(
	    FIELD_TIME, "lastUpdateTime", AT(a.updated), .part = PART_NONE, .once = ONCE_UPDATED),
	TIME("resolvedTime", a.resolved, PART_NONE),
	TEXT("machineId", machine_id, PART_NONE),
	TEXT("computerDnsName", dns_name, PART_NONE),
	TEXT("rbacGroupName", group, PART_NONE),
	FIELD_ROW(
	    FIELD_TEXT, "aadTenantId", AT(a.tenant_id), .part = PART_NONE, .once = ONCE_TENANT),
	TEXTS("mitreTechniques", a.mitre_techniques, a.nmitre_techniques, PART_NONE),
	OBJECT("relatedUser", related, related),
	OBJECTS("comments", a.comments, a.ncomments, comment_fields),
	FIELD_ROW(FIELD_JSON, "evidence", AT(evidence), .part = PART_NONE),
};
#undef TEXTS
static const struct fields more_fields = FIELDS(rows, S);
#undef S

/* Graph's words begin with a small letter. */
static void
use_graphs_word(struct str *word, struct arena *arena)
{
	char *text;

	if (word->n == 0 || word->s[0] < 'A' || word->s[0] > 'Z')
		return;
	*word = arena_copy(arena, *word);
	text = (char *)(uintptr_t)word->s;
	text[0] = (char)(text[0] - 'A' + 'a');
}

static void
use_graphs_words(struct alert *a, struct arena *arena)
{
	struct str *const words[] = { &a->severity_text, &a->status_text, &a->classification,
		&a->determination, &a->investigation_state };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		use_graphs_word(words[i], arena);
	if (str_same_nocase(a->severity_text, STR("unspecified")))
		a->severity_text = STR("unknown");
	a->severity = alert_severity(a->severity_text);
	a->status = alert_status(a->status_text);
	a->service_source = STR("microsoftDefenderForEndpoint");
	a->product_name = STR("Microsoft Defender for Endpoint");
}

/* The device and the user that the alert itself names come before its evidence. */
static size_t
add_named(struct evidence *list, const struct more *m)
{
	size_t n = 0;

	if (m->machine_id.n != 0 || m->dns_name.n != 0) {
		begin_evidence(&list[n], STR("deviceEvidence"), STR("{}"));
		list[n].device.mde_device_id = m->machine_id;
		list[n].device.dns_name = m->dns_name;
		list[n].device.rbac_group_name = m->group;
		list[n++].is_primary = true;
	}
	if (m->related.account_name.n != 0) {
		begin_evidence(&list[n], STR("userEvidence"), STR("{}"));
		list[n++].user.account = m->related;
	}
	return n;
}

/* json: of the list. It was read once already, and is sound. */
static size_t
add_evidence(struct evidence *list, size_t n, struct reading *rd, struct str json, size_t *all)
{
	struct reading inner;
	const char *start;
	struct flat f;

	*all = n;
	if (json.n == 0)
		return n;
	reading_init(&inner, json, rd->arena);
	if (!jr_enter_array(&inner.r)) {
		rd->is_repaired = true;
		return n;
	}
	while (jr_next_element(&inner.r)) {
		if (jr_type(&inner.r) != JR_OBJECT || n == EVIDENCE_MAX) {
			rd->is_repaired |= jr_type(&inner.r) != JR_OBJECT;
			*all += jr_type(&inner.r) != JR_NULL;
			jr_skip(&inner.r);
			continue;
		}
		start = inner.r.p;
		f = (struct flat){ .pid = RECORD_NO_NUMBER };
		fields_blank(&flat_fields, &f);
		fields_read(&inner, &flat_fields, &f, NULL);
		convert(&list[n++], &f, (struct str){ start, (size_t)(inner.r.p - start) });
		++*all;
	}
	rd->is_repaired |= inner.is_repaired;
	return n;
}

bool
mde_read(struct reading *rd, struct alert *a, struct str *why)
{
	struct evidence *list, *kept;
	struct more m = { .a = { .severity = SEVERITY_UNKNOWN } };
	size_t n;

	alert_blank(&m.a);
	fields_blank(&more_fields, &m);
	if (!whole_read(rd, &more_fields, &m, why))
		return false;
	use_graphs_words(&m.a, rd->arena);
	list = xcalloc(EVIDENCE_MAX, sizeof(*list));
	n = add_evidence(list, add_named(list, &m), rd, m.evidence, &m.a.nevidence_all);
	if (n != 0) {
		kept = arena_alloc(rd->arena, n * sizeof(*kept));
		memcpy(kept, list, n * sizeof(*kept));
		m.a.evidence = kept;
	}
	free(list);
	m.a.nevidence = n;
	*a = m.a;
	return whole_has_name(rd, a->id, a->updated, why);
}
