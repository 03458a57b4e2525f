/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROBLEMS_H
#define PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/arena.h"

/*
 * problems: everything that is wrong with a configuration, gathered, so that
 * one run shows all of it in the order in which a person reads the files.
 *
 * It knows nothing of YAML or of options. Promises: each problem is one line of
 * printable UTF-8, "file:line:column: path: what is wrong; what would be
 * right"; past PROBLEMS_MAX they are counted, not kept.
 */
#define PROBLEMS_MAX 200

struct place {
	const char *file;
	unsigned order;        /* of the file among those read: the key for sorting */
	unsigned line, column; /* from 1; line 0: the file as a whole */
};

struct problem;

struct problems {
	struct problem *v;
	size_t n, room;
	size_t errors, lost; /* lost: those past the limit */
	struct arena arena;
};

void problems_init(struct problems *p);
void problems_release(struct problems *p);

/* path: "sinks.siem.tls", "" where there is none. The texts are copied. */
void problems_error(struct problems *p, const struct place *at, const char *path, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
void problems_warn(struct problems *p, const struct place *at, const char *path, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/* Takes one line, without its end. */
typedef void problems_cb(void *arg, bool is_error, const char *line);
/* Every problem, sorted by place. */
void problems_report(struct problems *p, problems_cb *cb, void *arg);

#endif
