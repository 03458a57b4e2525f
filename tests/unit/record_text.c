/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/record_text.h"

static const char *const kinds[] = {
	[EVIDENCE_GENERIC] = "generic",
	[EVIDENCE_DEVICE] = "device",
	[EVIDENCE_USER] = "user",
	[EVIDENCE_PROCESS] = "process",
	[EVIDENCE_FILE] = "file",
	[EVIDENCE_FILE_HASH] = "file_hash",
	[EVIDENCE_IP] = "ip",
	[EVIDENCE_URL] = "url",
	[EVIDENCE_MESSAGE] = "message",
	[EVIDENCE_MAILBOX] = "mailbox",
	[EVIDENCE_CLOUD_APP] = "cloud_app",
	[EVIDENCE_OAUTH_APP] = "oauth_app",
	[EVIDENCE_REGISTRY_KEY] = "registry_key",
	[EVIDENCE_REGISTRY_VALUE] = "registry_value",
	[EVIDENCE_AZURE_RESOURCE] = "azure_resource",
	[EVIDENCE_HOLDER] = "holder",
};

struct lines {
	struct buf *out;
	int indent;
};

static void
label(struct lines *l, const char *name)
{
	const char *arrow = strstr(name, "->");

	buf_printf(l->out, "%*s%s: ", l->indent, "", arrow != NULL ? arrow + 2 : name);
}

/* Control characters as <xx>, so that a value is one line. */
static void
text(struct lines *l, const char *name, struct str s)
{
	if (s.s == NULL)
		return;
	label(l, name);
	for (size_t i = 0; i < s.n; i++) {
		if ((unsigned char)s.s[i] < 0x20)
			buf_printf(l->out, "<%02x>", (unsigned)s.s[i]);
		else
			buf_byte(l->out, s.s[i]);
	}
	buf_byte(l->out, '\n');
}

static void
texts(struct lines *l, const char *name, const struct str *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		text(l, name, v[i]);
}

static void
number(struct lines *l, const char *name, int64_t v)
{
	if (v == RECORD_NO_NUMBER)
		return;
	label(l, name);
	buf_int(l->out, v);
	buf_byte(l->out, '\n');
}

static void
moment(struct lines *l, const char *name, int64_t v)
{
	if (v == TICKS_NONE)
		return;
	label(l, name);
	ticks_write(l->out, v, 7);
	buf_byte(l->out, '\n');
}

#define T(v)    text(l, #v, v)
#define L(list) texts(l, #list, list.v, list.n)
#define N(v)    number(l, #v, v)
#define M(v)    moment(l, #v, v)

static void
account(struct lines *l, const char *name, const struct user_account *a)
{
	buf_printf(l->out, "%*s%s\n", l->indent, "", name);
	T(a->account_name);
	T(a->domain_name);
	T(a->sid);
	T(a->aad_id);
	T(a->upn);
	T(a->display_name);
}

static void
details(struct lines *l, const char *name, const struct file_details *f)
{
	buf_printf(l->out, "%*s%s\n", l->indent, "", name);
	T(f->name);
	T(f->path);
	T(f->publisher);
	T(f->issuer);
	T(f->signer);
	T(f->md5);
	T(f->sha1);
	T(f->sha256);
	T(f->sha256_ac);
	N(f->size);
}

static void
device(struct lines *l, const struct evidence *e)
{
	T(e->device.mde_device_id);
	T(e->device.aad_device_id);
	T(e->device.dns_name);
	T(e->device.host_name);
	T(e->device.nt_domain);
	T(e->device.dns_domain);
	T(e->device.os_platform);
	T(e->device.version);
	T(e->device.health_status);
	T(e->device.risk_score);
	T(e->device.rbac_group_name);
	T(e->device.onboarding_status);
	T(e->device.av_status);
	T(e->device.last_ip);
	T(e->device.last_external_ip);
	N(e->device.os_build);
	N(e->device.rbac_group_id);
	M(e->device.first_seen);
	L(e->device.ips);
	for (size_t i = 0; i < e->device.nlogged_on; i++)
		account(l, "logged_on", &e->device.logged_on[i]);
}

static void
process(struct lines *l, const struct evidence *e)
{
	N(e->process.pid);
	N(e->process.parent_pid);
	M(e->process.created);
	M(e->process.parent_created);
	T(e->process.command_line);
	T(e->process.detection_status);
	T(e->process.mde_device_id);
	details(l, "image", &e->process.image);
	details(l, "parent_image", &e->process.parent_image);
	account(l, "account", &e->process.account);
}

static void
message(struct lines *l, const struct evidence *e)
{
	T(e->message.subject);
	T(e->message.recipient);
	T(e->message.sender_ip);
	T(e->message.internet_id);
	T(e->message.network_id);
	T(e->message.language);
	T(e->message.delivery_action);
	T(e->message.delivery_location);
	T(e->message.direction);
	T(e->message.urn);
	T(e->message.p1.name);
	T(e->message.p1.domain);
	T(e->message.p1.address);
	T(e->message.p2.name);
	T(e->message.p2.domain);
	T(e->message.p2.address);
	M(e->message.received);
	N(e->message.attachments);
	N(e->message.url_count);
	L(e->message.urls);
	L(e->message.threats);
	L(e->message.detection_methods);
}

