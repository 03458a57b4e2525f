/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/address.h"
#include "lib/format/ecs_parts.h"
#include "lib/format/path.h"
#include "lib/format/shape_table.h"
#include "lib/format/web_url.h"

/*
 * ECS has one host, one user, one file: of each kind of evidence the first item is
 * used, of devices a primary one. What could be looked for is in `related`, of all.
 */

/* ---- related ---------------------------- */

static void
relate(struct ecs *e, enum ecs_list list, struct str value)
{
	size_t n = e->nrelated[list];
	enum address_rank rank;

	if (value.n == 0 || n == ECS_RELATED_MAX)
		return;
	if (list == ECS_IP && address_family(value, &rank) == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (str_same(e->related[list][i], value))
			return;
	}
	e->related[list][e->nrelated[list]++] = value;
}

static void
relate_account(struct ecs *e, const struct user_account *a)
{
	relate(e, ECS_USER, a->account_name);
	relate(e, ECS_USER, a->upn);
}

static void
relate_file(struct ecs *e, const struct file_details *f)
{
	relate(e, ECS_HASH, f->sha256);
	relate(e, ECS_HASH, f->sha1);
	relate(e, ECS_HASH, f->md5);
}

static void
relate_device(struct ecs *e, const struct evidence *item)
{
	relate(e, ECS_HOSTS, item->device.dns_name);
	relate(e, ECS_HOSTS, item->device.host_name);
	for (size_t i = 0; i < item->device.ips.n; i++)
		relate(e, ECS_IP, item->device.ips.v[i]);
	relate(e, ECS_IP, item->device.last_ip);
	relate(e, ECS_IP, item->device.last_external_ip);
}

static void
relate_message(struct ecs *e, const struct evidence *item)
{
	relate(e, ECS_USER, item->message.recipient);
	relate(e, ECS_USER, item->message.p2.address);
	relate(e, ECS_IP, item->message.sender_ip);
}

static void
relate_item(struct ecs *e, const struct evidence *item)
{
	switch (item->kind) {
	case EVIDENCE_DEVICE:
		relate_device(e, item);
		break;
	case EVIDENCE_USER:
		relate_account(e, &item->user.account);
		break;
	case EVIDENCE_PROCESS:
		relate_account(e, &item->process.account);
		relate_file(e, &item->process.image);
		break;
	case EVIDENCE_FILE:
		relate_file(e, &item->file.details);
		break;
	case EVIDENCE_FILE_HASH:
		relate(e, ECS_HASH, item->hash.value);
		break;
	case EVIDENCE_IP:
		relate(e, ECS_IP, item->ip.address);
		break;
	case EVIDENCE_MESSAGE:
		relate_message(e, item);
		break;
	case EVIDENCE_MAILBOX:
		relate_account(e, &item->mailbox.account);
		relate(e, ECS_USER, item->mailbox.primary_address);
		break;
	case EVIDENCE_GENERIC:
	case EVIDENCE_URL:
	case EVIDENCE_CLOUD_APP:
	case EVIDENCE_OAUTH_APP:
	case EVIDENCE_REGISTRY_KEY:
	case EVIDENCE_REGISTRY_VALUE:
	case EVIDENCE_AZURE_RESOURCE:
	case EVIDENCE_HOLDER:
		break;
	}
}

/* ---- values that are put together ---------------------------- */

static void
put_addresses(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	enum address_rank rank;

	shape_put_open(s, shape_row_name(row), true);
	for (size_t i = 0; i < e->device.ips.n; i++) {
		if (address_family(e->device.ips.v[i], &rank) != 0)
			shape_text(s, NULL, e->device.ips.v[i], ECS_NONE);
	}
	shape_close(s);
}

static void
put_path(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct file_details *f = base;
	struct buf *text = &ecs_of(s)->text;

	buf_clear(text);
	if (f->path.n != 0)
		path_join(text, f->path, f->name);
	shape_put_text(s, shape_row_name(row), buf_peek(text), ECS_NONE);
}

