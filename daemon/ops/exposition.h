/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include "lib/base/buf.h"
#include "lib/base/histogram.h"

/*
 * exposition: metrics as Prometheus reads them (text format 0.0.4).
 *
 * It knows nothing of what is measured. Label values may be any bytes: they are
 * escaped, and what is not UTF-8 is replaced, so that no name breaks a line or a
 * scrape. Numbers are whole, or thousandths that are written as such. Pure.
 */
#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_type { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };
extern const char *const exposition_types[];

/* The lines before a metric's samples. help: one line. */
void exposition_head(
    struct buf *b, const char *name, enum exposition_type type, const char *help);

/* Adds a label to those in b, which begins empty. */
void exposition_label(struct buf *b, const char *name, const char *value);

/* labels: made by exposition_label(), may be empty. */
void exposition_number(struct buf *b, const char *name, struct str labels, int64_t value);
/* value: of thousandths; a thousand is written as 1. */
void exposition_thousandths(struct buf *b, const char *name, struct str labels, int64_t value);
/* All lines of one, in seconds. */
void exposition_histogram(
    struct buf *b, const char *name, struct str labels, const struct histogram *h);

#endif
