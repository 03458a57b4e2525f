/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "daemon/msspctl/act.h"
#include "daemon/msspctl/call.h"
#include "daemon/msspctl/each.h"
#include "daemon/msspctl/fields.h"

static int
done(void)
{
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

int
do_reload(const struct args *a)
{
	int status = EX_OK;
	json_t *result = call(a->socket, json_pack("{s:s}", "verb", "reload"), &status);

	if (result == NULL)
		return status;
	json_decref(result);
	puts("the configuration was read anew");
	return done();
}

static int
poll_one(const struct args *a, const char *tenant, const void *unused)
{
	int status = EX_OK;
	json_t *result = call(a->socket, json_pack("{s:s, s:s*}", "verb", "poll", "tenant", tenant), &status);

	(void)unused;
	if (result == NULL)
		return status;
	printf("%s: read as soon as %s allow, streams: %" PRId64 "\n",
	    tenant != NULL ? tenant : "all tenants",
	    tenant != NULL ? "its budget and its API" : "their budgets and APIs", get_int(result, "streams"));
	json_decref(result);
	return done();
}

int
do_poll(const struct args *a)
{
	return a->wants_all ? poll_one(a, NULL, NULL) : for_each_name(a, poll_one, NULL);
}

/* kind: "tenant" or "sink". */
struct holding {
	const char *verb, *kind, *said;
};

static int
hold_one(const struct args *a, const char *name, const void *how)
{
	const struct holding *h = how;
	int status = EX_OK;
	json_t *result = call(a->socket, json_pack("{s:s, s:s}", "verb", h->verb, h->kind, name), &status);

	if (result == NULL)
		return status;
	json_decref(result);
	printf("%s %s: %s\n", h->kind, name, h->said);
	return done();
}

static int
hold(const struct args *a, const char *verb, const char *kind, const char *said)
{
	return for_each_name(a, hold_one, &(struct holding){ verb, kind, said });
}

int
do_pause_tenant(const struct args *a)
{
	return hold(a, "pause", "tenant", "not read, until it is resumed or msspd starts again");
}

int
do_pause_sink(const struct args *a)
{
	return hold(a, "pause", "sink", "given nothing, until it is resumed or msspd starts again");
}

int
do_resume_tenant(const struct args *a)
{
	return hold(a, "resume", "tenant", "read again");
}

int
do_resume_sink(const struct args *a)
{
	return hold(a, "resume", "sink", "given what waits for it");
}

static int
wants_one(const char *what)
{
	fprintf(stderr, "msspctl: that command wants %s\n", what);
	return EX_USAGE;
}

int
do_log_level(const struct args *a)
{
	int status = EX_OK;
	json_t *result;

	if (a->nnames != 1)
		return wants_one("one of error, warn, info, debug");
	result = call(a->socket, json_pack("{s:s, s:s}", "verb", "log-level", "level", a->names[0]),
	    &status);
	if (result == NULL)
		return status;
	printf("log level %s, until the configuration is read anew\n", get_text(result, "level"));
	json_decref(result);
	return done();
}

int
do_sink_forget(const struct args *a)
{
	int status = EX_OK;
	json_t *result;

	if (a->nnames != 1)
		return wants_one("the name of one sink");
	result = call(a->socket, json_pack("{s:s, s:s}", "verb", "sink-forget", "sink", a->names[0]),
	    &status);
	if (result == NULL)
		return status;
	printf("%s: what waited for it is let go\n", a->names[0]);
	json_decref(result);
	return done();
}
