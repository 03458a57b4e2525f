#ifndef PORTAL_H
#define PORTAL_H

#include "lib/base/buf.h"
#include "lib/record/event.h"

/*
 * portal: links into the customer's own Defender portal. Every link written is
 * https, on origin->portal_host, and carries ?tid=<tenant>; what the API gave is
 * used when it fulfils that (tid added where it is missing), else the link is
 * built from tenant and id.
 */
void portal_alert_link(struct buf *out, const struct event *ev);
void portal_incident_link(struct buf *out, const struct event *ev);

#endif
