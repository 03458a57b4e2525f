/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEAD_DNS_H
#define DEAD_DNS_H

#include <stdbool.h>

/*
 * dead_dns: moves this process (a forked test) to a network of its own, loopback
 * only, whose name server takes every question and never answers: a name hangs
 * for 30 s. False when this machine does not allow that.
 */
bool dead_dns_enter(void);

#endif
