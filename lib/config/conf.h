/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/config/option.h"
#include "lib/config/problems.h"
#include "lib/config/yaml.h"

/*
 * conf: fills structs from a configuration's tree by option tables, and writes
 * the tables down as text.
 *
 * It knows nothing of what any option means. Promises: it finds everything that
 * is wrong, not the first thing only; defaults are read as if the user had
 * written them; what it stores lives in the arena.
 */
struct conf {
	struct arena *arena;
	struct problems *problems;
	/* Called for each name of a SECRET; NULL: any name is fine. */
	bool (*check_secret)(const char *name, struct err *err);
};

/* A mapping may be shared by several tables, each filling a struct of its own. */
struct conf_part {
	const struct conf_opt *table;
	void *out;
};

/*
 * map: the mapping; NULL: only the defaults. What is wrong is added to
 * c->problems; returns false when that were errors.
 */
bool conf_fill(
    const struct conf *c, const struct node *map, const struct conf_part *parts, size_t nparts);
/* The same for one table. */
bool conf_fill_one(
    const struct conf *c, const struct node *map, const struct conf_opt *table, void *out);

/* Adds an error at the value n, or a warning at its key, with its path. */
void conf_error(const struct conf *c, const struct node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void conf_warn(const struct conf *c, const struct node *n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* At the mapping's key: the thing as a whole, or what it lacks (name; NULL: nothing). */
void conf_error_key(const struct conf *c, const struct node *map, const char *name, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/*
 * Canonical text of a filled struct, a line an option: equal text, equal values.
 * Secrets by name only; TREEs are left out.
 */
void conf_write(struct buf *b, const struct conf_opt *table, const void *from);
/* Names the options with CONF_FIXED whose values differ, dotted below prefix. */
void conf_fixed_changes(const struct conf_opt *table, const void *was, const void *now,
    const char *prefix, void (*changed)(void *arg, const char *name), void *arg);

/* Judges the text of an option (its `check`): a path that begins with /. */
bool conf_check_absolute(const char *text, struct err *err) MUST_CHECK;

/* A value of an INT, TIME or SIZE as people write it: 5, 90s, 8GiB. */
void conf_put_number(struct buf *b, enum conf_type type, int64_t n);

/* One line an option with its help below, each name behind prefix: for -L. */
void conf_print_list(FILE *out, const char *prefix, const struct conf_opt *table);
/* The rows of the manual's table (Markdown). */
void conf_print_manual(FILE *out, const struct conf_opt *table);

#endif
