/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/attack.h"

#define TECHNIQUE_LEN 5 /* "T1059" */

static const struct attack_tactic tactics[] = {
	{ STR_INIT("Reconnaissance"), STR_INIT("TA0043"), STR_INIT("Reconnaissance") },
	{ STR_INIT("ResourceDevelopment"), STR_INIT("TA0042"), STR_INIT("Resource Development") },
	{ STR_INIT("InitialAccess"), STR_INIT("TA0001"), STR_INIT("Initial Access") },
	{ STR_INIT("Execution"), STR_INIT("TA0002"), STR_INIT("Execution") },
	{ STR_INIT("Persistence"), STR_INIT("TA0003"), STR_INIT("Persistence") },
	{ STR_INIT("PrivilegeEscalation"), STR_INIT("TA0004"), STR_INIT("Privilege Escalation") },
	{ STR_INIT("DefenseEvasion"), STR_INIT("TA0005"), STR_INIT("Defense Evasion") },
	{ STR_INIT("CredentialAccess"), STR_INIT("TA0006"), STR_INIT("Credential Access") },
	{ STR_INIT("Discovery"), STR_INIT("TA0007"), STR_INIT("Discovery") },
	{ STR_INIT("LateralMovement"), STR_INIT("TA0008"), STR_INIT("Lateral Movement") },
	{ STR_INIT("Collection"), STR_INIT("TA0009"), STR_INIT("Collection") },
	{ STR_INIT("CommandAndControl"), STR_INIT("TA0011"), STR_INIT("Command and Control") },
	{ STR_INIT("Exfiltration"), STR_INIT("TA0010"), STR_INIT("Exfiltration") },
	{ STR_INIT("Impact"), STR_INIT("TA0040"), STR_INIT("Impact") },
};

const struct attack_tactic *
attack_tactic(struct str category)
{
	for (size_t i = 0; i < ARRAY_LEN(tactics); i++) {
		if (str_same_nocase(category, tactics[i].word) ||
		    str_same_nocase(category, tactics[i].name))
			return &tactics[i];
	}
	return NULL;
}

static bool
are_digits(const char *p, size_t n)
{
	while (n > 0 && p[n - 1] >= '0' && p[n - 1] <= '9')
		n--;
	return n == 0;
}

bool
attack_is_technique(struct str id)
{
	if (id.n < TECHNIQUE_LEN || id.s[0] != 'T' || !are_digits(id.s + 1, TECHNIQUE_LEN - 1))
		return false;
	return id.n == TECHNIQUE_LEN || (id.n == TECHNIQUE_LEN + 4 && id.s[TECHNIQUE_LEN] == '.' &&
					    are_digits(id.s + TECHNIQUE_LEN + 1, 3));
}

struct str
attack_parent(struct str id)
{
	return (struct str){ id.s, id.n < TECHNIQUE_LEN ? id.n : TECHNIQUE_LEN };
}
