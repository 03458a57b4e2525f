/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/attack.h"

#define TECHNIQUE_LEN 5 /* "T1059" */

static const struct attack_tactic tactics[] = {
	{ "Reconnaissance", "TA0043", "Reconnaissance" },
	{ "ResourceDevelopment", "TA0042", "Resource Development" },
	{ "InitialAccess", "TA0001", "Initial Access" },
	{ "Execution", "TA0002", "Execution" },
	{ "Persistence", "TA0003", "Persistence" },
	{ "PrivilegeEscalation", "TA0004", "Privilege Escalation" },
	{ "DefenseEvasion", "TA0005", "Defense Evasion" },
	{ "CredentialAccess", "TA0006", "Credential Access" },
	{ "Discovery", "TA0007", "Discovery" },
	{ "LateralMovement", "TA0008", "Lateral Movement" },
	{ "Collection", "TA0009", "Collection" },
	{ "CommandAndControl", "TA0011", "Command and Control" },
	{ "Exfiltration", "TA0010", "Exfiltration" },
	{ "Impact", "TA0040", "Impact" },
};

const struct attack_tactic *
attack_tactic(struct str category)
{
	for (size_t i = 0; i < ARRAY_LEN(tactics); i++) {
		if (str_same_nocase(category, str_of(tactics[i].word)) ||
		    str_same_nocase(category, str_of(tactics[i].name)))
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
