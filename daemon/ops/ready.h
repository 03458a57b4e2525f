/* SPDX-License-Identifier: Apache-2.0 */
#ifndef READY_H
#define READY_H

#include "daemon/engine.h"
#include "lib/base/buf.h"

/*
 * ready: can msspd do its work now, as a whole? One tenant or one sink of several that
 * is in trouble is not meant: that is what metrics and health records are for.
 */
/* True, or false with the reasons, each a line, appended to why. */
bool ready_is(const struct engine *e, struct buf *why);

#endif
