/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"
#include "lib/format/path.h"
#include "lib/format/shape_table.h"

/*
 * Each item of evidence is one of `evidences`, with its kind as name, its verdict, and
 * what OCSF has a typed place for. What it has no place for is in data: the members of
 * the tables here, or the whole item where a value is not of the type that OCSF wants,
 * and for every kind without a table. Children of a kind that holds others follow it.
 */

#define S struct evidence

/* ---- kinds that need no file of their own ---------------------------------------------- */

static const struct shape_row user_rows[] = {
	OPEN("user"),
	ROWS(ocsf_account_rows, user.account),
	CLOSE,
	END,
};

static bool
is_pid(int64_t pid)
{
	return pid >= 0 && pid <= INT32_MAX;
}

static void
put_pid(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	if (is_pid(e->process.pid))
		shape_put_int(s, shape_row_name(row), e->process.pid);
	else
		ocsf_of(s)->needs_whole = true;
}

static void
put_parent_pid(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	if (is_pid(e->process.parent_pid))
		shape_put_int(s, shape_row_name(row), e->process.parent_pid);
	else if (e->process.parent_pid != RECORD_NO_NUMBER ||
		 e->process.parent_created != TICKS_NONE || ocsf_has_file(&e->process.parent_image))
		ocsf_of(s)->needs_whole = true;
	/* Whose signature it is of a parent has no place. */
	if (e->process.parent_image.issuer.n != 0)
		ocsf_of(s)->needs_whole = true;
}

/* A process without a number is none in OCSF: what is known of it is its image then. */
static void
put_bare_image(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	shape_put_open(s, shape_row_name(row), false);
	if (!is_pid(e->process.pid))
		shape_rows(s, ocsf_file_rows, &e->process.image);
	shape_close(s);
}

static const struct shape_row process_rows[] = {
	OPEN("process"),
	CALL("pid", put_pid, "processId"),
	IF_MARKED("name", process.image.name, OBSERVABLE_PROCESS_NAME, "imageFile's fileName"),
	IF_MARKED("cmd_line", process.command_line, OBSERVABLE_COMMAND_LINE, "processCommandLine"),
	IF_TIME("created_time", process.created, "processCreationDateTime"),
	IF_OPEN("file"),
	ROWS(ocsf_file_rows, process.image),
	CLOSE,
	IF_OPEN("parent_process"),
	CALL("pid", put_parent_pid, "parentProcessId"),
	IF_MARKED("name", process.parent_image.name, OBSERVABLE_PROCESS_NAME,
	    "parentProcessImageFile's fileName"),
	IF_TIME("created_time", process.parent_created, "parentProcessCreationDateTime"),
	IF_OPEN("file"),
	ROWS(ocsf_file_rows, process.parent_image),
	CLOSE,
	CLOSE,
	CLOSE,
	CALL("file", put_bare_image, "imageFile, where there is no processId"),
	OPEN("actor"),
	OPEN("user"),
	ROWS(ocsf_account_rows, process.account),
	CLOSE,
	CLOSE,
	END,
};

static const struct shape_row file_rows[] = {
	OPEN("file"),
	ROWS(ocsf_file_rows, file.details),
	CLOSE,
	END,
};

/* "HKEY_LOCAL_MACHINE\SOFTWARE\…": a key has no value's name without this. */
static void
put_key(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	struct buf *text = &ocsf_of(s)->text;

	buf_clear(text);
	buf_str(text, e->registry.hive);
	if (e->registry.hive.n != 0 && e->registry.key.n != 0)
		buf_byte(text, '\\');
	buf_str(text, e->registry.key);
	shape_put_text(s, shape_row_name(row), buf_peek(text), OBSERVABLE_REGISTRY_KEY_PATH);
}

static void
put_value_name(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	if (e->registry.name.n != 0) {
		shape_put_text(
		    s, shape_row_name(row), e->registry.name, OBSERVABLE_REGISTRY_VALUE_NAME);
	} else {
		shape_put_text(s, shape_row_name(row), STR("(Default)"), OBSERVABLE_NONE);
		shape_bool(s, "is_default", true);
	}
}

static const struct shape_row registry_key_rows[] = {
	OPEN("reg_key"),
	CALL("path", put_key, "registryHive and registryKey"),
	CLOSE,
	END,
};

