/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEEN_H
#define SEEN_H

#include <stdint.h>

/*
 * seen: what is remembered of an alert, and so how the next version is judged.
 *
 * Fixed size, stored as it is by the journal (in host byte order: the journal
 * does not move between machines of different kinds). It knows nothing of where
 * it is kept.
 */
enum part {
	PART_SEVERITY,
	PART_STATUS,
	PART_VERDICT, /* classification and determination */
	PART_ASSIGNEE,
	PART_INCIDENT,
	PART_EVIDENCE,
	PART_REMEDIATION, /* of the evidence, and investigationState */
	PART_COMMENT,
	PART_OTHER,
	PART_COUNT,
};

/* In rising order, so that an escalation is a comparison. OTHER: a word we do not know. */
enum severity {
	SEVERITY_UNKNOWN,
	SEVERITY_INFORMATIONAL,
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_OTHER,
};
enum status { STATUS_UNKNOWN, STATUS_NEW, STATUS_IN_PROGRESS, STATUS_RESOLVED, STATUS_OTHER };

/* Raised whenever the same alert could give other part hashes: a newer version then
 * counts as changed. */
#define SEEN_REVISION 1
/* In rev: the parts were made of what Defender for Endpoint's own API says of the alert. */
#define SEEN_MDE 0x8000

struct seen {
	int64_t created; /* ticks of createdDateTime; TICKS_NONE when absent */
	int64_t version; /* ticks of lastUpdateDateTime */
	uint16_t part[PART_COUNT];
	uint16_t rev;     /* SEEN_REVISION of the program that made the parts, and SEEN_MDE */
	uint8_t severity; /* enum severity: to tell an escalation */
	uint8_t status;   /* enum status: to tell resolved and reopened */
};

/* Names of the parts, as configurations and formats spell them. */
extern const char *const part_names[PART_COUNT + 1];

#endif
