/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOMENT_H
#define MOMENT_H

#include "lib/record/event.h"

/*
 * moment: the time a receiver should file an event under.
 *
 * A SIEM files by it: a resolution filed under the creation date weeks back would
 * be missed by every rule that looks at fresh events. So: new is when the alert
 * was created, resolved when it was resolved (else last updated), every other
 * kind when it was last updated. Where the alert does not say: created, then
 * when msspd took it in. Never a time before 1970.
 *
 * Pure.
 */
int64_t moment_of(const struct event *ev); /* ticks; 0 when nothing is known */

/* The moment as milliseconds since 1970; -1 when it is none, or before 1970. */
int64_t moment_ms(int64_t ticks);

#endif
