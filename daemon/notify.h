/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stdint.h>

/*
 * notify: tells the service manager how we are (sd_notify(3)). Does nothing
 * where there is none, or where msspd was built without libsystemd.
 */
void notify_ready(const char *status);
void notify_status(const char *status);
void notify_reloading(void);
void notify_stopping(void);

/* A manager that hears no notify_alive() for so many ms ends us; 0: none does. */
int64_t notify_watchdog_ms(void);
void notify_alive(void);

#endif
