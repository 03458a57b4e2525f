/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_CORPUS_H
#define FAKE_GRAPH_CORPUS_H

#include <stdbool.h>

#include "lib/base/buf.h"
#include "tests/fake_graph/rng.h"
#include "tests/fake_graph/world.h"

/*
 * corpus: what an alert looks like.
 *
 * Everything that an alert says follows from its seed, its tenant and the facts
 * of a version: the same three write the same bytes. Sizes run from 1.5 KB to
 * 60 KB; the bench corpus keeps to a mean of 5.2 KB.
 */

/* The facts of a first version; f->updated is left to the caller. */
void corpus_first_facts(const struct alert *a, struct facts *f, bool is_bench);

/* The alert as JSON. Without has_newer_enums as a client without the Prefer header sees it. */
void corpus_render(struct buf *b, const struct alert *a, const struct facts *f,
    bool has_newer_enums, bool is_bench);

/* Defender for Endpoint raised it. */
bool corpus_is_mde(const struct alert *a);

/* As sound JSON, for the truth: what should be understood. */
void corpus_title(struct buf *b, const struct alert *a);
void corpus_id(struct buf *b, const struct alert *a);

const char *severity_name(enum severity s);
const char *status_name(enum status s);

/* A point in time as Microsoft's stores round it: mostly to 1/300 s, sometimes coarser. */
int64_t corpus_round(struct rng *r, int64_t ticks);

#endif
