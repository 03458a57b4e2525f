/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PARKING_H
#define PARKING_H

struct delivery;

/*
 * parking: sinks for which too much waits are parked, so that one that is down for
 * long fills neither the journal nor stops the others, and unparked when they take
 * again what they kept; or, where that is configured, full until then, so that the
 * intake waits. Private to delivery.
 *
 * It knows nothing of how what they missed is kept and read again: that is the
 * journal's and the intake's.
 */
void parking_init(struct delivery *d);
void parking_start(struct delivery *d);
void parking_stop(struct delivery *d);

#endif
