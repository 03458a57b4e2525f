#include "lib/format/cef_facts.h"
#include "lib/format/escape.h"
#include "lib/format/format.h"
#include "lib/format/product.h"

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
};

/* clang-format off */
#define KEY(k, max)             { STR(" " k "="), { NULL, 0 }, max, false }
#define WHOLE(k, max)           { STR(" " k "="), { NULL, 0 }, max, true }
#define LABELLED(k, max, label) { STR(" " k "="), STR(" " k "Label=" label), max, false }
/* clang-format on */
#define NUMBER_MAX 20
static const struct key_style styles[CEF_KEYS] = {
	[CEF_RT] = KEY("rt", NUMBER_MAX),
	[CEF_ACT] = KEY("act", 63),
	[CEF_EXTERNAL_ID] = WHOLE("externalId", 40),
	[CEF_CAT] = KEY("cat", 1023),
	[CEF_TENANT_ID] = LABELLED("cs3", 4000, "TenantId"),
	[CEF_CUSTOMER] = LABELLED("cs4", 4000, "Customer"),
	[CEF_ALERT_ID] = LABELLED("flexString2", 1023, "AlertId"),
	[CEF_EVENT_ID] = KEY("MicrosoftDefenderEventId", 2000),
	[CEF_INCIDENT] = LABELLED("cn1", NUMBER_MAX, "IncidentId"),
	[CEF_INCIDENT_TEXT] = KEY("MicrosoftDefenderIncidentId", 255),
	[CEF_MERGED] = KEY("MicrosoftDefenderMergedInto", 255),
	[CEF_STATUS] = LABELLED("cs5", 4000, "Status"),
	[CEF_WAS] = KEY("msspdWas", 255),
	[CEF_VERDICT] = LABELLED("cs6", 4000, "Verdict"),
	[CEF_START] = KEY("start", NUMBER_MAX),
	[CEF_END] = KEY("end", NUMBER_MAX),
	[CEF_CREATED] = LABELLED("deviceCustomDate1", NUMBER_MAX, "Created"),
	[CEF_RESOLVED] = LABELLED("deviceCustomDate2", NUMBER_MAX, "Resolved"),
	[CEF_SERVICE] = KEY("sourceServiceName", 1023),
	[CEF_FACILITY] = KEY("deviceFacility", 1023),
	[CEF_SHOST] = KEY("shost", 1023),
	[CEF_SOURCE_DNS_DOMAIN] = KEY("sourceDnsDomain", 255),
	[CEF_DVCHOST] = WHOLE("dvchost", 100),
	[CEF_DEVICE_ID] = KEY("deviceExternalId", 255),
	[CEF_SRC] = KEY("src", 45),
	[CEF_DST] = KEY("dst", 45),
	[CEF_SRC6] = LABELLED("c6a2", 45, "Source IPv6 Address"),
	[CEF_DST6] = LABELLED("c6a3", 45, "Destination IPv6 Address"),
	[CEF_SUSER] = KEY("suser", 1023),
	[CEF_SNTDOM] = KEY("sntdom", 255),
	[CEF_SUID] = KEY("suid", 1023),
	[CEF_DUSER] = KEY("duser", 1023),
	[CEF_SPID] = KEY("spid", NUMBER_MAX),
	[CEF_SPROC] = KEY("sproc", 1023),
	[CEF_FNAME] = KEY("fname", 1023),
	[CEF_FSIZE] = KEY("fsize", NUMBER_MAX),
	[CEF_FILE_HASH] = KEY("fileHash", 255),
	[CEF_FILE_PATH] = KEY("filePath", 1023),
	[CEF_REQUEST] = KEY("request", 1023),
	[CEF_CLOUD_APP] = KEY("destinationServiceName", 1023),
	[CEF_EVIDENCE_COUNT] = LABELLED("cn2", NUMBER_MAX, "EvidenceCount"),
	[CEF_PRIORITY] = LABELLED("cn3", NUMBER_MAX, "PriorityScore"),
	[CEF_TAGS] = KEY("MicrosoftDefenderTags", 1023),
	[CEF_THREAT] = LABELLED("cs1", 4000, "ThreatName"),
	[CEF_TECHNIQUES] = LABELLED("cs2", 4000, "MitreTechniques"),
	[CEF_CHANGED] = KEY("MicrosoftDefenderChanged", 255),
	[CEF_ORIGIN] = KEY("MicrosoftDefenderOrigin", 63),
	[CEF_ACTOR] = KEY("MicrosoftDefenderActor", 255),
	[CEF_SHA256] = KEY("MicrosoftDefenderSha256", 255),
	[CEF_ALERT_URL] = LABELLED("flexString1", 1023, "AlertUrl"),
	[CEF_COMMAND_LINE] = KEY("MicrosoftDefenderCommandLine", 4000),
	[CEF_MSG] = KEY("msg", 1023),
	[CEF_REASON] = KEY("reason", 1023),
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
static const enum cef_key drop_order[] = { CEF_REASON, CEF_TAGS, CEF_FACILITY, CEF_EVIDENCE_COUNT,
	CEF_PRIORITY, CEF_DVCHOST, CEF_SOURCE_DNS_DOMAIN, CEF_CREATED, CEF_RESOLVED, CEF_START,
	CEF_END, CEF_FSIZE, CEF_SUID, CEF_SPID, CEF_CLOUD_APP, CEF_TECHNIQUES, CEF_ACTOR,
	CEF_THREAT, CEF_FILE_PATH, CEF_SPROC, CEF_SHA256, CEF_COMMAND_LINE, CEF_REQUEST,
	CEF_DEVICE_ID, CEF_FILE_HASH, CEF_FNAME, CEF_SERVICE, CEF_VERDICT, CEF_WAS, CEF_STATUS,
	CEF_ORIGIN, CEF_CHANGED, CEF_INCIDENT_TEXT, CEF_MERGED, CEF_DUSER, CEF_SNTDOM, CEF_DST6,
	CEF_SRC6, CEF_DST, CEF_SRC, CEF_MSG, CEF_INCIDENT, CEF_CAT, CEF_ALERT_URL, CEF_SUSER,
	CEF_SHOST };
/* … and, where that is not enough, the name and the customer down to these, and externalId
 * (flexString2 has the same). What tells whose, which, when and what is never dropped. */
#define NAME_LEAST     28
#define CUSTOMER_LEAST 32
_Static_assert(ARRAY_LEN(drop_order) == CEF_KEYS - 7, "each key but seven can be dropped");

/* How long each part may be. */
struct plan {
	size_t limit[CEF_KEYS]; /* 0: left out */
	size_t name;
};

/* How long each part came out. */
struct lengths {
	size_t value[CEF_KEYS];
	size_t name;
};

/* What the header says about each type of record, but for what an alert says itself. */
static const struct {
	const char *vendor, *product, *class_id, *name;
} headers[] = {
	[RECORD_ALERT] = { "Microsoft", "Microsoft Defender", "unknown",
	    "Microsoft Defender alert" },
	[RECORD_INCIDENT] = { "Microsoft", "Microsoft Defender XDR Incident", "incident",
	    "Microsoft Defender incident" },
	[RECORD_HEALTH] = { "msspd", "msspd", "health", "msspd health" },
	[RECORD_CANARY] = { "msspd", "msspd", "canary", "msspd canary" },
	[RECORD_UNREADABLE] = { "Microsoft", "Microsoft Defender", "unreadable",
	    "Unreadable alert" },
};

static const char *const severities[] = {
	[SEVERITY_UNKNOWN] = "Unknown",
	[SEVERITY_INFORMATIONAL] = "1",
	[SEVERITY_LOW] = "3",
	[SEVERITY_MEDIUM] = "6",
	[SEVERITY_HIGH] = "8",
	[SEVERITY_OTHER] = "Unknown",
};

static const char *const health_severities[] = {
	[HEALTH_WELL] = "2",
	[HEALTH_NOTICE] = "3",
	[HEALTH_PROBLEM] = "5",
	[HEALTH_ALARM] = "7",
};

static const char *
severity(const struct record *r)
{
	switch (r->type) {
	case RECORD_ALERT:
	case RECORD_INCIDENT:
		return severities[record_severity(r)];
	case RECORD_UNREADABLE:
		return "7";
	case RECORD_HEALTH:
		return health_severities[r->health.level];
	case RECORD_CANARY:
		return "0";
	}
	return "Unknown";
}

static const char *
product(const struct record *r)
{
	const char *name = r->type == RECORD_ALERT ? product_name(r->alert.service_source) : NULL;

	return name != NULL ? name : headers[r->type].product;
}

/* "health.consent-withdrawn" */
static void
write_state(struct buf *out, struct str state)
{
	for (size_t i = 0; i < state.n && i < CLASS_MAX_BYTES; i++) {
		char c = state.s[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (i == 0)
			buf_byte(out, '.');
		buf_byte(out, is_plain ? c : '-');
	}
}

static void
write_class(struct buf *out, const struct cef_facts *f)
{
	const struct record *r = f->ev->record;

	if (r->type == RECORD_ALERT && (escape_name(out, r->alert.detector_id, CLASS_MAX_BYTES) ||
					   escape_name(out, f->value[CEF_CAT], CLASS_MAX_BYTES)))
		return;
	buf_puts(out, headers[r->type].class_id);
	if (r->type == RECORD_HEALTH)
		write_state(out, r->health.state);
}

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

	if (r->type == RECORD_ALERT)
		escape_header(out, r->alert.title, limit, is_plain);
	else if (r->type == RECORD_INCIDENT)
		escape_header(out, r->incident.name, limit, is_plain);
	else if (r->type == RECORD_HEALTH)
		escape_header(out, r->health.summary, limit, is_plain);
	if (out->n == start)
		buf_puts(out, headers[r->type].name);
	if (r->type == RECORD_UNREADABLE)
		write_called(out, r->unreadable.title, is_plain, limit - (out->n - start));
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
	buf_puts(out, headers[r->type].vendor);
	buf_byte(out, '|');
	buf_puts(out, product(r));
	buf_puts(out, "|" MAPPING_VERSION "|");
	write_class(out, f);
	buf_byte(out, '|');
	start = out->n;
	write_name(out, f, is_plain, plan->name);
	used->name = out->n - start;
	buf_byte(out, '|');
	buf_puts(out, severity(r));
	/* The bar takes the place of the space before the first key, and there always is one. */
	start = out->n;
	for (size_t i = 0; i < CEF_KEYS; i++)
		write_pair(out, &styles[i], f->value[i], plan->limit[i], &used->value[i]);
	if (buf_ok(out) && out->n > start)
		out->p[start] = '|';
}

/* Takes up to *over bytes from a part that is `used` long, but leaves it `least`. */
static void
shorten(size_t *limit, size_t used, size_t least, size_t *over)
{
	size_t give = used > least ? used - least : 0;

	if (give > *over)
		give = *over;
	if (give > 0)
		*limit = used - give;
	*over -= give;
}

static void
drop(struct plan *plan, const struct lengths *used, enum cef_key key, size_t *over)
{
	const struct key_style *k = &styles[key];
	size_t now = used->value[key] < plan->limit[key] ? used->value[key] : plan->limit[key];
	size_t gain = k->before.n + now + k->after.n;

	if (*over == 0 || used->value[key] == 0)
		return;
	plan->limit[key] = 0;
	*over -= gain < *over ? gain : *over;
}

/* Makes the line shorter by over bytes; false when it cannot be. */
static bool
plan_shorter(struct plan *plan, const struct lengths *used, size_t over)
{
	for (size_t i = 0; i < ARRAY_LEN(shorten_order); i++) {
		enum cef_key key = shorten_order[i];

		shorten(&plan->limit[key], used->value[key], VALUE_FLOOR, &over);
	}
	shorten(&plan->name, used->name, NAME_FLOOR, &over);
	for (size_t i = 0; i < ARRAY_LEN(drop_order); i++)
		drop(plan, used, drop_order[i], &over);
	shorten(&plan->name, used->name < plan->name ? used->name : plan->name, NAME_LEAST, &over);
	shorten(&plan->limit[CEF_CUSTOMER], used->value[CEF_CUSTOMER], CUSTOMER_LEAST, &over);
	drop(plan, used, CEF_EXTERNAL_ID, &over);
	return over == 0;
}

static void
undo(struct buf *out, size_t start)
{
	buf_cut(out, start);
	out->failed = false;
}

/* How long the line is that out has no room for. */
static size_t
measure(const struct cef_facts *f, bool is_plain, const struct plan *plan, struct lengths *used)
{
	struct buf all = BUF_INIT(1 << 20); /* more than all limits together */
	size_t n;

	write_line(&all, f, is_plain, plan, used);
	n = all.n;
	buf_release(&all);
	return n;
}

static bool
write_cef(struct buf *out, const struct event *ev, const struct format_opts *opts)
{
	struct plan plan = { .name = NAME_MAX_BYTES };
	struct lengths used;
	struct cef_facts f;
	size_t start = out->n, n;

	if (!buf_ok(out))
		return false;
	cef_gather(&f, ev);
	for (size_t i = 0; i < CEF_KEYS; i++)
		plan.limit[i] = styles[i].limit;
	write_line(out, &f, opts->cef_plain_header, &plan, &used);
	n = out->n - start;
	if (buf_ok(out) && n <= opts->max_bytes)
		return true;
	if (!buf_ok(out)) {
		undo(out, start);
		n = measure(&f, opts->cef_plain_header, &plan, &used);
	}
	undo(out, start);
	if (n > opts->max_bytes && !plan_shorter(&plan, &used, n - opts->max_bytes))
		return false;
	write_line(out, &f, opts->cef_plain_header, &plan, &used);
	if (buf_ok(out))
		return true;
	undo(out, start);
	return false;
}

const struct format format_cef = {
	.name = "cef",
	.help = "ArcSight Common Event Format, CEF:0",
	.write = write_cef,
};