static void
put_hash(struct shape *s, const struct shape_row *row, const void *base)
{
	static const char *const names[] = { "md5", "sha1", "sha256", "sha512" };
	const struct evidence *e = base;

	(void)row;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (str_same_nocase(e->hash.algorithm, str_of(names[i])))
			shape_text(s, names[i], e->hash.value, ECS_NONE);
	}
}

static bool
has_device(const struct evidence *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].kind == EVIDENCE_DEVICE ||
		    has_device(list[i].children, list[i].nchildren))
			return true;
	}
	return false;
}

static void
put_endpoint(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	const struct alert *a = &ecs_of(s)->ev->record->alert;
	enum address_rank rank;

	(void)row;
	if (address_family(e->ip.address, &rank) == 0)
		return;
	shape_open(s, has_device(a->evidence, a->nevidence) ? "destination" : "source");
	shape_text(s, "ip", e->ip.address, ECS_NONE);
	shape_open(s, "geo");
	shape_text(s, "country_iso_code", e->ip.country, ECS_NONE);
	shape_text(s, "region_name", e->ip.state, ECS_NONE);
	shape_text(s, "city_name", e->ip.city, ECS_NONE);
	shape_close(s);
	shape_close(s);
}

static void
put_url_parts(struct shape *s, const struct shape_row *row, const void *base)
{
	struct web_url u;

	(void)row;
	if (!web_url_split(((const struct evidence *)base)->url.url, &u))
		return;
	shape_text(s, "scheme", u.scheme, ECS_NONE);
	shape_text(s, "domain", u.host, ECS_NONE);
	shape_text(s, "path", u.path, ECS_NONE);
	shape_text(s, "query", u.query, ECS_NONE);
}

static void
put_registry_path(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	const struct str parts[] = { e->registry.hive, e->registry.key, e->registry.name };
	struct buf *text = &ecs_of(s)->text;

	buf_clear(text);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (text->n > 0 && parts[i].n != 0)
			buf_byte(text, '\\');
		buf_str(text, parts[i]);
	}
	shape_put_text(s, shape_row_name(row), buf_peek(text), ECS_NONE);
}

/* ---- the tables ---------------------------- */

#define S struct file_details
static const struct shape_row hash_rows[] = {
	TEXT("md5", md5, "md5"),
	TEXT("sha1", sha1, "sha1"),
	TEXT("sha256", sha256, "sha256"),
	END,
};
#undef S

#define S struct user_account
static const struct shape_row account_rows[] = {
	TEXT("name", account_name, "accountName"),
	TEXT("name", upn, "else userPrincipalName"),
	TEXT("id", sid, "userSid"),
	TEXT("id", aad_id, "else azureAdUserId"),
	TEXT("domain", domain_name, "domainName"),
	TEXT("email", upn, "userPrincipalName"),
	TEXT("full_name", display_name, "displayName"),
	END,
};
#undef S

#define S struct evidence

static const struct shape_row device_rows[] = {
	OPEN("host"),
	TEXT("name", device.dns_name, "deviceDnsName"),
	TEXT("name", device.host_name, "else hostName"),
	TEXT("hostname", device.host_name, "hostName"),
	TEXT("id", device.mde_device_id, "mdeDeviceId"),
	TEXT("domain", device.dns_domain, "dnsDomain"),
	TEXT("domain", device.nt_domain, "else ntDomain"),
	CALL("ip", put_addresses, "ipInterfaces, where they are addresses"),
	OPEN("os"),
	TEXT("name", device.os_platform, "osPlatform"),
	TEXT("version", device.version, "version"),
	CLOSE,
	CLOSE,
	END,
};

static const struct shape_row user_rows[] = {
	OPEN("user"),
	ROWS(account_rows, user.account),
	CLOSE,
	END,
};

static const struct shape_row process_rows[] = {
	OPEN("process"),
	TEXT("name", process.image.name, "imageFile's fileName"),
	INT("pid", process.pid, "processId"),
	TEXT("command_line", process.command_line, "processCommandLine"),
	STAMP("start", process.created, "processCreationDateTime"),
	ROW(CALL, "executable", "imageFile's filePath and fileName", OFF(process.image),
	    .fn = put_path),
	OPEN("hash"),
	ROWS(hash_rows, process.image),
	CLOSE,
	OPEN("parent"),
	TEXT("name", process.parent_image.name, "parentProcessImageFile's fileName"),
	INT("pid", process.parent_pid, "parentProcessId"),
	STAMP("start", process.parent_created, "parentProcessCreationDateTime"),
	CLOSE,
	OPEN("user"),
	ROWS(account_rows, process.account),
	CLOSE,
	CLOSE,
	END,
};

