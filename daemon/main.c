/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "daemon/clock.h"
#include "daemon/leavers.h"
#include "daemon/logging.h"
#include "daemon/ops/metrics.h"
#include "daemon/options.h"
#include "daemon/secret.h"
#include "daemon/service.h"
#include "daemon/settings.h"
#include "daemon/wiping.h"
#include "lib/base/log.h"
#include "lib/format/manual.h"

static void
on_libevent_log(int severity, const char *msg)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn(NULL, "libevent: %s", msg);
}

/*
 * Large pieces of memory go back when they are let go; of those that are worth keeping we keep
 * so many ourselves (lib/base/spares.h). Left alone, malloc() would put them between the small
 * ones as soon as some were freed, and hold a tenth more than is needed.
 */
static void
tune_malloc(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

struct tally {
	size_t errors, warnings;
};

static void
on_problem(void *arg, bool is_error, const char *line)
{
	struct tally *t = arg;

	if (is_error)
		t->errors++;
	else
		t->warnings++;
	fprintf(stderr, "%s%s\n", is_error ? "" : "warning: ", line);
}

/* -n: every error and warning of the file itself is on standard error by now. */
static int
say_checked(const struct settings *s, const char *file, struct tally *t)
{
	if (s == NULL) {
		fprintf(stderr, "%s: %zu error%s\n", file, t->errors, t->errors == 1 ? "" : "s");
		return EX_CONFIG;
	}
	leavers_check(s, on_problem, t);
	printf("%s: good: %zu tenant%s, %zu sink%s, %zu warning%s\n", file, s->ntenants,
	    s->ntenants == 1 ? "" : "s", s->nsinks, s->nsinks == 1 ? "" : "s", t->warnings,
	    t->warnings == 1 ? "" : "s");
	return EX_OK;
}

/* What is made from the program's tables; no configuration is read for it. */
static bool
prints_a_manual(const struct options *o)
{
	struct buf page = BUF_INIT(1 << 20);

	if (o->mode == RUN_LIST) {
		settings_print_options(stdout);
	} else if (o->mode == RUN_MANUAL) {
		settings_print_manual(stdout);
	} else if (o->mode == RUN_FORMATS) {
		formats_manual(&page);
	} else if (o->mode == RUN_METRICS) {
		metrics_manual(&page);
	} else {
		return false;
	}
	fputs(buf_peek(&page).s, stdout);
	buf_release(&page);
	return true;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct tally tally = { 0 };
	struct logging *logging;
	struct settings *s;
	int status;

	if (!options_parse(&o, argc, argv, &status))
		return status;
	if (prints_a_manual(&o))
		return EX_OK;
	tune_malloc();
	secret_forbid_cores();
	wiping_begin();
	umask(0077);
	if (o.is_of_unit)
		secret_find_credentials(o.file);
	logging = logging_start(&clock_system);
	event_set_log_callback(on_libevent_log);
	s = settings_load(o.file, true, on_problem, &tally);
	if (s == NULL || o.mode == RUN_CHECK)
		status = say_checked(s, o.file, &tally);
	else
		status = service_run(&o, s, logging);
	settings_unref(s);
	logging_stop(logging);
	return status;
}
