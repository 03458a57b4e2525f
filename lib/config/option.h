/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"

/*
 * option: one row per option of the configuration. The row is the only place
 * that knows its name, type, default, range and meaning: reading, checking,
 * printing (-L) and the manual (docs/CONFIGURATION.md) are made from it.
 *
 * Values are stored into plain structs at `off`:
 *   STR      char *            (NULL when absent and without default)
 *   INT      int64_t
 *   BOOL     bool
 *   TIME     int64_t           milliseconds; written "10s", "5m", "1h", "7d", "250ms"
 *   SIZE     int64_t           bytes; written "64KiB", "8MiB", "2GiB", or a bare number
 *   DATE     int64_t           ticks (lib/base/ticks.h) at which that day begins in UTC; written
 *                              "2027-03-01"; 0 when absent
 *   CHOICE   int               index into choices
 *   LIST     struct conf_list  of strings; a scalar stands for a list of one
 *   MAP      a nested struct, described by sub; off of its rows counts from its own start
 *   SECRET   struct conf_list  of names of secret files (daemon/secret.h); never their contents
 *   CHOICES  unsigned          a list of choices as bits, 1 << index; 0: absent
 *   PAIRS    struct conf_pairs of free names, each with a text
 *   TREE     const struct node * for an owner that reads it by itself; sub (NULL: none) is for
 *                              printing. It ends with the file's tree, so only readers keep it.
 *
 * What is absent and has no default is left as it was: zero in a fresh struct,
 * or what an outer section says where the owner put that there before.
 * All text lives in the arena of the struct conf that read it (lib/config/conf.h).
 */
enum conf_type {
	CONF_STR,
	CONF_INT,
	CONF_BOOL,
	CONF_TIME,
	CONF_SIZE,
	CONF_DATE,
	CONF_CHOICE,
	CONF_LIST,
	CONF_MAP,
	CONF_SECRET,
	CONF_CHOICES,
	CONF_PAIRS,
	CONF_TREE,
};

#define CONF_REQUIRED 0x1 /* no default: must be in the file */
#define CONF_FIXED    0x2 /* a change needs a restart, not a reload */
#define CONF_LISTED   0x4 /* of a tree, for the manual: a list of what is below */

struct conf_list {
	char **v; /* not NULL once it was given, also when it is empty */
	size_t n;
};

struct conf_pair {
	char *key, *value;
};

struct conf_pairs {
	struct conf_pair *v;
	size_t n;
};

struct conf_opt {
	const char *name;
	enum conf_type type;
	size_t off;
	int flags;
	const char *def;            /* parsed like the user's text (LIST: words); NULL: none */
	int64_t min, max;           /* INT, TIME (ms), SIZE; LIST, SECRET: how many; both 0: any */
	const char *const *choices; /* CHOICE, CHOICES: NULL-ended, in the order of the enum */
	const struct conf_opt *sub; /* MAP: its rows; TREE: for printing */
	const char *help;           /* a sentence or two */
	/* STR, LIST, SECRET: judges each text. CHOICE: only a word that is not among the choices,
	 * to say why. What it says is reported with the place. NULL: anything goes. */
	bool (*check)(const char *text, struct err *err);
	/* PAIRS: judges each; what it says is reported at its value. NULL: anything goes. */
	bool (*check_pair)(const char *key, const char *value, struct err *err);
	const char *shown; /* the default in the manual, where something else fills it in */
};
/* Tables end with { .name = NULL }. */

#endif
