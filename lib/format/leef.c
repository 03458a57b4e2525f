/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/cef_facts.h"
#include "lib/format/escape.h"
#include "lib/format/format.h"
#include "lib/format/headline.h"
#include "lib/format/squeeze.h"

/*
 * LEEF:2.0 as IBM's "Log Event Extended Format" guide has it. The format knows no
 * escapes: pairs are parted by a tab, which the header names, and a tab or a line end in a
 * value is a space. What an event has to say is what it has to say in CEF.
 */
#define MAPPING_VERSION     "1.0" /* the header's version: which key means what */
#define CLASS_MAX_BYTES     255
#define TITLE_MAX_BYTES     512
#define SEVERITY_UNKNOWN_AS 5 /* sev is 1 to 10, and is never missing */

enum leef_flags {
	LEEF_KEEP = 1, /* never left out: whose, which, when, what */
	LEEF_LONG = 2, /* gives up text first */
};

/* In their order in the line. What is too long loses keys from the end on. */
struct leef_key {
	const char *name;
	enum cef_key fact;
	size_t limit;
	unsigned flags;
	const char *from; /* for the manual */
};

static const struct leef_key keys[] = {
	{ "devTime", CEF_RT, 20, LEEF_KEEP, "the event's time, in ms since 1970 (see CEF's rt)" },
	{ "cat", CEF_CAT, 255, LEEF_KEEP, "category, else the first of categories" },
	{ "act", CEF_ACT, 63, LEEF_KEEP, "what happened: new, escalated, updated, resolved, …" },
	{ "alertId", CEF_ALERT_ID, 1023, LEEF_KEEP, "id" },
	{ "tenantId", CEF_TENANT_ID, 64, LEEF_KEEP, "the tenant's ID" },
	{ "customer", CEF_CUSTOMER, 1023, LEEF_KEEP, "the customer's name" },
	{ "eventId", CEF_EVENT_ID, 2000, LEEF_KEEP, "the event's id, to drop repeats by" },
	{ "identHostName", CEF_SHOST, 255, 0, "deviceDnsName, else hostName" },
	{ "usrName", CEF_SUSER, 255, 0, "userPrincipalName, else accountName; a mail's sender" },
	{ "src", CEF_SRC, 45, 0, "the device's address; without a device that of ipEvidence" },
	{ "src", CEF_SRC6, 45, 0, NULL },
	{ "dst", CEF_DST, 45, 0, "ipAddress of ipEvidence, where there is a device" },
	{ "dst", CEF_DST6, 45, 0, NULL },
	{ "alertUrl", CEF_ALERT_URL, 1023, 0, "the link into the customer's portal" },
	{ "incidentId", CEF_INCIDENT, 255, 0, "incidentId" },
	{ "incidentId", CEF_INCIDENT_TEXT, 255, 0, NULL },
	{ "mergedInto", CEF_MERGED, 255, 0, "an incident's redirectIncidentId" },
	{ "status", CEF_STATUS, 1023, 0, "status" },
	{ "was", CEF_WAS, 255, 0, "of health: the state before" },
	{ "verdict", CEF_VERDICT, 1023, 0, "classification/determination" },
	{ "changed", CEF_CHANGED, 255, 0, "what changed, as a list" },
	{ "origin", CEF_ORIGIN, 63, 0, "backfill or replay" },
	{ "instance", CEF_INSTANCE, 255, 0, "instance of the configuration: which msspd sent it" },
	{ "recipient", CEF_DUSER, 255, 0, "recipientEmailAddress, else a mailbox's address" },
	{ "domain", CEF_SNTDOM, 255, 0, "domainName of the user" },
	{ "userId", CEF_SUID, 255, 0, "userSid" },
	{ "deviceId", CEF_DEVICE_ID, 255, 0, "mdeDeviceId" },
	{ "hostDomain", CEF_SOURCE_DNS_DOMAIN, 255, 0, "dnsDomain" },
	{ "fileName", CEF_FNAME, 1023, 0, "fileName" },
	{ "fileHash", CEF_FILE_HASH, 255, 0, "sha1, else sha256; a fileHashEvidence's value" },
	{ "sha256", CEF_SHA256, 255, 0, "sha256" },
	{ "filePath", CEF_FILE_PATH, 1023, 0, "filePath" },
	{ "fileSize", CEF_FSIZE, 20, 0, "fileSize" },
	{ "url", CEF_REQUEST, 1023, 0, "url" },
	{ "resource", CEF_CLOUD_APP, 1023, 0, "a cloud or OAuth application's displayName" },
	{ "process", CEF_SPROC, 1023, 0, "a process's filePath and fileName" },
	{ "pid", CEF_SPID, 20, 0, "processId" },
	{ "threatName", CEF_THREAT, 1023, 0, "threatDisplayName, else threatFamilyName" },
	{ "actor", CEF_ACTOR, 255, 0, "actorDisplayName" },
	{ "service", CEF_SERVICE, 255, 0, "serviceSource" },
	{ "detectionSource", CEF_FACILITY, 255, 0, "detectionSource" },
	{ "priorityScore", CEF_PRIORITY, 20, 0, "an incident's priorityScore" },
	{ "evidenceCount", CEF_EVIDENCE_COUNT, 20, 0, "how many items evidence has" },
	{ "startTime", CEF_START, 20, 0, "firstActivityDateTime, in ms; of health: since when" },
	{ "endTime", CEF_END, 20, 0, "lastActivityDateTime, in ms" },
	{ "createdTime", CEF_CREATED, 20, 0, "createdDateTime, in ms" },
	{ "resolvedTime", CEF_RESOLVED, 20, 0, "resolvedDateTime, in ms" },
	{ "mitreTechniques", CEF_TECHNIQUES, 1023, LEEF_LONG, "mitreTechniques, as a list" },
	{ "tags", CEF_TAGS, 1023, LEEF_LONG, "an incident's customTags and systemTags" },
	{ "commandLine", CEF_COMMAND_LINE, 4000, LEEF_LONG, "processCommandLine" },
	{ "description", CEF_MSG, 1023, LEEF_LONG, "description" },
	{ "recommendedActions", CEF_REASON, 1023, LEEF_LONG, "recommendedActions" },
};
#define NKEYS ARRAY_LEN(keys)