static const struct shape_row registry_value_rows[] = {
	OPEN("reg_value"),
	CALL("path", put_key, "registryHive and registryKey"),
	IF_CALL(
	    "name", put_value_name, "registryValueName; (Default), with is_default, without one"),
	IF_TEXT("type", registry.value_type, "registryValueType"),
	IF_TEXT("data", registry.value, "registryValue"),
	CLOSE,
	END,
};

static void
put_id(struct shape *s, const char *name, int64_t id)
{
	struct buf *text = &ocsf_of(s)->text;

	buf_clear(text);
	if (id >= 0)
		buf_int(text, id);
	shape_text(s, name, buf_peek(text), OBSERVABLE_NONE);
}

static void
put_cloud_app_id(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	put_id(s, row->name,
	    e->cloud_app.saas_app_id >= 0 ? e->cloud_app.saas_app_id : e->cloud_app.app_id);
}

static const struct shape_row cloud_app_rows[] = {
	ARRAY("resources"),
	OPEN(NULL),
	TEXT("name", cloud_app.display_name, "displayName"),
	TEXT("name", cloud_app.instance_name, "else instanceName"),
	CALL("uid", put_cloud_app_id, "saasAppId, else appId"),
	CONST("type", "Cloud Application"),
	CLOSE,
	CLOSE,
	END,
};

static const struct shape_row oauth_app_rows[] = {
	ARRAY("resources"),
	OPEN(NULL),
	TEXT("name", oauth_app.display_name, "displayName"),
	MARKED("uid", oauth_app.object_id, OBSERVABLE_RESOURCE_UID, "objectId"),
	CONST("type", "OAuth Application"),
	CLOSE,
	CLOSE,
	OPEN("actor"),
	TEXT("app_name", oauth_app.display_name, "displayName"),
	TEXT("app_uid", oauth_app.app_id, "appId"),
	CLOSE,
	END,
};

static const struct shape_row azure_rows[] = {
	ARRAY("resources"),
	OPEN(NULL),
	TEXT("name", azure.name, "resourceName"),
	MARKED("uid", azure.id, OBSERVABLE_RESOURCE_UID, "resourceId"),
	IF_TEXT("type", azure.resource_type, "resourceType"),
	CLOSE,
	CLOSE,
	END,
};

/* ---- data: Graph's members by Graph's names --------------------------------------------- */

static void
put_logged_on(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	shape_put_open(s, shape_row_name(row), true);
	for (size_t i = 0; i < e->device.nlogged_on; i++) {
		shape_open(s, NULL);
		shape_text(s, "accountName", e->device.logged_on[i].account_name, OBSERVABLE_NONE);
		shape_text(s, "domainName", e->device.logged_on[i].domain_name, OBSERVABLE_NONE);
		shape_close(s);
	}
	shape_close(s);
}

#define SAME(how, name, ...) how(name, __VA_ARGS__, name)

const struct shape_row ocsf_every_data[] = {
	SAME(TEXT, "verdict", verdict),
	SAME(TEXT, "remediationStatus", remediation_status),
	SAME(TEXT, "remediationStatusDetails", remediation_details),
	SAME(LIST, "roles", roles),
	SAME(LIST, "detailedRoles", detailed_roles),
	SAME(LIST, "tags", tags),
	SAME(STAMP, "createdDateTime", created),
	END,
};

static const struct shape_row device_data[] = {
	SAME(TEXT, "ntDomain", device.nt_domain),
	SAME(TEXT, "healthStatus", device.health_status),
	SAME(TEXT, "riskScore", device.risk_score),
	SAME(TEXT, "onboardingStatus", device.onboarding_status),
	SAME(TEXT, "defenderAvStatus", device.av_status),
	SAME(TEXT, "lastIpAddress", device.last_ip),
	SAME(TEXT, "lastExternalIpAddress", device.last_external_ip),
	CALL("loggedOnUsers", put_logged_on, "loggedOnUsers"),
	END,
};

static const struct shape_row user_data[] = {
	SAME(TEXT, "stream", user.stream),
	END,
};

