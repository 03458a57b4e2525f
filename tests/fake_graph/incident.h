/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_INCIDENT_H
#define FAKE_GRAPH_INCIDENT_H

#include "lib/base/buf.h"
#include "tests/fake_graph/world.h"

/*
 * incident: what an incident looks like. In the world it is an alert with
 * is_incident, of a tenant's list of its own; what it says follows from its seed
 * and the facts of a version, as an alert does.
 */
void incident_render(struct buf *b, const struct alert *a, const struct facts *f);
/* As sound JSON. */
void incident_title(struct buf *b, const struct alert *a);
/* Its word for the status: "active", "redirected", … */
const char *incident_status(const struct facts *f);

#endif
