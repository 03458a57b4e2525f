/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/cef_facts.h"
#include "lib/format/escape.h"
#include "lib/format/format.h"
#include "lib/format/headline.h"
#include "lib/format/squeeze.h"

/*
 * CEF:0 as OpenText's "Implementing ArcSight Common Event Format" has it. Limits
 * are the dictionary's, taken as bytes of the escaped value, the narrowest
 * reading of it that any receiver has.
 */
#define MAPPING_VERSION "1.0" /* the header's device version: which key means what */
#define NAME_MAX_BYTES  512
#define CLASS_MAX_BYTES 1023

/* How a key is written: " key=", value, " keyLabel=…". */
struct key_style {
	struct str before, after;
	size_t limit;
	bool is_whole; /* left out rather than cut */
	const char *label, *from; /* for the manual */
};

/* clang-format off */
#define KEY(k, max, from)             { STR(" " k "="), { NULL, 0 }, max, false, NULL, from }
#define WHOLE(k, max, from)           { STR(" " k "="), { NULL, 0 }, max, true, NULL, from }
#define LABELLED(k, max, label, from) \
	{ STR(" " k "="), STR(" " k "Label=" label), max, false, label, from }
/* clang-format on */
#define NUMBER_MAX 20
static const struct key_style styles[CEF_KEYS] = {
	[CEF_RT] = KEY("rt", NUMBER_MAX,
	    "the event's time, in ms since 1970: of a new alert createdDateTime, of a resolved "
	    "one resolvedDateTime, else lastUpdateDateTime"),
	[CEF_ACT] = KEY("act", 63,
	    "what happened: new, escalated, updated, resolved, reopened; health, canary, "
	    "unreadable"),
	[CEF_EXTERNAL_ID] = WHOLE("externalId", 40,
	    "id, where it has at most 40 bytes"),
	[CEF_CAT] = KEY("cat", 1023,
	    "category, else the first of categories; of health what it is about"),
	[CEF_TENANT_ID] = LABELLED("cs3", 4000, "TenantId",
	    "the tenant's ID"),
	[CEF_CUSTOMER] = LABELLED("cs4", 4000, "Customer",
	    "the customer's name"),
	[CEF_ALERT_ID] = LABELLED("flexString2", 1023, "AlertId",
	    "id"),
	[CEF_EVENT_ID] = KEY("MicrosoftDefenderEventId", 2000,
	    "the event's id, to drop repeats by"),
	[CEF_INCIDENT] = LABELLED("cn1", NUMBER_MAX, "IncidentId",
	    "incidentId, where it is a number; an incident's id"),
	[CEF_INCIDENT_TEXT] = KEY("MicrosoftDefenderIncidentId", 255,
	    "incidentId, where it is none"),
	[CEF_MERGED] = KEY("MicrosoftDefenderMergedInto", 255,
	    "an incident's redirectIncidentId"),
	[CEF_STATUS] = LABELLED("cs5", 4000, "Status",
	    "status; of health the state"),
	[CEF_WAS] = KEY("msspdWas", 255,
	    "of health the state before"),
	[CEF_VERDICT] = LABELLED("cs6", 4000, "Verdict",
	    "classification/determination"),
	[CEF_START] = KEY("start", NUMBER_MAX,
	    "firstActivityDateTime, in ms; of health since when"),
	[CEF_END] = KEY("end", NUMBER_MAX,
	    "lastActivityDateTime, in ms"),
	[CEF_CREATED] = LABELLED("deviceCustomDate1", NUMBER_MAX, "Created",
	    "createdDateTime, in ms"),
	[CEF_RESOLVED] = LABELLED("deviceCustomDate2", NUMBER_MAX, "Resolved",
	    "resolvedDateTime, in ms"),
	[CEF_SERVICE] = KEY("sourceServiceName", 1023,
	    "serviceSource"),
	[CEF_FACILITY] = KEY("deviceFacility", 1023,
	    "detectionSource"),
	[CEF_SHOST] = KEY("shost", 1023,
	    "deviceDnsName, else hostName, of the primary device or the first"),
	[CEF_SOURCE_DNS_DOMAIN] = KEY("sourceDnsDomain", 255,
	    "its dnsDomain"),
	[CEF_DVCHOST] = WHOLE("dvchost", 100,
	    "the same as shost, where it has at most 100 bytes"),
	[CEF_DEVICE_ID] = KEY("deviceExternalId", 255,
	    "its mdeDeviceId"),
	[CEF_SRC] = KEY("src", 45,
	    "its best IPv4 address; without a device ipAddress of ipEvidence"),
	[CEF_DST] = KEY("dst", 45,
	    "ipAddress of ipEvidence, where there is a device"),
	[CEF_SRC6] = LABELLED("c6a2", 45, "Source IPv6 Address",
	    "the same as src, of IPv6"),
	[CEF_DST6] = LABELLED("c6a3", 45, "Destination IPv6 Address",
	    "the same as dst, of IPv6"),
	[CEF_SUSER] = KEY("suser", 1023,
	    "userPrincipalName, else accountName, of a userEvidence, else of a process; else a "
	    "mail's sender"),
	[CEF_SNTDOM] = KEY("sntdom", 255,
	    "domainName of the same user"),
	[CEF_SUID] = KEY("suid", 1023,
	    "userSid of the same user"),
	[CEF_DUSER] = KEY("duser", 1023,
	    "a mail's recipientEmailAddress, else a mailbox's address"),
	[CEF_SPID] = KEY("spid", NUMBER_MAX,
	    "processId"),
	[CEF_SPROC] = KEY("sproc", 1023,
	    "a process's filePath and fileName"),
	[CEF_FNAME] = KEY("fname", 1023,
	    "fileName"),
	[CEF_FSIZE] = KEY("fsize", NUMBER_MAX,
	    "fileSize"),
	[CEF_FILE_HASH] = KEY("fileHash", 255,
	    "sha1, else sha256; value of a fileHashEvidence"),
	[CEF_FILE_PATH] = KEY("filePath", 1023,
	    "filePath"),
	[CEF_REQUEST] = KEY("request", 1023,
	    "url"),
	[CEF_CLOUD_APP] = KEY("destinationServiceName", 1023,
	    "displayName of a cloud or OAuth application"),
	[CEF_EVIDENCE_COUNT] = LABELLED("cn2", NUMBER_MAX, "EvidenceCount",
	    "how many items evidence has"),
	[CEF_PRIORITY] = LABELLED("cn3", NUMBER_MAX, "PriorityScore",
	    "an incident's priorityScore"),
	[CEF_TAGS] = KEY("MicrosoftDefenderTags", 1023,
	    "an incident's customTags and systemTags"),
	[CEF_THREAT] = LABELLED("cs1", 4000, "ThreatName",
	    "threatDisplayName, else threatFamilyName"),
	[CEF_TECHNIQUES] = LABELLED("cs2", 4000, "MitreTechniques",
	    "mitreTechniques, with commas"),
	[CEF_CHANGED] = KEY("MicrosoftDefenderChanged", 255,
	    "what changed, with commas"),
	[CEF_ORIGIN] = KEY("MicrosoftDefenderOrigin", 63,
	    "backfill or replay"),
	[CEF_ACTOR] = KEY("MicrosoftDefenderActor", 255,
	    "actorDisplayName"),
	[CEF_INSTANCE] = KEY("msspdInstance", 255,
	    "instance of the configuration, where it has one: which msspd sent it"),
	[CEF_SHA256] = KEY("MicrosoftDefenderSha256", 255,
	    "sha256"),
	[CEF_ALERT_URL] = LABELLED("flexString1", 1023, "AlertUrl",
	    "the link into the customer's portal"),
	[CEF_COMMAND_LINE] = KEY("MicrosoftDefenderCommandLine", 4000,
	    "processCommandLine"),
	[CEF_MSG] = KEY("msg", 1023,
	    "description; of an incident else summary; of health what happened"),
	[CEF_REASON] = KEY("reason", 1023,
	    "recommendedActions; an incident's resolvingComment; of health what to do; what is "
	    "wrong with an unreadable alert"),
};
#undef KEY
#undef WHOLE
#undef LABELLED

