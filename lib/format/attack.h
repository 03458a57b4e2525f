/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ATTACK_H
#define ATTACK_H

#include <stdbool.h>

#include "lib/base/str.h"

/*
 * attack: MITRE ATT&CK's tactics (Enterprise) and the form of its identifiers. It
 * knows no techniques by name: they are too many, and change.
 */
struct attack_tactic {
	struct str word; /* as Graph spells it in a category: "InitialAccess" */
	struct str uid, name;
};

/* NULL where the category is none: "Malware", "SuspiciousActivity". */
const struct attack_tactic *attack_tactic(struct str category);

/* "T1059" or "T1059.001". */
bool attack_is_technique(struct str id);
/* "T1059" of both. */
struct str attack_parent(struct str id);

#endif
