/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/record/event.h"

/*
 * template: names made from an event: "{customer}", "fwd-{tenant}". Variables:
 * {tenant} {tenant_id} {customer} {customer_name} {stream} {cloud} {instance} {host}
 * and {label.KEY}; "{{" is a brace. Unknown variables are an error at template_check().
 */
bool template_check(const char *text, struct err *err) MUST_CHECK;
/* host: this machine's name. An absent value is written as nothing. */
void template_write(
    struct buf *out, const char *text, const struct origin *origin, const char *host);

#endif
