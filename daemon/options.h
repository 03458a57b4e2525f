/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * options: the command line of msspd. It knows nothing of what is then done.
 */
enum run_mode {
	RUN_DAEMON,
	RUN_CHECK,   /* -n */
	RUN_LIST,    /* -L */
	RUN_MANUAL,  /* --print-manual: the configuration reference, for docs/ */
	RUN_FORMATS, /* --print-formats: the formats, likewise */
	RUN_METRICS, /* --print-metrics: likewise */
	RUN_ONCE,    /* --once */
	RUN_DRY,     /* --dry-run */
};

struct options {
	enum run_mode mode;
	const char *file;
	bool is_of_unit;    /* the unit's file is looked at by hand: it stands for what the unit would do */
	int64_t timeout_ms; /* --timeout; 0: none */
	bool is_verbose;    /* -v: log_level debug, whatever the file says */
};

/* False: the program shall exit at once with *status (after --help, --version, or bad usage). */
bool options_parse(struct options *o, int argc, char **argv, int *status);

#endif
