/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_conf.h"

static const struct smtp_rule *
rule_of(const struct sink_smtp_conf *c, uint64_t key)
{
	for (size_t i = 0; i < c->rules.n; i++) {
		if (c->rules.v[i].key == key)
			return &c->rules.v[i];
	}
	return NULL;
}

static const char *
words_of(enum memo_hold why)
{
	switch (why) {
	case HOLD_PERIOD:
		return "digest";
	case HOLD_LIMIT:
		return "limit";
	case HOLD_REPLAY:
		return "read again";
	}
	return "";
}

void
sink_smtp_held(const void *conf, const char *memo, sink_held_cb *say, void *arg)
{
	struct memo m;

	memo_read(&m, memo);
	for (size_t i = 0; i < m.nheld; i++) {
		const struct smtp_rule *rule = rule_of(conf, m.held[i].rule);

		if (rule != NULL)
			say(arg, rule->name, words_of(m.held[i].why), m.held[i].due);
	}
}

/* tries: somebody else is put off and has not got it yet. */
bool
sink_smtp_cancel_held(const void *conf, const char *memo, const char *what, struct buf *out,
    bool *is_left)
{
	struct memo m;

	memo_read(&m, memo);
	for (size_t i = 0; i < m.nheld; i++) {
		const struct smtp_rule *rule = rule_of(conf, m.held[i].rule);

		if (rule == NULL || strcmp(rule->name, what) != 0)
			continue;
		memo_cancel(&m, rule->key);
		*is_left = m.nheld > 0 || m.tries > 0 || m.why[0] != '\0';
		memo_write(out, &m);
		return true;
	}
	return false;
}
