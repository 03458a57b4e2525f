/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPORT_PARTS_H
#define REPORT_PARTS_H

#include "daemon/report.h"

/*
 * report_parts: what the two files of report share: report.c, which has things counted, and
 * report_row.c, which makes a row of what was found. For nobody else.
 */
struct report_limits {
	int64_t read_to;         /* ticks: of the tenant all before was read; TICKS_NONE */
	int64_t remembered_from; /* what was last updated before may be forgotten */
	int64_t listed_from;     /* ticks: listing began; what was journalled later may have come later */
};

struct report_row *report_row_new(const struct tenant *t);
void report_row_free(struct report_row *row);
/* It is of that stream, too. */
void report_row_stream(struct report_row *row, const char *name);
/* row->begin is known. */
void report_row_sum(struct report_row *row, struct journal *j, const struct tenant *t,
    struct account *a, const struct report_limits *limits);

#endif
