/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>

#include "lib/base/str.h"
#include "lib/config/option.h"

/*
 * host: is that name one that we may be asked by? Against DNS rebinding: a page on the web
 * whose name is made to point at 127.0.0.1 has a browser send that name. An address was
 * never resolved, so any is good; `localhost` no resolver of a browser asks others for.
 *
 * host: as in a request, without a port; addresses of IPv6 in brackets. Pure.
 */
bool host_is_ours(struct str host, const struct conf_list *names);

#endif
