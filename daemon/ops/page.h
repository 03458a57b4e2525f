/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAGE_OPS_H
#define PAGE_OPS_H

#include "lib/base/buf.h"

/*
 * page: the status page for people, as the program carries it (page.html), and the policy
 * that a browser has to keep to while it shows it.
 */
struct str page_text(void);
/*
 * Appends the value of Content-Security-Policy: its one style and its one script, by their
 * hashes, requests to where it came from, and nothing else.
 */
void page_policy(struct buf *out);

#endif
