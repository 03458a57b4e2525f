/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORD_TEXT_H
#define RECORD_TEXT_H

#include "lib/base/buf.h"
#include "lib/record/record.h"

/*
 * record_text: a record as lines "field: value" by the names the fields have in
 * C, what is absent left out, children further in; for tests to compare.
 */
void record_text(struct buf *out, const struct record *r);

#endif
