/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CLOCK_H
#define DAEMON_CLOCK_H

#include "lib/base/clock.h"

/*
 * clock: the machine's own time. mono is CLOCK_BOOTTIME, so an interval that
 * passed while the machine slept has passed. Stateless, for any thread.
 */
extern const struct clock clock_system;

#endif
