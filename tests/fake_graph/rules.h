/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_RULES_H
#define FAKE_GRAPH_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/fake_graph/world.h"

/*
 * rules: the products that raise alerts, and what their detections say.
 */
/* A product that raises alerts; is_newer names are shown only to who asks for them. */
struct product {
	const char *service, *detection, *name;
	bool is_newer;
};

/* What one rule of such a product says. */
struct rule {
	const char *title, *category, *technique;
	const struct product *product;
	enum severity severity;
	const char *evidence[4];
};

extern const struct rule rules[];
extern const size_t nrules;

#endif