/* A line that is too long gives up text in this order, each value down to VALUE_FLOOR … */
#define VALUE_FLOOR 64
static const enum cef_key shorten_order[] = { CEF_REASON, CEF_MSG, CEF_TAGS, CEF_TECHNIQUES,
	CEF_THREAT, CEF_VERDICT, CEF_STATUS, CEF_COMMAND_LINE };

/* … then the name, then whole keys, least useful first … */
#define NAME_FLOOR 128
static const enum cef_key drop_order[] = { CEF_REASON, CEF_TAGS, CEF_FACILITY,
	CEF_EVIDENCE_COUNT, CEF_INSTANCE, CEF_PRIORITY, CEF_DVCHOST, CEF_SOURCE_DNS_DOMAIN,
	CEF_CREATED, CEF_RESOLVED, CEF_START, CEF_END, CEF_FSIZE, CEF_SUID, CEF_SPID,
	CEF_CLOUD_APP, CEF_TECHNIQUES, CEF_ACTOR, CEF_THREAT, CEF_FILE_PATH, CEF_SPROC,
	CEF_SHA256, CEF_COMMAND_LINE, CEF_REQUEST, CEF_DEVICE_ID, CEF_FILE_HASH, CEF_FNAME,
	CEF_SERVICE, CEF_VERDICT, CEF_WAS, CEF_STATUS, CEF_ORIGIN, CEF_CHANGED,
	CEF_INCIDENT_TEXT, CEF_MERGED, CEF_DUSER, CEF_SNTDOM, CEF_DST6, CEF_SRC6, CEF_DST,
	CEF_SRC, CEF_MSG, CEF_INCIDENT, CEF_CAT, CEF_ALERT_URL, CEF_SUSER, CEF_SHOST };
