/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PULSE_H
#define PULSE_H

struct event_base;
struct engine;

/*
 * pulse: shows the service manager that the loop runs, and in one line how msspd is.
 *
 * The watchdog is fed from the loop itself, twice in its time: a loop that hangs is
 * ended by the manager and started again. The line is sent when it has changed.
 *
 * Knows nothing of signals or of why msspd stops. Where there is no service manager nothing is
 * sent. Loop's thread only; a look at all tenants and sinks every 10 s.
 */
struct pulse;

/* From now on, and READY at once: polling has begun. */
struct pulse *pulse_start(struct event_base *base, const struct engine *e);
/* READY again, after a reload. */
void pulse_ready(struct pulse *p);
void pulse_stop(struct pulse *p); /* NULL is fine */

#endif
