/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HEADLINE_H
#define HEADLINE_H

#include "lib/base/buf.h"
#include "lib/record/record.h"

/*
 * headline: what an event is in the few words of a header: who made it, its product, its
 * class, a name for people, how bad it is. The same in every format that has such a header.
 *
 * Receivers choose their log source by vendor and product: text from the network must
 * not make one up. Pure.
 */
const char *headline_vendor(const struct record *r);
const char *headline_product(const struct record *r);

/* The rule that made it, else its category, else a word: letters, digits, space . _ - only. */
void headline_class(struct buf *out, const struct record *r, struct str category, size_t limit);

/* What the record calls itself; absent where it does not. */
struct str headline_title(const struct record *r);
/* What it is called then. */
const char *headline_name(const struct record *r);

/* 0 to 10, as CEF counts; -1: not known. */
int headline_severity(const struct record *r);

#endif