/* … and, where that is not enough, the name, the customer and the class down to these (no rule of
 * Microsoft's has so long an id), and externalId (flexString2 has the same). What tells whose,
 * which, when and what is never dropped. */
#define NAME_LEAST     28
#define CUSTOMER_LEAST 32
#define CLASS_LEAST    64
_Static_assert(ARRAY_LEN(drop_order) == CEF_KEYS - 7, "each key but seven can be dropped");

/* How long each part may be. */
struct plan {
	size_t limit[CEF_KEYS]; /* 0: left out */
	size_t name, class;
};

/* How long each part came out. */
struct lengths {
	size_t value[CEF_KEYS];
	size_t name, class;
};

/* " called <title>", as far as there is one and limit allows. */
static void
write_called(struct buf *out, struct str title, bool is_plain, size_t limit)
{
	static const struct str called = STR(" called ");
	size_t start = out->n;

	buf_str(out, called);
	escape_header(out, title, limit - called.n, is_plain);
	if (out->n == start + called.n)
		buf_cut(out, start);
}

static void
write_name(struct buf *out, const struct cef_facts *f, bool is_plain, size_t limit)
{
	const struct record *r = f->ev->record;
	size_t start = out->n;

	escape_header(out, headline_title(r), limit, is_plain);
	if (out->n == start)
		buf_puts(out, headline_name(r));
	if (r->type == RECORD_UNREADABLE)
		write_called(out, r->unreadable.title, is_plain, limit - (out->n - start));
}

static void
write_severity(struct buf *out, const struct record *r)
{
	int severity = headline_severity(r);

	if (severity >= 0)
		buf_int(out, severity);
	else
		buf_puts(out, "Unknown");
}

static void
write_pair(struct buf *out, const struct key_style *k, struct str value, size_t limit, size_t *used)
{
	size_t start = out->n, begin;

	*used = 0;
	if (value.n == 0 || limit == 0)
		return;
	buf_str(out, k->before);
	begin = out->n;
	/* Far beyond the limit is never cut to within it. */
	escape_value(out, value, k->is_whole ? 8 * limit : limit);
	if (out->n == begin || out->n - begin > limit) {
		buf_cut(out, start);
		return;
	}
	*used = out->n - begin;
	buf_str(out, k->after);
}

static void
write_line(struct buf *out, const struct cef_facts *f, bool is_plain, const struct plan *plan,
    struct lengths *used)
{
	const struct record *r = f->ev->record;
	size_t start;