static void
kind(struct lines *l, const struct evidence *e)
{
	switch (e->kind) {
	case EVIDENCE_DEVICE:
		device(l, e);
		break;
	case EVIDENCE_USER:
		account(l, "account", &e->user.account);
		T(e->user.stream);
		break;
	case EVIDENCE_PROCESS:
		process(l, e);
		break;
	case EVIDENCE_FILE:
		T(e->file.detection_status);
		T(e->file.mde_device_id);
		details(l, "details", &e->file.details);
		break;
	case EVIDENCE_FILE_HASH:
		T(e->hash.algorithm);
		T(e->hash.value);
		break;
	case EVIDENCE_IP:
		T(e->ip.address);
		T(e->ip.country);
		T(e->ip.city);
		T(e->ip.state);
		break;
	case EVIDENCE_URL:
		T(e->url.url);
		break;
	case EVIDENCE_MESSAGE:
		message(l, e);
		break;
	case EVIDENCE_MAILBOX:
		T(e->mailbox.display_name);
		T(e->mailbox.primary_address);
		T(e->mailbox.upn);
		account(l, "account", &e->mailbox.account);
		break;
	case EVIDENCE_CLOUD_APP:
		T(e->cloud_app.display_name);
		T(e->cloud_app.instance_name);
		T(e->cloud_app.stream);
		N(e->cloud_app.app_id);
		N(e->cloud_app.instance_id);
		N(e->cloud_app.saas_app_id);
		break;
	case EVIDENCE_OAUTH_APP:
		T(e->oauth_app.app_id);
		T(e->oauth_app.display_name);
		T(e->oauth_app.object_id);
		T(e->oauth_app.publisher);
		break;
	case EVIDENCE_REGISTRY_KEY:
	case EVIDENCE_REGISTRY_VALUE:
		T(e->registry.hive);
		T(e->registry.key);
		T(e->registry.name);
		T(e->registry.value);
		T(e->registry.value_type);
		T(e->registry.mde_device_id);
		break;
	case EVIDENCE_AZURE_RESOURCE:
		T(e->azure.id);
		T(e->azure.name);
		T(e->azure.resource_type);
		break;
	case EVIDENCE_GENERIC:
	case EVIDENCE_HOLDER:
		break;
	}
}

static void
evidence(struct lines *l, const struct evidence *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct evidence *e = &v[i];

		buf_printf(l->out, "%*s%s: %s%s %.*s\n", l->indent, "", e->member, kinds[e->kind],
		    e->is_primary ? ", primary" : "", STR_ARG(e->type));
		l->indent += 2;
		M(e->created);
		T(e->verdict);
		T(e->remediation_status);
		T(e->remediation_details);
		L(e->roles);
		L(e->detailed_roles);
		L(e->tags);
		kind(l, e);
		evidence(l, e->children, e->nchildren);
		l->indent -= 2;
	}
}

static void
alert_text(struct lines *l, const struct alert *a)
{
	T(a->id);
	T(a->provider_alert_id);
	T(a->incident_id);
	T(a->title);
	T(a->description);
	T(a->recommended_actions);
	T(a->category);
	T(a->service_source);
	T(a->detection_source);
	T(a->product_name);
	T(a->detector_id);
	T(a->alert_policy_id);
	T(a->investigation_state);
	T(a->tenant_id);
	T(a->assigned_to);
	T(a->actor_display_name);
	T(a->threat_display_name);
	T(a->threat_family_name);
	T(a->alert_web_url);
	T(a->incident_web_url);
	T(a->severity_text);
	T(a->status_text);
	text(l, "severity", str_of(severity_names[a->severity]));
	text(l, "status", str_of(status_names[a->status]));
	T(a->classification);
	T(a->determination);
	M(a->created);
	M(a->updated);
	M(a->resolved);
	M(a->first_activity);
	M(a->last_activity);
	texts(l, "categories", a->categories, a->ncategories);
	texts(l, "mitre_techniques", a->mitre_techniques, a->nmitre_techniques);
	texts(l, "system_tags", a->system_tags, a->nsystem_tags);
	for (size_t i = 0; i < a->ncomments; i++) {
		text(l, "comment", a->comments[i].text);
		text(l, "comment by", a->comments[i].by);
		moment(l, "comment of", a->comments[i].created);
	}
	T(a->custom_details);
	T(a->additional_data);
	N((int64_t)a->nevidence_all);
	evidence(l, a->evidence, a->nevidence);
}

static void
unreadable_text(struct lines *l, const struct unreadable *u)
{
	T(u->id);
	T(u->title);
	T(u->severity_text);
	M(u->updated);
	M(u->created);
	T(u->why);
	N((int64_t)u->size);
}

void
record_text(struct buf *out, const struct record *r)
{
	struct lines lines = { out, 0 };

	if (r->is_repaired)
		buf_puts(out, "repaired\n");
	switch (r->type) {
	case RECORD_ALERT:
		alert_text(&lines, &r->alert);
		break;
	case RECORD_UNREADABLE:
		unreadable_text(&lines, &r->unreadable);
		break;
	case RECORD_INCIDENT:
	case RECORD_HEALTH:
	case RECORD_CANARY:
		buf_puts(out, "something else\n");
		break;
	}
}
