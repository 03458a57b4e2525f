/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_EVIDENCE_H
#define FAKE_GRAPH_EVIDENCE_H

#include <stddef.h>

#include "tests/fake_graph/maker.h"

/*
 * evidence: one table per kind of evidence of microsoft.graph.security, v1.0.
 *
 * The last two are not Microsoft's: a kind that no client knows yet, and one
 * without an @odata.type.
 */
struct evidence_kind {
	const char *type; /* behind "#microsoft.graph.security.", NULL: none is written */
	const struct field *fields;
};

extern const struct evidence_kind evidence_kinds[];
extern const size_t nevidence_kinds;

/* The place of a kind by its type; the unknown one for NULL. */
const struct evidence_kind *evidence_kind(const char *type);

/* Appends one whole object of the kind; arg of the maker is the kind. */
make_fn make_evidence;

#endif