	buf_puts(out, "CEF:0|");
	buf_puts(out, headline_vendor(r));
	buf_byte(out, '|');
	buf_puts(out, headline_product(r));
	buf_puts(out, "|" MAPPING_VERSION "|");
	start = out->n;
	headline_class(out, r, f->value[CEF_CAT], plan->class);
	used->class = out->n - start;
	buf_byte(out, '|');
	start = out->n;
	write_name(out, f, is_plain, plan->name);
	used->name = out->n - start;
	buf_byte(out, '|');
	write_severity(out, r);
	/* The bar takes the place of the space before the first key, and there always is one. */
	start = out->n;
	for (size_t i = 0; i < CEF_KEYS; i++)
		write_pair(out, &styles[i], f->value[i], plan->limit[i], &used->value[i]);
	if (buf_ok(out) && out->n > start)
		out->p[start] = '|';
}

static void
drop(struct plan *plan, const struct lengths *used, enum cef_key key, size_t *over)
{
	const struct key_style *k = &styles[key];

	squeeze_out(&plan->limit[key], used->value[key], k->before.n + k->after.n, over);
}

/* Makes the line shorter by over bytes; false when it cannot be. */
static bool
plan_shorter(struct plan *plan, const struct lengths *used, size_t over)
{
	for (size_t i = 0; i < ARRAY_LEN(shorten_order); i++) {
		enum cef_key key = shorten_order[i];

		squeeze_part(&plan->limit[key], used->value[key], VALUE_FLOOR, &over);
	}
	squeeze_part(&plan->name, used->name, NAME_FLOOR, &over);
	for (size_t i = 0; i < ARRAY_LEN(drop_order); i++)
		drop(plan, used, drop_order[i], &over);
	squeeze_part(&plan->name, used->name < plan->name ? used->name : plan->name, NAME_LEAST,
	    &over);
	squeeze_part(&plan->limit[CEF_CUSTOMER], used->value[CEF_CUSTOMER], CUSTOMER_LEAST, &over);
	drop(plan, used, CEF_EXTERNAL_ID, &over);
	squeeze_part(&plan->class, used->class, CLASS_LEAST, &over);
	return over == 0;
}

/* Beside out, which may have no room for a key that is begun and then left out. */
static bool
write_shorter(
    struct buf *out, const struct cef_facts *f, const struct format_opts *opts, struct plan *plan)
{
	struct buf line = BUF_INIT(1 << 20); /* more than all limits together */
	struct lengths used;
	bool fits = true;

	write_line(&line, f, opts->cef_plain_header, plan, &used);
	if (line.n > opts->max_bytes) {
		fits = plan_shorter(plan, &used, line.n - opts->max_bytes);
		buf_clear(&line);
		write_line(&line, f, opts->cef_plain_header, plan, &used);
	}
	fits = fits && line.n <= out->max - out->n;
	if (fits)
		buf_str(out, buf_peek(&line));
	buf_release(&line);
	return fits;
}

static bool
write_cef(struct buf *out, const struct event *ev, const struct format_opts *opts)
{
	struct plan plan = { .name = NAME_MAX_BYTES, .class = CLASS_MAX_BYTES };
	struct lengths used;
	struct cef_facts f;
	size_t start = out->n;

	if (!buf_ok(out))
		return false;
	cef_gather(&f, ev);
	for (size_t i = 0; i < CEF_KEYS; i++)
		plan.limit[i] = styles[i].limit;
	write_line(out, &f, opts->cef_plain_header, &plan, &used);
	if (buf_ok(out) && out->n - start <= opts->max_bytes)
		return true;
	buf_cut(out, start);
	out->failed = false;
	return write_shorter(out, &f, opts, &plan);
}

static void
describe(struct buf *out)
{
	buf_puts(out, "\n| key | label | at most | what is there |\n|---|---|---|---|\n");
	for (size_t i = 0; i < CEF_KEYS; i++) {
		const struct key_style *k = &styles[i];

		buf_printf(out, "| `%.*s` | %s | %zu | %s |\n", (int)k->before.n - 2,
		    k->before.s + 1, k->label != NULL ? k->label : "", k->limit, k->from);
	}
}

const struct format format_cef = {
	.name = "cef",
	.help = "ArcSight Common Event Format, CEF:0",
	.version = "0",
	.content_type = "text/plain",
	.write = write_cef,
	.describe = describe,
};
