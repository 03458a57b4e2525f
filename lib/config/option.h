#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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
 *   CHOICE   int               index into choices
 *   LIST     struct conf_list  of strings; a scalar stands for a list of one
 *   MAP      a nested struct, described by sub
 *   SECRET   struct conf_list  of names of secret files (daemon/secret.h); never their contents
 */
enum conf_type { CONF_STR, CONF_INT, CONF_BOOL, CONF_TIME, CONF_SIZE, CONF_CHOICE, CONF_LIST,
	CONF_MAP, CONF_SECRET };

#define CONF_REQUIRED 0x1 /* no default: must be in the file */
#define CONF_FIXED    0x2 /* a change needs a restart, not a reload */

struct conf_list {
	char **v;
	size_t n;
};

struct conf_opt {
	const char *name;
	enum conf_type type;
	size_t off;
	int flags;
	const char *def;            /* parsed like the user's text; NULL: none */
	int64_t min, max;           /* INT, TIME (ms), SIZE; both 0: any */
	const char *const *choices; /* CHOICE: NULL-ended, in the order of the enum */
	const struct conf_opt *sub; /* MAP: its rows */
	const char *help;           /* a sentence or two */
};
/* Tables end with { .name = NULL }. */

#endif
