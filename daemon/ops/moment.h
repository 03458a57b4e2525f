/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOMENT_H
#define MOMENT_H

#include <jansson.h>
#include <stdint.h>

/* moment: a time (ticks) as the control protocol writes it; null for TICKS_NONE. */
json_t *moment(int64_t ticks);

#endif
