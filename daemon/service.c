/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "daemon/clock.h"
#include "daemon/config_watch.h"
#include "daemon/engine.h"
#include "daemon/notify.h"
#include "daemon/ops/control.h"
#include "daemon/ops/http.h"
#include "daemon/ops/chronicle.h"
#include "daemon/pulse.h"
#include "daemon/service.h"
#include "lib/base/alloc.h"
#include "lib/base/version.h"

/* A stop is over within a second; the journal wants the rest of it. */
#define STOP_PATIENCE_MS 700

struct service {
	const struct options *options;
	struct logging *logging;
	struct event_base *base;
	struct engine *engine;
	struct control *control;
	struct chronicle *chronicle;
	struct http *http;
	struct config_watch *watch; /* NULL: not wanted */
	struct pulse *pulse; /* NULL until polling has begun */
	struct event *signals[3];
	int status;
	bool is_stopping;
	bool is_hurried; /* a second signal: not everything is saved */
};

static void
on_stopped(void *arg)
{
	struct service *v = arg;

	event_base_loopbreak(v->base);
}

static void
service_stop(struct service *v)
{
	if (v->is_stopping)
		return;
	v->is_stopping = true;
	pulse_stop(v->pulse);
	v->pulse = NULL;
	notify_stopping();
	engine_stop(v->engine, STOP_PATIENCE_MS, on_stopped, v);
}

static void
on_stop_signal(evutil_socket_t sig, short what, void *arg)
{
	struct service *v = arg;

	(void)what;
	if (v->is_stopping) {
		log_warn(NULL, "stopping at once; what is not saved is read or sent again signal=%d",
		    (int)sig);
		v->is_hurried = true;
		event_base_loopbreak(v->base);
		return;
	}
	log_info(NULL, "stopping signal=%d", (int)sig);
	if (v->options->mode != RUN_DAEMON)
		v->status = EX_TEMPFAIL;
	service_stop(v);
}

static void
use_logging(const struct service *v, const struct settings *s)
{
	log_set_level(v->options->is_verbose ? LOG_LEVEL_DEBUG : (enum log_level)s->log_level);
	logging_use(v->logging, (enum logging_format)s->log_format);
}

static void watch_files(struct service *v, const struct settings *s);

/* By signal, by msspctl, or because the files have changed. */
static bool
service_reload(void *arg, struct err *err)
{
	struct service *v = arg;
	struct engine_view view;
	bool ok;

	if (v->is_stopping)
		return err_set(err, ERR_TEMP, "msspd is stopping; the next start reads the configuration");
	notify_reloading();
	ok = engine_reload(v->engine, err);
	engine_view(v->engine, &view);
	use_logging(v, view.settings);
	http_configure(v->http, view.settings);
	watch_files(v, view.settings);
	pulse_ready(v->pulse);
	return ok;
}

static void
on_changed(void *arg)
{
	struct service *v = arg;
	struct err err;

	if (v->is_stopping)
		return;
	log_info(NULL, "the configuration's files have changed; reading them");
	if (!service_reload(v, &err))
		log_debug(NULL, "reload: %s", err.text);
}

static void
watch_files(struct service *v, const struct settings *s)
{
	if (s->watch == (v->watch != NULL))
		return;
	config_watch_stop(v->watch);
	v->watch = s->watch ? config_watch_start(v->base, s->file, on_changed, v) : NULL;
}

static void
on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct service *v = arg;
	struct err err;

	(void)sig;
	(void)what;
	if (v->options->mode == RUN_DAEMON && !service_reload(v, &err))
		log_debug(NULL, "reload: %s", err.text);
}

static void
on_once_done(void *arg, bool ok)
{
	struct service *v = arg;

	v->status = ok ? EX_OK : EX_TEMPFAIL;
	service_stop(v);
}

static void
watch_signals(struct service *v)
{
	v->signals[0] = evsignal_new(v->base, SIGTERM, on_stop_signal, v);
	v->signals[1] = evsignal_new(v->base, SIGINT, on_stop_signal, v);
	v->signals[2] = evsignal_new(v->base, SIGHUP, on_hup, v);
	for (size_t i = 0; i < ARRAY_LEN(v->signals); i++)
		event_add(v->signals[i], NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Order matters: the socket comes last, so that who can ask gets an answer. */
static bool
service_open(struct service *v, struct settings *s, struct err *err)
{
	bool is_dry = v->options->mode == RUN_DRY;

	v->base = event_base_new();
	if (v->base == NULL)
		return err_set(err, ERR_TEMP, "no event loop");
	watch_signals(v);
	if (is_dry)
		settings_dry_run(s);
	v->engine = engine_open(v->base, s, is_dry, err);
	if (v->engine == NULL)
		return false;
	if (v->options->mode != RUN_DAEMON) {
		engine_once(v->engine, v->options->timeout_ms, on_once_done, v);
		return true;
	}
	v->control = control_open(v->base, v->engine, s->control_socket, service_reload, v, err);
	if (v->control == NULL)
		return false;
	engine_remember(v->engine, v->chronicle);
	engine_start(v->engine);
	v->http = http_new(v->engine);
	http_configure(v->http, s);
	watch_files(v, s);
	return true;
}

static void
service_close(struct service *v)
{
	pulse_stop(v->pulse);
	config_watch_stop(v->watch);
	http_free(v->http);
	control_close(v->control);
	engine_close(v->engine);
	for (size_t i = 0; i < ARRAY_LEN(v->signals); i++) {
		if (v->signals[i] != NULL)
			event_free(v->signals[i]);
	}
	if (v->base != NULL)
		event_base_free(v->base);
	chronicle_free(v->chronicle);
}

int
service_run(const struct options *o, struct settings *s, struct logging *logging)
{
	struct service v = { .options = o, .logging = logging, .status = EX_OK };
	struct err err = { 0 };

	use_logging(&v, s);
	v.chronicle = chronicle_new(&clock_system);
	if (service_open(&v, s, &err)) {
		if (o->mode == RUN_DAEMON)
			log_info(NULL, "started version=%s tenants=%zu sinks=%zu", msspd_version,
			    s->ntenants, s->nsinks);
		v.pulse = pulse_start(v.base, v.engine);
		event_base_dispatch(v.base);
	} else {
		log_error(NULL, "cannot start: %s", err.text);
		/* The configuration itself is right: what refuses it is this machine, and may change. */
		v.status = err.kind == ERR_CONF ? EX_OSERR : EX_TEMPFAIL;
	}
	service_close(&v);
	if (o->mode == RUN_DAEMON && v.status == EX_OK && !v.is_hurried)
		log_info(NULL, "stopped, everything is saved");
	return v.status;
}
