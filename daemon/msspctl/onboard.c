/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/msspctl/onboard.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/clock.h"
#include "daemon/intake/graph.h"
#include "daemon/msspctl/config.h"
#include "daemon/onboard/checklist.h"
#include "daemon/onboard/requests.h"
#include "lib/format/consent.h"

#define PAGE_MAX (16 * 1024 * 1024)

static int
print(const struct buf *out)
{
	fwrite(buf_peek(out).s, 1, out->n, stdout);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

/* What a link's state is good for is said to a person, not to a script. */
static void
say_state(void)
{
	if (isatty(STDERR_FILENO) == 1)
		fputs("After consent the browser arrives at the redirect URI with the state of the link:\n"
		      "then it was this link. Believe nothing else there; msspctl check-tenant shows\n"
		      "whether consent is given.\n", stderr);
}

static void
put_link(struct buf *out, const struct tenant *t, const char *state)
{
	const struct app *app = t->app;
	char made[37];

	graph_request_id(made);
	consent_put(out, &(struct consent){ app->login_url, t->id, app->client_id,
			     app->redirect_uri, state != NULL ? state : made });
	buf_byte(out, '\n');
}

int
do_consent_url(const struct args *a)
{
	struct buf out = BUF_INIT(PAGE_MAX);
	struct chosen c;
	int status;

	if (!choose(&c, a, &status))
		return status;
	for (size_t i = 0; i < c.n; i++)
		put_link(&out, c.tenants[i], a->state);
	status = print(&out);
	say_state();
	buf_release(&out);
	chosen_release(&c);
	return status;
}

/* {"TENANT": [...]} */
static void
put_json(struct buf *out, const struct chosen *c, int64_t now)
{
	json_t *all = json_object();
	char *text;

	for (size_t i = 0; i < c->n; i++)
		json_object_set_new(
		    all, c->tenants[i]->name, requests_make(c->settings, c->tenants[i], now));
	text = json_dumps(all, JSON_INDENT(2));
	buf_printf(out, "%s\n", text);
	free(text);
	json_decref(all);
}

static void
put_text(struct buf *out, const struct args *a, const struct chosen *c, int64_t now)
{
	json_t *requests;

	for (size_t i = 0; i < c->n; i++) {
		if (i != 0)
			buf_puts(out, "\n\n");
		if (!a->wants_requests) {
			checklist_put(out, c->settings, c->tenants[i]);
			continue;
		}
		buf_printf(out, "# tenant %s, %s\n#\n", c->tenants[i]->name, c->tenants[i]->id);
		requests = requests_make(c->settings, c->tenants[i], now);
		requests_put(out, requests);
		json_decref(requests);
	}
}

int
do_onboard(const struct args *a)
{
	int64_t now = clock_wall(&clock_system);
	struct buf out = BUF_INIT(PAGE_MAX);
	struct chosen c;
	int status;

	if (!choose(&c, a, &status))
		return status;
	if (a->is_json)
		put_json(&out, &c, now);
	else
		put_text(&out, a, &c, now);
	status = print(&out);
	buf_release(&out);
	chosen_release(&c);
	return status;
}
