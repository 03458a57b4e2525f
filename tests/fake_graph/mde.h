/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_MDE_H
#define FAKE_GRAPH_MDE_H

#include "lib/base/buf.h"
#include "tests/fake_graph/world.h"

/*
 * mde: an alert as Defender for Endpoint's own API writes it: the same alert of the
 * world, with that API's names, enums with capitals and flat evidence.
 */
/* Without with_evidence its list is empty, as without $expand. */
void mde_render(struct buf *b, const struct alert *a, const struct facts *f, bool with_evidence);

#endif
