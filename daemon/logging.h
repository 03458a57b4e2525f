/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LOGGING_H
#define LOGGING_H

#include "lib/base/clock.h"

/*
 * logging: where log lines go, and in which form.
 *
 * As text on standard error; as structured entries to systemd's journal where
 * standard error is its stream; as one JSON object a line where that is asked for.
 * Warnings and errors that repeat are counted: how many were left out stands with
 * the next one that is written, or is told at the end.
 *
 * There is one, as there is one standard error; any thread may log meanwhile.
 */
enum logging_format {
	LOGGING_AUTO, /* the journal where it reads us, else text */
	LOGGING_TEXT,
	LOGGING_JSON,
};
struct logging;

/* The clock is kept. */
struct logging *logging_start(const struct clock *clock);
void logging_use(struct logging *l, enum logging_format format);
void logging_stop(struct logging *l); /* says what was left out; lines are plain text from then on */

#endif
