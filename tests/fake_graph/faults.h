/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_FAULTS_H
#define FAKE_GRAPH_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/str.h"
#include "tests/fake_graph/rng.h"

/*
 * faults: which request goes wrong, and how.
 *
 * A fault is said as TENANT:KIND[=ARG][:for=N|:from=S,to=S|:share=P], see
 * faults_help(). It knows the kinds and when they apply; what they do is the
 * server's affair.
 */
enum fault_effect {
	/* of the token endpoint */
	FX_TOKEN_ERROR,
	FX_NO_ROLES,
	FX_MORE_ROLES,
	FX_FOREIGN_TID,
	/* instead of the answer */
	FX_STATUS,
	FX_CHALLENGE,
	FX_NO_LICENCE,
	FX_PARTIAL,
	FX_HTML,
	FX_ECHO,
	FX_GARBAGE,
	FX_NOT_JSON_VALUE,
	FX_HUGE,
	FX_BOMB,
	FX_REDIRECT,
	FX_HANG,
	FX_RESET,
	/* the answer, said badly */
	FX_CUT,
	FX_SLOW,
	FX_CLOCK,
	/* the page, changed */
	FX_FOREIGN_NEXT,
	FX_SAME_NEXT,
	FX_EMPTY_NEXT,
	FX_WRONG_TENANT,
	FX_FOREIGN_ALERT,
	FX_NULL_TENANT,
	FX_FAT,
	FX_BORDER,
	/* beside others */
	FX_LATENCY,
};

enum fault_scope { FAULT_TOKEN, FAULT_GRAPH };

struct fault {
	unsigned refs; /* the list's, and one for each plan */
	char *spec;    /* as it was said */
	unsigned id;
	unsigned first, last; /* tenants, by index */
	enum fault_scope scope;
	enum fault_effect effect;
	int status;             /* FX_STATUS; of FX_TOKEN_ERROR the AADSTS code */
	char *arg;              /* or NULL */
	uint64_t left;          /* requests; UINT64_MAX: no end */
	int64_t from_ms, to_ms; /* since the start of the server */
	unsigned share;         /* percent of the requests */
	uint64_t hits;
};

struct faults {
	struct fault **v;
	size_t n;
	unsigned last_id;
	struct rng rng;
};

#define MAX_BENDS 8

/* What happens to one request; its faults live as long as it, also when they are removed. */
struct fault_plan {
	int64_t latency_ms;
	struct fault *answer;           /* or NULL */
	struct fault *bends[MAX_BENDS]; /* of the page, or how it is said */
	size_t nbends;
	bool has_no_roles, has_more_roles, has_foreign_tid;
};

void faults_init(struct faults *f, uint64_t seed);
void faults_release(struct faults *f);
/* tenants are looked up by resolve, which returns an index or 0. */
bool faults_add(struct faults *f, const char *spec, unsigned (*resolve)(struct str, void *),
    void *arg, struct err *err) MUST_CHECK;
/* All with this spec; NULL: all. Returns how many. */
size_t faults_remove(struct faults *f, const char *spec);
/* Decides, and counts the request against the faults it chooses. */
void faults_plan(struct faults *f, unsigned tenant, enum fault_scope scope, int64_t since_start_ms,
    struct fault_plan *plan);
void plan_release(struct fault_plan *plan);
/* The fault's argument as a number, def without one. */
long long fault_number(const struct fault *f, long long def);
const struct fault *plan_bend(const struct fault_plan *plan, enum fault_effect effect);
/* Seconds that the server's clock is ahead. */
long long plan_clock_ahead(const struct fault_plan *plan);
void faults_help(void);

#endif