static const struct shape_row file_rows[] = {
	OPEN("file"),
	TEXT("name", file.details.name, "fileName"),
	TEXT("directory", file.details.path, "filePath"),
	ROW(CALL, "path", "filePath and fileName", OFF(file.details), .fn = put_path),
	INT("size", file.details.size, "fileSize"),
	OPEN("hash"),
	ROWS(hash_rows, file.details),
	CLOSE,
	CLOSE,
	END,
};

static const struct shape_row file_hash_rows[] = {
	OPEN("file"),
	OPEN("hash"),
	CALL("sha256", put_hash,
	    "value, by its algorithm: md5, sha1, sha256 or sha512; where there is "
	    "no fileEvidence"),
	CLOSE,
	CLOSE,
	END,
};

static const struct shape_row ip_rows[] = {
	CALL("destination", put_endpoint,
	    "ipAddress as ip; countryLetterCode, state and city as country_iso_code, region_name "
	    "and city_name of geo; where the alert has no device: source"),
	END,
};

static const struct shape_row url_rows[] = {
	OPEN("url"),
	TEXT("original", url.url, "url"),
	CALL("scheme", put_url_parts, "of url; likewise domain, path and query"),
	CLOSE,
	END,
};

static const struct shape_row message_rows[] = {
	OPEN("email"),
	OPEN("from"),
	ARRAY("address"),
	TEXT(NULL, message.p2.address, "p2Sender's emailAddress"),
	CLOSE,
	CLOSE,
	OPEN("sender"),
	TEXT("address", message.p1.address, "p1Sender's emailAddress"),
	CLOSE,
	OPEN("to"),
	ARRAY("address"),
	TEXT(NULL, message.recipient, "recipientEmailAddress"),
	CLOSE,
	CLOSE,
	TEXT("subject", message.subject, "subject"),
	TEXT("message_id", message.internet_id, "internetMessageId"),
	TEXT("local_id", message.network_id, "networkMessageId"),
	STAMP("delivery_timestamp", message.received, "receivedDateTime"),
	CLOSE,
	END,
};

static const struct shape_row registry_rows[] = {
	OPEN("registry"),
	TEXT("hive", registry.hive, "registryHive"),
	TEXT("key", registry.key, "registryKey"),
	TEXT("value", registry.name, "registryValueName"),
	CALL("path", put_registry_path, "registryHive, registryKey and registryValueName"),
	OPEN("data"),
	ARRAY("strings"),
	TEXT(NULL, registry.value, "registryValue"),
	CLOSE,
	TEXT("type", registry.value_type, "registryValueType"),
	CLOSE,
	CLOSE,
	END,
};

static const struct shape_row cloud_app_rows[] = {
	OPEN("service"),
	TEXT("name", cloud_app.display_name, "displayName"),
	CLOSE,
	END,
};

static const struct shape_row oauth_app_rows[] = {
	OPEN("service"),
	TEXT("name", oauth_app.display_name,
	    "displayName, where there is no cloudApplicationEvidence"),
	CLOSE,
	END,
};
#undef S

