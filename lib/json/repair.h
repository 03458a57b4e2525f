/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPAIR_H
#define REPAIR_H

#include "lib/base/arena.h"
#include "lib/base/str.h"

/*
 * repair: makes the strings in JSON text ones that the reader takes.
 *
 * File names, command lines and mails are whatever an attacker writes; somewhere
 * on the way such text may have become a string that is not JSON. Only what is
 * between quotes is touched: half a surrogate pair and each byte that is not
 * UTF-8 become U+FFFD, a backslash that begins no escape becomes U+FFFD, and a
 * control character is escaped. Brackets, commas and numbers stay as they are:
 * what is wrong there has no one right reading.
 *
 * Returns the text itself when there is nothing to repair, or so much that it
 * would grow by more than a megabyte; else a copy in the arena.
 */
struct str jr_repair(struct str text, struct arena *arena);

#endif
