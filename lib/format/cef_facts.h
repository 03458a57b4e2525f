/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CEF_FACTS_H
#define CEF_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/record/event.h"

/*
 * cef_facts: which values an event has for which CEF keys, before any escaping.
 *
 * It knows the mapping (Microsoft's own CEF table for alerts_v2, and its older one
 * for the SIEM connector, wherever they speak) and nothing of how a line is
 * written. CEF and LEEF are written from it.
 */

/* In their order in the line: what tells alerts apart first, long text last, as
 * that is what a receiver cuts. */
enum cef_key {
	CEF_RT,
	CEF_ACT,
	CEF_EXTERNAL_ID,
	CEF_CAT,
	CEF_TENANT_ID,
	CEF_CUSTOMER,
	CEF_ALERT_ID,
	CEF_EVENT_ID,
	CEF_INCIDENT,
	CEF_INCIDENT_TEXT,
	CEF_MERGED,
	CEF_STATUS,
	CEF_WAS,
	CEF_VERDICT,
	CEF_START,
	CEF_END,
	CEF_CREATED,
	CEF_RESOLVED,
	CEF_SERVICE,
	CEF_FACILITY,
	CEF_SHOST,
	CEF_SOURCE_DNS_DOMAIN,
	CEF_DVCHOST,
	CEF_DEVICE_ID,
	CEF_SRC,
	CEF_DST,
	CEF_SRC6,
	CEF_DST6,
	CEF_SUSER,
	CEF_SNTDOM,
	CEF_SUID,
	CEF_DUSER,
	CEF_SPID,
	CEF_SPROC,
	CEF_FNAME,
	CEF_FSIZE,
	CEF_FILE_HASH,
	CEF_FILE_PATH,
	CEF_REQUEST,
	CEF_CLOUD_APP,
	CEF_EVIDENCE_COUNT,
	CEF_PRIORITY,
	CEF_TAGS,
	CEF_THREAT,
	CEF_TECHNIQUES,
	CEF_CHANGED,
	CEF_ORIGIN,
	CEF_INSTANCE,
	CEF_ACTOR,
	CEF_SHA256,
	CEF_ALERT_URL,
	CEF_COMMAND_LINE,
	CEF_MSG,
	CEF_REASON,
	CEF_KEYS,
};

#define CEF_TEXT_MAX 16384

/* Values point into the event or into room. On the caller's stack; nothing to release. */
struct cef_facts {
	const struct event *ev;
	struct str value[CEF_KEYS]; /* absent or empty: no such key */
	struct buf text;            /* what had to be put together; on room, never grows */
	char room[CEF_TEXT_MAX];
};

void cef_gather(struct cef_facts *f, const struct event *ev);

/* For the parts of the mapping. The first value that a key is given stays. */
void cef_set(struct cef_facts *f, enum cef_key key, struct str value);
/* Negative numbers mean "none" and set nothing. */
void cef_set_number(struct cef_facts *f, enum cef_key key, int64_t number);
/* Sets what was written to f->text since start; nothing when it did not fit. */
void cef_set_text(struct cef_facts *f, enum cef_key key, size_t start);
void cef_gather_evidence(struct cef_facts *f, const struct alert *a);

#endif
