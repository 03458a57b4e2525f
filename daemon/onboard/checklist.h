/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECKLIST_H
#define CHECKLIST_H

#include "daemon/settings.h"
#include "lib/base/buf.h"

/*
 * checklist: what is to be done, and by whom, until a customer's alerts are read and
 * our people can work in its portal, filled in for one tenant (Microsoft Defender:
 * "Provide managed security service provider (MSSP) access"; "Fetch alerts from MSSP
 * customer tenant"; "Configure alert notifications"). Plain text for a person, in
 * 78 columns. Pure.
 */
void checklist_put(struct buf *out, const struct settings *s, const struct tenant *t);

#endif
