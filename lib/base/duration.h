/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DURATION_H
#define DURATION_H

#include <stdint.h>

#include "lib/base/buf.h"

/* duration: how long something was, as people say it: "3 s", "12 min", "5 h", "9 d". Pure. */
void duration_write(struct buf *out, int64_t sec);

#endif
