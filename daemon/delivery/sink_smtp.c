/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "daemon/delivery/sink_smtp_parts.h"
#include "daemon/loop.h"
#include "lib/base/alloc.h"

static void
on_start(struct sink *s)
{
	post_probe(s->post);
}

static void
on_drained_later(void *arg)
{
	smtp_finish_ending(arg);
}

static void
on_drain(struct sink *s)
{
	s->is_draining = true;
	post_stand(s->post);
	loop_defer(s->env->loop, on_drained_later, s);
}

static void
on_cancel(struct sink *s)
{
	smtp_clear(s, false);
	loop_forget(s->env->loop, on_drained_later, s);
}

static void
on_close(struct sink *s)
{
	if (s == NULL)
		return;
	on_cancel(s);
	post_free(s->post);
	desks_free(s->desks);
	told_release(&s->told);
	zones_release(&s->zones);
	for (size_t i = 0; i < MAIL_TEMPLATES; i++)
		mail_template_free(s->templates[i]);
	free(s->styles);
	free(s->host);
	free(s->from);
	free(s);
}

static void
make_styles(struct sink *s)
{
	const struct smtp_rules *rules = &s->conf->rules;

	free(s->styles);
	s->styles = xcalloc(rules->n, sizeof(*s->styles));
	for (size_t i = 0; i < rules->n; i++) {
		s->styles[i] = (struct mail_style){
			.from = s->conf->from, .list_id = s->conf->list_id,
			.without_organization = !rules->v[i].organization_name,
			.without_portal_link = !rules->v[i].portal_link,
			.with_device = rules->v[i].device_information,
			.subject = s->templates[MAIL_SUBJECT], .text = s->templates[MAIL_TEXT],
			.html = s->templates[MAIL_HTML],
			.digest_subject = s->templates[MAIL_DIGEST_SUBJECT],
			.digest_text = s->templates[MAIL_DIGEST_TEXT],
			.digest_html = s->templates[MAIL_DIGEST_HTML],
		};
	}
}

/* Passwords and certificates are read for each connection; what is left are templates. */
static void
on_refresh(struct sink *s)
{
	struct mail_template *now[MAIL_TEMPLATES];
	struct err err;

	if (!sink_smtp_templates(s->conf, now, &err)) {
		log_error(sink_log(s->owner), "%s; the templates read before stay in use", err.text);
		return;
	}
	for (size_t i = 0; i < MAIL_TEMPLATES; i++) {
		mail_template_free(s->templates[i]);
		s->templates[i] = now[i];
	}
	make_styles(s);
}

static struct sink *
on_open(const struct engine_env *env, struct sink_owner *owner, const char *name, const void *conf,
    struct err *err)
{
	static const struct post_user user = { .ended = smtp_on_ended, .probed = smtp_on_probed };
	struct sink *s = xcalloc(1, sizeof(*s));
	struct post_user mine = user;
	struct str from;

	(void)name;
	s->env = env;
	s->owner = owner;
	s->conf = conf;
	TAILQ_INIT(&s->entries);
	TAILQ_INIT(&s->complete);
	fifo_init(&s->aside, sizeof(struct smtp_aside));
	if (!sink_smtp_server(s->conf, env->hostname, &s->lane_opts, &s->host, err) ||
	    !sink_smtp_templates(s->conf, s->templates, err)) {
		free(s->host);
		free(s);
		return NULL;
	}
	from = mail_address_bare(s->conf->from);
	s->from = xstrndup(from.s, from.n);
	mine.arg = s;
	make_styles(s);
	s->desks = desks_new();
	bundles_init(&s->bundles, env, smtp_on_bundle, s);
	s->post = post_new(env, &s->lane_opts, (size_t)s->conf->connections, s->from, &mine);
	return s;
}

static const char *
on_means(const struct sink *s, bool *is_acknowledged)
{
	(void)s;
	*is_acknowledged = true;
	return "the mail server took the whole mail and answered 250; what becomes of it then is the mail "
	       "servers' affair";
}

static void
on_recipients(const void *conf, const struct origin *o, void (*say)(void *arg, const char *to),
    void *arg)
{
	smtp_rules_say_all(&((const struct sink_smtp_conf *)conf)->rules, o, say, arg);
}

const struct sink_kind sink_smtp = {
	.name = "smtp",
	.help = "Mail to people: who gets one about what is said by rules.",
	.opts = sink_smtp_options,
	.conf_size = sizeof(struct sink_smtp_conf),
	.default_kinds = (1u << KIND_COUNT) - 1 - (1u << KIND_CANARY),
	.read = sink_smtp_read,
	.wants = sink_smtp_wants,
	.check = sink_smtp_check,
	.check_origin = sink_smtp_check_origin,
	.open = on_open,
	.start = on_start,
	.send = smtp_take,
	.drain = on_drain,
	.cancel = on_cancel,
	.means = on_means,
	.recipients = on_recipients,
	.refresh = on_refresh,
	.close = on_close,
	.held = sink_smtp_held,
	.cancel_held = sink_smtp_cancel_held,
};