static const struct shape_row process_data[] = {
	SAME(TEXT, "detectionStatus", process.detection_status),
	SAME(TEXT, "mdeDeviceId", process.mde_device_id),
	SAME(TEXT, "issuer", process.image.issuer),
	END,
};

static const struct shape_row file_data[] = {
	SAME(TEXT, "detectionStatus", file.detection_status),
	SAME(TEXT, "mdeDeviceId", file.mde_device_id),
	SAME(TEXT, "issuer", file.details.issuer),
	END,
};

static const struct shape_row message_data[] = {
	SAME(TEXT, "p1SenderName", message.p1.name),
	SAME(TEXT, "p2SenderName", message.p2.name),
	SAME(TEXT, "deliveryAction", message.delivery_action),
	SAME(TEXT, "deliveryLocation", message.delivery_location),
	SAME(TEXT, "antiSpamDirection", message.direction),
	SAME(TEXT, "language", message.language),
	SAME(TEXT, "urn", message.urn),
	SAME(LIST, "threats", message.threats),
	SAME(LIST, "threatDetectionMethods", message.detection_methods),
	SAME(STAMP, "receivedDateTime", message.received),
	SAME(INT, "attachmentsCount", message.attachments),
	SAME(INT, "urlCount", message.url_count),
	END,
};

static const struct shape_row mailbox_data[] = {
	SAME(TEXT, "displayName", mailbox.display_name),
	SAME(TEXT, "upn", mailbox.upn),
	END,
};

static const struct shape_row cloud_app_data[] = {
	SAME(TEXT, "instanceName", cloud_app.instance_name),
	SAME(TEXT, "stream", cloud_app.stream),
	SAME(INT, "appId", cloud_app.app_id),
	SAME(INT, "instanceId", cloud_app.instance_id),
	END,
};

static const struct shape_row oauth_app_data[] = {
	SAME(TEXT, "publisher", oauth_app.publisher),
	END,
};

static const struct shape_row registry_value_data[] = {
	SAME(TEXT, "mdeDeviceId", registry.mde_device_id),
	END,
};

static const struct shape_row no_data[] = { END };

const struct ocsf_kind ocsf_kinds[] = {
	[EVIDENCE_GENERIC] = { NULL, NULL, NULL },
	[EVIDENCE_DEVICE] = { "deviceEvidence", ocsf_device_rows, device_data },
	[EVIDENCE_USER] = { "userEvidence", user_rows, user_data },
	[EVIDENCE_PROCESS] = { "processEvidence", process_rows, process_data },
	[EVIDENCE_FILE] = { "fileEvidence", file_rows, file_data },
	[EVIDENCE_FILE_HASH] = { "fileHashEvidence", ocsf_hash_rows, no_data },
	[EVIDENCE_IP] = { "ipEvidence", ocsf_ip_rows, no_data },
	[EVIDENCE_URL] = { "urlEvidence", ocsf_url_rows, no_data },
	[EVIDENCE_MESSAGE] = { "analyzedMessageEvidence", ocsf_message_rows, message_data },
	[EVIDENCE_MAILBOX] = { "mailboxEvidence", ocsf_mailbox_rows, mailbox_data },
	[EVIDENCE_CLOUD_APP] = { "cloudApplicationEvidence", cloud_app_rows, cloud_app_data, true },
	[EVIDENCE_OAUTH_APP] = { "oauthApplicationEvidence", oauth_app_rows, oauth_app_data },
	[EVIDENCE_REGISTRY_KEY] = { "registryKeyEvidence", registry_key_rows, no_data },
	[EVIDENCE_REGISTRY_VALUE] = { "registryValueEvidence", registry_value_rows,
	    registry_value_data },
	[EVIDENCE_AZURE_RESOURCE] = { "azureResourceEvidence", azure_rows, no_data, true },
	[EVIDENCE_HOLDER] = { NULL, NULL, NULL },
};
const size_t ocsf_nkinds = ARRAY_LEN(ocsf_kinds);
#undef S

/* ---- one item ----------------------------------------------------------------------------- */

static const struct ocsf_name verdicts[] = {
	OCSF_NAME("unknown", 0, "Unknown"),
	OCSF_NAME("suspicious", 4, "Suspicious"),
	OCSF_NAME("malicious", 2, "True Positive"),
	OCSF_NAME("noThreatsFound", 5, "Benign"),
};

