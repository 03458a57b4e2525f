/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_H
#define REPORT_H

#include "daemon/env.h"
#include "daemon/intake/intake.h"
#include "daemon/journal/account.h"
#include "daemon/settings.h"

/*
 * report: the proof that customers ask for: of each tenant, how many alerts Microsoft lists that
 * were created on a day, how many of them are in the journal, and what became of those at each sink.
 *
 * It knows nothing of who asks, of paging and of files. A few tenants are counted at a time; one that
 * cannot be read now is said by name and stops no other. One report is made at a time, and ends by
 * itself when nobody has looked at it for REPORT_IDLE_MS. The last REPORTS_KEPT are kept for
 * REPORT_KEEP_MS. Numbers of one process are not those of the one before it.
 *
 * Nothing blocks. Stopped while the intake and the journal are still there, freed after the journal
 * is closed: what it was asked comes back no more then.
 */
#define REPORT_IDLE_MS  60000
#define REPORT_STUCK_MS 600000 /* of a tenant: without a sign of life */
#define REPORT_KEEP_MS  600000 /* when it is over: since somebody looked at it */
#define REPORT_IDS      20     /* alerts named for each difference */
#define REPORTS_KEPT    4

/* So many, and some of them by their ids. */
struct report_count {
	uint64_t n;
	char *ids[REPORT_IDS];
	size_t nids;
};

struct report_sink {
	char *name;
	bool is_routed; /* the tenant's alerts go to it, as it is configured now */
	struct report_count fates[FATE_COUNT];
};

/* The alerts, or the incidents, of one tenant. */
struct report_row {
	char *tenant, *tenant_id, *customer, *customer_name;
	char *streams;                /* that were listed: "alerts, mde-alerts" */
	char *error;                  /* why it could not be counted; NULL */
	uint64_t listed;              /* by Microsoft, all but foreign ones */
	uint64_t unreadable, foreign; /* of all that came */
	uint64_t journalled;          /* of those listed */
	struct report_count missing;  /* of those listed: not in the journal, and no reason why; */
	struct report_count unread;   /* younger than what msspd has read of the tenant; */
	struct report_count before;   /* last updated before msspd knew the tenant; */
	struct report_count forgotten; /* before what msspd remembers */
	struct report_count extra;    /* in the journal, and Microsoft does not list them (any more) */
	struct report_sink *sinks;
	size_t nsinks;
	int64_t begin;                /* ticks: msspd knows the tenant since; TICKS_NONE */
	bool is_begun_late;           /* after the beginning of the day */
};
/* All that is listed is journalled, and what is journalled was accepted by all it is meant for. */
bool report_is_even(const struct report_row *row);

struct report_ask {
	int64_t from, to;      /* ticks */
	const char *tenant;    /* its name or GUID; NULL: any */
	const char *customer;  /* its name; NULL: any */
};

struct reports;
struct reports *reports_new(const struct engine_env *env, struct journal *j, struct intake *in);
/* Nothing is asked of the intake and the journal any more. */
void reports_stop(struct reports *r);
/* After the journal is closed. */
void reports_free(struct reports *r);

/* A number; 0: err says why not. */
uint64_t reports_begin(struct reports *r, const struct settings *s, const struct report_ask *ask,
    struct err *err);
bool reports_cancel(struct reports *r, uint64_t number);

struct report_view {
	int64_t from, to, now, remember_ms;
	size_t tenants, done;  /* how many there are, and how many of them are counted */
	uint64_t listed;       /* so far, of all */
	bool is_over, is_cancelled;
	const struct report_row *const *rows; /* in the order in which they were done */
	size_t nrows;
};
/* Valid until the loop runs again. False: there is none of that number any more. */
bool reports_see(struct reports *r, uint64_t number, struct report_view *out);

#endif
