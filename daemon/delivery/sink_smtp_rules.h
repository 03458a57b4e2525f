/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SINK_SMTP_RULES_H
#define SINK_SMTP_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/delivery/sink.h"
#include "daemon/delivery/sink_smtp_memo.h"
#include "lib/policy/match.h"
#include "lib/policy/quota.h"

/*
 * rules: who gets a mail about what. Read from a sink's `rules`, immutable.
 *
 * It knows nothing of servers, of mails' looks and of time.
 */
#define RULES_MAX      MEMO_HELD
#define RULE_TO_MAX    32
#define RECIPIENTS_MAX MEMO_DONE /* of one entry */

struct smtp_rule {
	const char *name;           /* for people */
	uint64_t key;               /* of it: what memos remember it by */
	const struct conf_list *to; /* addresses and {contacts.NAME} */
	const struct match *match;  /* with the kinds of event that it wants */
	const struct match *first;  /* the same, where its first version has not been told; NULL: it
	                             * does not ask for `new` */
	int64_t digest_ms;          /* 0: each by itself */
	struct quota_limit limit;
	bool mix_customers;
	bool organization_name, portal_link, device_information;
};

struct smtp_rules {
	struct smtp_rule *v;
	size_t n;
	const struct match **wants; /* what must be passed to concern any of them */
	size_t nwants;
};

extern const struct conf_opt smtp_rule_options[];

/* Reads the list n; limit is what holds for rules that do not say. What is wrong is reported. */
void smtp_rules_read(struct smtp_rules *rules, const struct sink_reading *r, const struct node *n,
    const char *limit);

/*
 * Whether this may be the first version of its alert that the rule is for. NEVER: the one
 * before was for it, too. MAYBE: what the one before was is known only in parts (its
 * severity, and what changed since); who remembers what was told knows better.
 */
enum smtp_first { FIRST_NEVER, FIRST_MAYBE, FIRST_SURELY };
enum smtp_first smtp_rule_first(const struct smtp_rule *rule, const struct event *ev);

bool smtp_rule_fires(const struct smtp_rule *rule, const struct event *ev, bool is_first);

/* True when the rule is for events of that origin, and names only contacts that it has not. */
bool smtp_rule_reaches_nobody(const struct smtp_rule *rule, const struct origin *o);

/* One mail to be sent, by itself or in a digest: each recipient once, by the first rule that
 * sends it by itself, else by the first. */
struct smtp_leg {
	const struct smtp_rule *rule;
	const char *to;    /* as written in the configuration; of the event's origin, or the rule */
	uint64_t address;  /* hash of the bare address, without case */
};
/* fires: a bit for each rule. Returns how many, at most RECIPIENTS_MAX; *left_out: those beyond. */
size_t smtp_recipients(const struct smtp_rules *rules, uint32_t fires, const struct origin *origin,
    struct smtp_leg out[RECIPIENTS_MAX], size_t *left_out);

/* The mail to that one recipient, as configured, by the first rule that knows it. False: none does. */
bool smtp_find_recipient(const struct smtp_rules *rules, const char *to,
    const struct origin *origin, struct smtp_leg *out);
/* The kind's recipients(). */
void smtp_rules_say_all(const struct smtp_rules *rules, const struct origin *origin,
    void (*say)(void *arg, const char *to), void *arg);

#endif
