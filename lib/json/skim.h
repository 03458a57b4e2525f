/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SKIM_H
#define SKIM_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * skim: the outermost members of an object at a glance, whatever else is wrong
 * with it.
 *
 * It takes every string in the outermost brackets that a colon follows for a
 * name, and checks nothing: what is inside of other brackets is passed over by
 * counting. For JSON text it finds exactly the object's members; for text that
 * is broken, what is there still. It is several times faster than reading.
 */
struct skim {
	const char *p, *end;
};

/* The value of a string is all of it, quotes included; of anything else its first byte. */
struct skim_member {
	struct str name;  /* between its quotes, escapes as they are */
	struct str value; /* absent at the end of the text */
};

void skim_init(struct skim *s, struct str text);
bool skim_next(struct skim *s, struct skim_member *m);

#endif
