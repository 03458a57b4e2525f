#ifndef PORTAL_H
#define PORTAL_H

#include "lib/base/buf.h"
#include "lib/record/event.h"

/*
 * portal: links into the customer's own Defender portal. Every link written is
 * https, on origin->portal_host, and carries ?tid=<tenant>; what the API gave is
 * used when it fulfils that (tid added where it is missing), else the link is
 * built from tenant and id; without a usable id it leads to the tenant's alerts.
 * At most PORTAL_LINK_MAX bytes, printable ASCII without spaces.
 */
#define PORTAL_LINK_MAX 1000

void portal_alert_link(struct buf *out, const struct event *ev);
/* Nothing for an alert that belongs to no incident. */
void portal_incident_link(struct buf *out, const struct event *ev);

#endif