const struct ecs_kind ecs_kinds[] = {
	[EVIDENCE_GENERIC] = { NULL, NULL },
	[EVIDENCE_DEVICE] = { "deviceEvidence", device_rows },
	[EVIDENCE_USER] = { "userEvidence", user_rows },
	[EVIDENCE_PROCESS] = { "processEvidence", process_rows },
	[EVIDENCE_FILE] = { "fileEvidence", file_rows },
	[EVIDENCE_FILE_HASH] = { "fileHashEvidence", file_hash_rows },
	[EVIDENCE_IP] = { "ipEvidence", ip_rows },
	[EVIDENCE_URL] = { "urlEvidence", url_rows },
	[EVIDENCE_MESSAGE] = { "analyzedMessageEvidence", message_rows },
	[EVIDENCE_MAILBOX] = { NULL, NULL },
	[EVIDENCE_CLOUD_APP] = { "cloudApplicationEvidence", cloud_app_rows },
	[EVIDENCE_OAUTH_APP] = { "oauthApplicationEvidence", oauth_app_rows },
	[EVIDENCE_REGISTRY_KEY] = { "registryKeyEvidence", registry_rows },
	[EVIDENCE_REGISTRY_VALUE] = { "registryValueEvidence", registry_rows },
	[EVIDENCE_AZURE_RESOURCE] = { NULL, NULL },
	[EVIDENCE_HOLDER] = { NULL, NULL },
};
const size_t ecs_nkinds = ARRAY_LEN(ecs_kinds);

/* ---- one alert ---------------------------- */

static void
look(struct ecs *e, const struct evidence **chosen, const struct evidence *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct evidence *item = &list[i], **first = &chosen[item->kind];

		if (*first == NULL ||
		    (item->kind == EVIDENCE_DEVICE && item->is_primary && !(*first)->is_primary))
			*first = item;
		relate_item(e, item);
		look(e, chosen, item->children, item->nchildren);
	}
}

static void
put_related(struct ecs *e)
{
	static const char *const names[] = {
		[ECS_IP] = "ip",
		[ECS_HOSTS] = "hosts",
		[ECS_USER] = "user",
		[ECS_HASH] = "hash",
	};

	shape_open(&e->shape, "related");
	for (unsigned list = ECS_IP; list < ECS_LISTS; list++) {
		shape_open_array(&e->shape, names[list]);
		for (size_t i = 0; i < e->nrelated[list]; i++)
			shape_text(&e->shape, NULL, e->related[list][i], ECS_NONE);
		shape_close(&e->shape);
	}
	shape_close(&e->shape);
}

void
ecs_evidence(struct ecs *e)
{
	const struct alert *a = &e->ev->record->alert;
	const struct evidence *chosen[ARRAY_LEN(ecs_kinds)] = { NULL };

	look(e, chosen, a->evidence, a->nevidence);
	/* One file, one registry place, one service: the better kind of two speaks. */
	if (chosen[EVIDENCE_FILE] != NULL)
		chosen[EVIDENCE_FILE_HASH] = NULL;
	if (chosen[EVIDENCE_REGISTRY_VALUE] != NULL)
		chosen[EVIDENCE_REGISTRY_KEY] = NULL;
	if (chosen[EVIDENCE_CLOUD_APP] != NULL)
		chosen[EVIDENCE_OAUTH_APP] = NULL;
	for (size_t kind = 0; kind < ecs_nkinds; kind++) {
		if (chosen[kind] != NULL && ecs_kinds[kind].rows != NULL)
			shape_rows(&e->shape, ecs_kinds[kind].rows, chosen[kind]);
	}
	put_related(e);
}

/* ---- event.category, by what kinds of evidence there are ---------------------------- */

static void
note_kinds(bool *has, const struct evidence *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		has[list[i].kind] = true;
		note_kinds(has, list[i].children, list[i].nchildren);
	}
}

void
ecs_categories(struct shape *s, const struct shape_row *row, const void *base)
{
	static const char *const words[] = {
		[EVIDENCE_DEVICE] = "host",
		[EVIDENCE_USER] = "iam",
		[EVIDENCE_PROCESS] = "process",
		[EVIDENCE_FILE] = "file",
		[EVIDENCE_IP] = "network",
		[EVIDENCE_URL] = "web",
		[EVIDENCE_MESSAGE] = "email",
		[EVIDENCE_REGISTRY_VALUE] = "registry",
	};
	const struct alert *a = base;
	bool has[ARRAY_LEN(ecs_kinds)] = { false };

	note_kinds(has, a->evidence, a->nevidence);
	shape_put_open(s, shape_row_name(row), true);
	shape_text(s, NULL, STR("intrusion_detection"), ECS_NONE);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (words[i] != NULL && has[i])
			shape_text(s, NULL, str_of(words[i]), ECS_NONE);
	}
	shape_close(s);
}
