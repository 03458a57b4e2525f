/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MANUAL_H
#define MANUAL_H

#include "lib/base/buf.h"

/*
 * manual: docs/FORMATS.md, made from the tables that the formats write by.
 */
void formats_manual(struct buf *out);

#endif