const struct shape_row ocsf_every_rows[] = {
	ROW(TEXT, "name", "which kind it is: deviceEvidence, …"),
	ROW(TEXT, "verdict_id",
	    "verdict: unknown 0, malicious 2, suspicious 4, noThreatsFound 5; as the word in "
	    "data, too"),
	END,
};

static void
put_data(struct shape *s, const struct evidence *e, const struct ocsf_kind *kind, bool is_typed)
{
	struct ocsf *o = ocsf_of(s);

	if (!o->level->has_data)
		return;
	if (!is_typed || o->needs_whole) {
		shape_object(s, "data", e->json);
		return;
	}
	shape_open(s, "data");
	shape_rows(s, ocsf_every_data, e);
	shape_rows(s, kind->data, e);
	shape_close(s);
}

/* An application that is no actor has nothing else that makes an item of evidence in OCSF. */
static bool
has_resources_alone(const struct evidence *e)
{
	return e->kind == EVIDENCE_OAUTH_APP &&
	       e->oauth_app.display_name.n + e->oauth_app.app_id.n == 0;
}

/* False, and nothing is written, where it would say nothing. */
static bool
put_item(struct ocsf *o, const struct evidence *e)
{
	struct shape *s = &o->shape, before = *s;
	const struct ocsf_kind *kind = &ocsf_kinds[e->kind];
	size_t start = s->w.out->n, empty;
	bool is_typed = false, needs_data = kind->needs_data || has_resources_alone(e);

	if (needs_data && !o->level->has_data)
		return false;
	o->needs_whole = needs_data || e->is_partial;
	shape_open(s, NULL);
	shape_text(s, "name", e->type.n != 0 ? e->type : STR("evidence"), OBSERVABLE_NONE);
	if (e->verdict.n != 0)
		ocsf_named(s, STR("verdict_id"), STR("verdict"), verdicts, ARRAY_LEN(verdicts),
		    e->verdict);
	empty = s->w.out->n;
	if (kind->rows != NULL) {
		shape_rows(s, kind->rows, e);
		is_typed = s->w.out->n != empty;
	}
	put_data(s, e, kind, is_typed);
	if (s->w.out->n == empty && buf_ok(s->w.out)) {
		*s = before;
		buf_cut(s->w.out, start);
		return false;
	}
	shape_close(s);
	return true;
}

static void
put_list(struct ocsf *o, const struct evidence *list, size_t n)
{
	for (size_t i = 0; i < n && o->nevidence < o->level->evidence_max && buf_ok(o->shape.w.out);
	     i++) {
		const struct evidence *e = &list[i];
		bool is_inside =
		    e->kind == EVIDENCE_GENERIC && !str_is(str_of(e->member), "evidence");

		/* A child that has no type of its own is in the data of what holds it. */
		if (!is_inside && put_item(o, e))
			o->nevidence++;
		put_list(o, e->children, e->nchildren);
	}
}

void
ocsf_evidence(struct ocsf *o)
{
	const struct alert *a = &o->ev->record->alert;

	shape_open_array(&o->shape, "evidences");
	put_list(o, a->evidence, a->nevidence);
	shape_close(&o->shape);
}

/* ---- resources: what was attacked ----------------------------------------------------------- */

#define S struct evidence
const struct shape_row ocsf_resource_rows[] = {
	OPEN(NULL),
	TEXT("name", device.dns_name, "deviceDnsName of each deviceEvidence"),
	TEXT("name", device.host_name, "else hostName"),
	MARKED("uid", device.mde_device_id, OBSERVABLE_RESOURCE_UID, "mdeDeviceId"),
	CONST("type", "Device"),
	CLOSE,
	END,
};
#undef S

static void
put_devices(struct ocsf *o, const struct evidence *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].kind == EVIDENCE_DEVICE)
			shape_rows(&o->shape, ocsf_resource_rows, &list[i]);
		put_devices(o, list[i].children, list[i].nchildren);
	}
}

void
ocsf_resources(struct ocsf *o)
{
	const struct alert *a = &o->ev->record->alert;

	shape_open_array(&o->shape, "resources");
	put_devices(o, a->evidence, a->nevidence);
	shape_close(&o->shape);
}
