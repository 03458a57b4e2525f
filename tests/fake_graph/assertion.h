/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_ASSERTION_H
#define FAKE_GRAPH_ASSERTION_H

#include "lib/base/str.h"
#include "tests/fake_graph/options.h"

/*
 * assertion: what Entra's token endpoint demands of a client_assertion: one that is
 * signed with a certificate of the app, or a token of an issuer that the app trusts.
 *
 * Certificates and the issuer's key are files that are read each time: one that is
 * gone is registered no more. The ids of assertions are remembered until they end,
 * so that none is good twice (which Entra itself does not check).
 */
struct seen_id {
	char *id;
	int64_t end; /* Unix seconds */
};

struct assertions {
	struct seen_id *seen;
	size_t nseen;
};

void assertions_release(struct assertions *m);

/* 0 when it is good, else the AADSTS number. url: of the token endpoint that was asked. */
int assertion_check(struct assertions *m, const struct options *opt, struct str jwt,
    const char *url, int64_t now);
/* Whether it says that it is of another issuer than the app itself. */
bool assertion_is_federated(const struct options *opt, struct str jwt);

#endif