/* What parts are shortened to, at the least. */
#define LONG_LEAST     64
#define TITLE_LEAST    32
#define CUSTOMER_LEAST 32

/* How long each value may be (0: left out), and how long it came out. */
struct plan {
	size_t limit[NKEYS], used[NKEYS];
	size_t title_limit, title_used;
};

static void
write_title(struct buf *out, const struct record *r, struct plan *plan)
{
	size_t start;

	buf_puts(out, "title=");
	start = out->n;
	escape_plain(out, headline_title(r), plan->title_limit);
	if (out->n == start && r->type == RECORD_UNREADABLE)
		escape_plain(out, r->unreadable.title, plan->title_limit);
	if (out->n == start)
		buf_puts(out, headline_name(r));
	plan->title_used = out->n - start;
}

/* Two facts may be one key: the second is for where the first is not there. */
static bool
is_spare(size_t i, const struct cef_facts *f)
{
	return i > 0 && strcmp(keys[i].name, keys[i - 1].name) == 0 &&
	       f->value[keys[i - 1].fact].n != 0;
}

static void
write_pair(struct buf *out, const struct cef_facts *f, size_t i, struct plan *plan)
{
	size_t start = out->n, begin;

	plan->used[i] = 0;
	if (plan->limit[i] == 0 || is_spare(i, f))
		return;
	buf_byte(out, '\t');
	buf_puts(out, keys[i].name);
	buf_byte(out, '=');
	begin = out->n;
	escape_plain(out, f->value[keys[i].fact], plan->limit[i]);
	plan->used[i] = out->n - begin;
	if (out->n == begin)
		buf_cut(out, start);
}

static void
write_line(struct buf *out, const struct cef_facts *f, struct plan *plan)
{
	const struct record *r = f->ev->record;
	int severity = headline_severity(r);

	buf_puts(out, "LEEF:2.0|");
	buf_puts(out, headline_vendor(r));
	buf_byte(out, '|');
	buf_puts(out, headline_product(r));
	buf_puts(out, "|" MAPPING_VERSION "|");
	headline_class(out, r, f->value[CEF_CAT], CLASS_MAX_BYTES);
	buf_puts(out, "|x09|");
	write_title(out, r, plan);
	buf_puts(out, "\tsev=");
	buf_int(out, severity < 0 ? SEVERITY_UNKNOWN_AS : severity == 0 ? 1 : severity);
	for (size_t i = 0; i < NKEYS; i++)
		write_pair(out, f, i, plan);
}

/* Makes the line shorter by over bytes; false when it cannot be. */
static bool
plan_shorter(struct plan *plan, size_t over)
{
	for (size_t i = NKEYS; i-- > 0;) {
		if (keys[i].flags & LEEF_LONG)
			squeeze_part(&plan->limit[i], plan->used[i], LONG_LEAST, &over);
	}
	for (size_t i = NKEYS; i-- > 0;) {
		if ((keys[i].flags & LEEF_KEEP) == 0)
			squeeze_out(&plan->limit[i], plan->used[i], strlen(keys[i].name) + 2,
			    &over);
	}
	squeeze_part(&plan->title_limit, plan->title_used, TITLE_LEAST, &over);
	for (size_t i = 0; i < NKEYS; i++) {
		if (keys[i].fact == CEF_CUSTOMER)
			squeeze_part(&plan->limit[i], plan->used[i], CUSTOMER_LEAST, &over);
	}
	return over == 0;
}

static bool
write_leef(struct buf *out, const struct event *ev, const struct format_opts *opts)
{
	struct plan plan = { .title_limit = TITLE_MAX_BYTES };
	struct buf line = BUF_INIT(1 << 20); /* more than all limits together */
	struct cef_facts f;
	bool fits = true;

	if (!buf_ok(out))
		return false;
	cef_gather(&f, ev);
	for (size_t i = 0; i < NKEYS; i++)
		plan.limit[i] = keys[i].limit;
	write_line(&line, &f, &plan);
	if (line.n > opts->max_bytes) {
		fits = plan_shorter(&plan, line.n - opts->max_bytes);
		buf_clear(&line);
		write_line(&line, &f, &plan);
	}
	fits = fits && buf_ok(&line) && line.n <= out->max - out->n;
	if (fits)
		buf_str(out, buf_peek(&line));
	buf_release(&line);
	return fits;
}

static void
describe(struct buf *out)
{
	buf_puts(out,
	    "\n| key | what is there |\n|---|---|\n"
	    "| `title` | title; of an incident displayName |\n"
	    "| `sev` | severity: informational 1, low 3, medium 6, high 8, unknown 5 |\n");
	for (size_t i = 0; i < NKEYS; i++) {
		if (keys[i].from != NULL)
			buf_printf(out, "| `%s` | %s |\n", keys[i].name, keys[i].from);
	}
}

const struct format format_leef = {
	.name = "leef",
	.help = "IBM's Log Event Extended Format, LEEF:2.0",
	.version = "2.0",
	.content_type = "text/plain",
	.write = write_leef,
	.describe = describe,
};
