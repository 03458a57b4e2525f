/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdint.h>

/*
 * process: what the kernel says of this process, from /proc. Some ten µs; what cannot
 * be read is 0.
 */
struct process_figures {
	int64_t cpu_ms, resident_bytes, fds, max_fds;
};
void process_figures(struct process_figures *out);

#endif
