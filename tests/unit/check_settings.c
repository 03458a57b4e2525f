/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>

#include "daemon/settings_build.h"
#include "settings_case.h"

#define APPS "apps: {soc: {client_id: " GUID(9) ", secret_file: /s}}\n"

static const char whole[] =
    "state_dir: /srv/state\n"
    "control_socket: /run/x.sock\n"
    "instance: soc-1\n"
    "log_level: debug\n"
    "forget_after: 14d\n"
    "journal: {max_size: 64MiB, remember: 200d, keep_delivered: 1h}\n"
    "intake: {max_requests: 8, requests_per_minute: 900, request_timeout: 5s, max_body: 1MiB}\n"
    "apps:\n"
    "  soc: {client_id: " GUID(9) ", secret_file: [/one, two]}\n"
    "  high: {cloud: gcc-high, client_id: " GUID(9) ", secret_file: /s}\n"
    "  lab:\n"
    "    cloud: custom\n"
    "    client_id: " GUID(9) "\n"
    "    secret_file: /s\n"
    "    login_url: http://127.0.0.1:8080/\n"
    "    graph_url: http://LocalHost:8080//\n"
    "    portal_url: https://portal.example:444/\n"
    "    ca_file: /ca.pem\n"
    "defaults: {app: soc, sinks: [siem, lake], poll_interval: 90s, budget: 100}\n"
    "customers:\n"
    "  contoso: {name: Contoso Ltd, labels: {tier: gold, region: 1}, time_zone: Europe/Berlin}\n"
    "  fabrikam: {sinks: fab}\n"
    "tenants:\n"
    "  z: {id: 0000000A-1111-2222-3333-44444444444F, customer: contoso, poll_interval: 10s,\n"
    "      overlap: 0s, first_lookback: 7d, page_size: 50, budget: 10}\n"
    "  a: {id: " GUID(2) "}\n"
    "  f: {id: " GUID(3) ", customer: fabrikam, app: high}\n"
    "  g: {id: " GUID(3) ", customer: fabrikam, app: lab, sinks: [lake, fab]}\n"
    "  quiet: {id: " GUID(5) ", sinks: []}\n"
    "sinks:\n"
    "  siem: {type: fake, match: {severity: [high, medium], not: {events: health, categories: X}}}\n"
    "  lake: {type: fake, host: lake, match: {changes: [significant, comment], customers: a}}\n"
    "  fab: {type: fake, only: fabrikam, size: 1MiB, tls: {ca_file: /c}}\n";

static struct settings_case the_case;
static struct settings *s;

static struct settings *
load(const char *text)
{
	struct settings *made;

	case_write(&the_case, "m.yaml", text);
	made = case_load(&the_case, false);
	ck_assert_msg(made != NULL && the_case.said.n == 0, "said: %s", the_case.said.p);
	return made;
}

static void
open_case(void)
{
	case_open(&the_case);
}

static void
close_case(void)
{
	settings_unref(s);
	s = NULL;
	case_close(&the_case);
}

static const struct app *
app(const char *name)
{
	for (size_t i = 0; i < s->napps; i++) {
		if (strcmp(s->apps[i].name, name) == 0)
			return &s->apps[i];
	}
	ck_abort_msg("no app %s", name);
}

START_TEST(test_top)
{
	s = load(whole);
	ck_assert_uint_eq(s->refs, 1);
	ck_assert_str_eq(s->state_dir, "/srv/state");
	ck_assert_str_eq(s->control_socket, "/run/x.sock");
	ck_assert_str_eq(s->instance, "soc-1");
	ck_assert_int_eq(s->log_level, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(s->forget_after_ms, 14 * INT64_C(86400000));
	ck_assert_int_eq(s->journal_max_size, 64 << 20);
	ck_assert_int_eq(s->remember_ms, 200 * INT64_C(86400000));
	ck_assert_int_eq(s->keep_delivered_ms, 3600000);
	ck_assert_int_eq(s->max_requests, 8);
	ck_assert_int_eq(s->requests_per_minute, 900);
	ck_assert_int_eq(s->request_timeout_ms, 5000);
	ck_assert_int_eq(s->max_body, 1 << 20);
	ck_assert_uint_eq(s->ntenants, 5);
	ck_assert_uint_eq(s->nsinks, 3);
	ck_assert_ptr_eq(settings_tenant(s, "nobody"), NULL);
	ck_assert_ptr_eq(settings_sink(s, "nothing"), NULL);
}
END_TEST

START_TEST(test_apps)
{
	s = load(whole);
	ck_assert_str_eq(app("soc")->login_url, "https://login.microsoftonline.com");
	ck_assert_str_eq(app("soc")->graph_url, "https://graph.microsoft.com");
	ck_assert_str_eq(app("soc")->portal_url, "https://security.microsoft.com");
	ck_assert_uint_eq(app("soc")->ncredentials, 2);
	ck_assert_int_eq(app("soc")->credentials[1].kind, CREDENTIAL_SECRET);
	ck_assert_str_eq(app("soc")->credentials[1].file, "two");
	ck_assert_int_eq(app("soc")->credentials[1].ends, 0);
	ck_assert_ptr_eq(app("soc")->ca_file, NULL);
	ck_assert_int_eq(app("high")->cloud, CLOUD_GCC_HIGH);
	ck_assert_str_eq(app("high")->login_url, "https://login.microsoftonline.us");
	ck_assert_str_eq(app("high")->graph_url, "https://graph.microsoft.us");
	ck_assert_str_eq(app("high")->portal_url, "https://security.microsoft.us");
	ck_assert_str_eq(app("lab")->login_url, "http://127.0.0.1:8080");
	ck_assert_str_eq(app("lab")->graph_url, "http://LocalHost:8080");
	ck_assert_str_eq(app("lab")->portal_url, "https://portal.example:444");
}
END_TEST

static const struct {
	const char *cloud, *login, *graph, *mde, *portal;
} clouds[] = {
	{ "global", "https://login.microsoftonline.com", "https://graph.microsoft.com",
	  "https://api.securitycenter.microsoft.com", "https://security.microsoft.com" },
	{ "gcc", "https://login.microsoftonline.com", "https://graph.microsoft.com",
	  "https://api-gcc.securitycenter.microsoft.us", "https://security.microsoft.com" },
	{ "gcc-high", "https://login.microsoftonline.us", "https://graph.microsoft.us",
	  "https://api-gov.securitycenter.microsoft.us", "https://security.microsoft.us" },
	{ "dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us",
	  "https://api-gov.securitycenter.microsoft.us", "https://security.apps.mil" },
};

START_TEST(test_clouds)
{
	char *text = xasprintf("apps: {soc: {client_id: " GUID(9) ", secret_file: /s, cloud: %s}}\n"
	    "sinks: {siem: {type: fake}}\n"
	    "tenants: {a: {id: " GUID(1) ", app: soc, sinks: siem}}\n", clouds[_i].cloud);
	const struct app *a;

	s = load(text);
	a = app("soc");
	ck_assert_str_eq(a->login_url, clouds[_i].login);
	ck_assert_str_eq(a->graph_url, clouds[_i].graph);
	ck_assert_str_eq(a->mde_url, clouds[_i].mde);
	ck_assert_str_eq(a->portal_url, clouds[_i].portal);
	ck_assert_str_eq(a->resource[API_GRAPH], clouds[_i].graph);
	ck_assert_str_eq(a->resource[API_MDE], clouds[_i].mde);
	free(text);
}
END_TEST

START_TEST(test_credentials)
{
	static const struct {
		enum credential_kind kind;
		const char *file, *key_file, *passphrase_file;
		int64_t ends;
	} want[] = {
		{ CREDENTIAL_FEDERATED, "/token", NULL, NULL, 0 },
		{ CREDENTIAL_CERTIFICATE, "new.pem", "new.key", "/pass", 0 },
		{ CREDENTIAL_CERTIFICATE, "/old.pem", "/old.key", "/pass", 0 },
		{ CREDENTIAL_SECRET, "/s1", NULL, NULL, 1803859200 * TICKS_SEC },
		{ CREDENTIAL_SECRET, "/s2", NULL, NULL, 1835481600 * TICKS_SEC },
	};
	const struct credential *c;

	s = load("apps: {soc: {client_id: " GUID(9) ", signature: rs256, secret_file: [/s1, /s2],"
	    " secret_expires: [2027-03-01, 2028-03-01], federated_token_file: /token,"
	    " certificate_file: [new.pem, /old.pem], key_file: [new.key, /old.key],"
	    " key_passphrase_file: /pass}}\n"
	    "sinks: {siem: {type: fake}}\n"
	    "tenants: {a: {id: " GUID(1) ", app: soc, sinks: siem}}\n");
	c = app("soc")->credentials;
	ck_assert_int_eq(app("soc")->signature, SIGNATURE_RS256);
	ck_assert_uint_eq(app("soc")->ncredentials, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		ck_assert_int_eq(c[i].kind, want[i].kind);
		ck_assert_str_eq(c[i].file, want[i].file);
		ck_assert_pstr_eq(c[i].key_file, want[i].key_file);
		ck_assert_pstr_eq(c[i].passphrase_file, want[i].passphrase_file);
		ck_assert_int_eq(c[i].ends, want[i].ends);
	}
}
END_TEST

START_TEST(test_tenants)
{
	const struct tenant *t;

	s = load(whole);
	t = settings_tenant(s, "z");
	ck_assert_str_eq(t->id, "0000000a-1111-2222-3333-44444444444f");
	ck_assert_str_eq(t->streams[0].key, "global/0000000a-1111-2222-3333-44444444444f/alerts");
	ck_assert_str_eq(t->log.kind, "tenant");
	ck_assert_str_eq(t->log.name, "z");
	ck_assert_ptr_eq(t->app, app("soc"));
	ck_assert_str_eq(t->customer->display_name, "Contoso Ltd");
	ck_assert_int_eq(t->poll_interval_ms, 10000);
	ck_assert_int_eq(t->overlap_ms, 0);
	ck_assert_int_eq(t->first_lookback_ms, 7 * INT64_C(86400000));
	ck_assert_int_eq(t->page_size, 50);
	ck_assert_int_eq(t->budget_per_min, 10);
	t = settings_tenant(s, "a");
	ck_assert_ptr_eq(t->customer, NULL);
	ck_assert_int_eq(t->poll_interval_ms, 90000);
	ck_assert_int_eq(t->overlap_ms, 600000);
	ck_assert_int_eq(t->first_lookback_ms, 86400000);
	ck_assert_int_eq(t->page_size, 200);
	ck_assert_int_eq(t->budget_per_min, 100);
}
END_TEST

/* The journal finds a tenant's place by this for ever. */
static const struct {
	const char *tenant, *key;
} keys[] = {
	{ "a", "global/" GUID(2) "/alerts" },
	{ "f", "gcc-high/" GUID(3) "/alerts" },
	{ "g", "custom:localhost:8080/" GUID(3) "/alerts" },
};

START_TEST(test_stream_key)
{
	s = load(whole);
	ck_assert_str_eq(settings_tenant(s, keys[_i].tenant)->streams[0].key, keys[_i].key);
}
END_TEST

/* Own list, else the customer's, else that of defaults; in the order they are written. */
static const struct {
	const char *tenant, *sinks;
} routes[] = {
	{ "a", "siem lake " },
	{ "z", "siem lake " },
	{ "f", "fab " },
	{ "g", "lake fab " },
	{ "quiet", "" },
};

START_TEST(test_routing)
{
	struct buf got = BUF_INIT(1000);
	const struct tenant *t;

	s = load(whole);
	t = settings_tenant(s, routes[_i].tenant);
	buf_puts(&got, "");
	for (size_t i = 0; i < t->nsinks; i++) {
		ck_assert_ptr_eq(t->sinks[i], settings_sink(s, t->sinks[i]->name));
		ck_assert_ptr_eq(t->sinks[i], tenant_sink(t, t->sinks[i]->name));
		buf_printf(&got, "%s ", t->sinks[i]->name);
	}
	ck_assert_str_eq(got.p, routes[_i].sinks);
	for (size_t i = 0; i < s->nsinks; i++)
		ck_assert_int_eq(tenant_sink(t, s->sinks[i].name) != NULL,
		    strstr(got.p, s->sinks[i].name) != NULL);
	ck_assert_ptr_null(tenant_sink(t, "nothing"));
	buf_release(&got);
}
END_TEST

START_TEST(test_origin)
{
	const struct origin *o;

	s = load(whole);
	o = settings_tenant(s, "z")->origin;
	ck_assert_str_eq(o->tenant_id, "0000000a-1111-2222-3333-44444444444f");
	ck_assert_str_eq(o->tenant, "z");
	ck_assert_str_eq(o->customer, "contoso");
	ck_assert_str_eq(o->customer_name, "Contoso Ltd");
	ck_assert_str_eq(o->cloud, "global");
	ck_assert_str_eq(o->portal_host, "security.microsoft.com");
	ck_assert_str_eq(o->stream, "alerts");
	ck_assert_str_eq(o->instance, "soc-1");
	ck_assert_uint_eq(o->nlabels, 2);
	ck_assert_str_eq(o->labels[1].key, "region");
	ck_assert_str_eq(o->labels[1].value, "1");
	o = settings_tenant(s, "a")->origin;
	ck_assert_str_eq(o->customer, "a");
	ck_assert_str_eq(o->customer_name, "a");
	o = settings_tenant(s, "g")->origin;
	ck_assert_str_eq(o->customer_name, "fabrikam");
	ck_assert_str_eq(o->portal_host, "portal.example");
}
END_TEST

START_TEST(test_sinks)
{
	const struct sink_conf *k;

	s = load(whole);
	k = settings_sink(s, "fab");
	ck_assert_ptr_eq(k->kind, &fake_kind);
	ck_assert_int_eq(((struct fake_conf *)k->conf)->size, 1 << 20);
	ck_assert_str_eq(((struct fake_conf *)k->conf)->tls.ca_file, "/c");
	ck_assert_str_eq(((struct fake_conf *)k->conf)->host, "localhost");
	ck_assert_uint_eq(k->only.n, 1);
	ck_assert_str_eq(k->text, "type: fake\nhost: \"localhost\"\nsize: 1MiB\npassword_file: []\n"
	    "tls.ca_file: \"/c\"\n");
	ck_assert_ptr_eq(k->match, NULL);
}
END_TEST

START_TEST(test_match)
{
	const struct match *m;

	s = load(whole);
	m = settings_sink(s, "siem")->match;
	ck_assert_uint_eq(m->severities, 1u << SEVERITY_HIGH | 1u << SEVERITY_MEDIUM);
	ck_assert_uint_eq(m->kinds, 0);
	ck_assert_uint_eq(m->negated->kinds, 1u << KIND_HEALTH);
	ck_assert_uint_eq(m->negated->categories.n, 1);
	ck_assert_ptr_eq(m->negated->negated, NULL);
	m = settings_sink(s, "lake")->match;
	ck_assert_uint_eq(m->parts, (1u << PART_COUNT) - 1 - (1u << PART_OTHER));
	ck_assert_uint_eq(m->customers.n, 1);
	ck_assert_str_eq(m->customers.v[0], "a");
}
END_TEST

/* The words of match are in the order of the enums they stand for. */
START_TEST(test_match_words)
{
	struct buf text = BUF_INIT(1000);

	for (unsigned i = 0; i < KIND_COUNT; i++) {
		buf_clear(&text);
		buf_printf(&text, APPS "defaults: {app: soc, sinks: s}\n" "tenants: {a: {id: " GUID(1)
		    "}}\n" "sinks: {s: {type: fake, match: {events: %s, changes: %s, severity: %s}}}\n",
		    kind_names[i], part_names[i % PART_COUNT], severity_names[i % SEVERITY_OTHER]);
		s = load(text.p);
		ck_assert_uint_eq(s->sinks[0].match->kinds, 1u << i);
		ck_assert_uint_eq(s->sinks[0].match->parts, 1u << i % PART_COUNT);
		ck_assert_uint_eq(s->sinks[0].match->severities, 1u << i % SEVERITY_OTHER);
		settings_unref(s);
	}
	s = NULL;
	buf_release(&text);
}
END_TEST

/* What a reload compares: the same values however they are written; routing is not in it. */
static const struct {
	const char *says, *sink;
	bool same;
} texts[] = {
	{ "written otherwise", "{size: 8192, host: 'localhost', type: fake}", true },
	{ "other match", "{type: fake, match: {severity: high}}", true },
	{ "another value", "{type: fake, host: x}", false },
	{ "another secret", "{type: fake, password_file: /x}", false },
	{ "another kind", "{type: other}", false },
};

START_TEST(test_sink_text)
{
	static const char base[] = APPS "defaults: {app: soc, sinks: s}\n" "tenants: {a: {id: " GUID(1)
	    "}}\n" "sinks: {s: %s}\n";
	char *a = xasprintf(base, "{type: fake}"), *b = xasprintf(base, texts[_i].sink);
	struct settings *was = load(a);

	s = load(b);
	ck_assert_msg((strcmp(was->sinks[0].text, s->sinks[0].text) == 0) == texts[_i].same, "%s",
	    texts[_i].says);
	settings_unref(was);
	free(a);
	free(b);
}
END_TEST

/* ---- where things are by default ---------------------------------------------------- */

static const struct {
	const char *says, *state, *run, *dir, *socket;
} places[] = {
	{ "nothing said", NULL, NULL, "/var/lib/msspd", "/var/lib/msspd/control.sock" },
	{ "systemd's state", "/s", NULL, "/s", "/s/control.sock" },
	{ "the first of several", "/s:/t", NULL, "/s", "/s/control.sock" },
	{ "systemd's both", "/s", "/run/m", "/s", "/run/m/control.sock" },
	{ "nonsense in the environment", "x", "", "/var/lib/msspd", "/var/lib/msspd/control.sock" },
};

START_TEST(test_places)
{
	if (places[_i].state != NULL)
		setenv("STATE_DIRECTORY", places[_i].state, 1);
	if (places[_i].run != NULL)
		setenv("RUNTIME_DIRECTORY", places[_i].run, 1);
	s = load(APPS "defaults: {app: soc, sinks: s}\n" "tenants: {a: {id: " GUID(1) "}}\n"
	    "sinks: {s: {type: fake}}\n");
	ck_assert_msg(strcmp(s->state_dir, places[_i].dir) == 0
	    && strcmp(s->control_socket, places[_i].socket) == 0, "%s: %s %s", places[_i].says,
	    s->state_dir, s->control_socket);
}
END_TEST

/* ---- several files -------------------------------------------------------------------- */

START_TEST(test_conf_d)
{
	case_write(&the_case, "conf.d/10-contoso.yaml", "customers: {contoso: {}}\n"
	    "tenants: {c: {id: " GUID(1) ", customer: contoso, sinks: [siem]}}\n");
	case_write(&the_case, "conf.d/20-fabrikam.yaml", "tenants: {f: {id: " GUID(2) "}}\n"
	    "sinks: {fab: {type: fake, only: f}}\n"
	    "defaults: {sinks: fab}\n");
	case_write(&the_case, "conf.d/README", "not a configuration: [");
	case_write(&the_case, "conf.d/.hidden.yaml", "not a configuration: [");
	s = load(APPS "defaults: {app: soc}\n" "sinks: {siem: {type: fake}}\n");
	ck_assert_uint_eq(s->ntenants, 2);
	ck_assert_str_eq(settings_tenant(s, "f")->sinks[0]->name, "fab");
	ck_assert_str_eq(settings_tenant(s, "c")->sinks[0]->name, "siem");
}
END_TEST

START_TEST(test_conf_d_errors)
{
	case_write(&the_case, "m.yaml", APPS "defaults: {app: soc, sinks: s}\n" "sinks: {s: {type: fake}}\n"
	    "log_level: info\n" "tenants: {a: {id: " GUID(1) "}}\n");
	case_write(&the_case, "conf.d/a.yaml", "tenants: {b: {id: x}, a: {id: " GUID(2) "}}\n"
	    "log_level: warn\n" "defaults: {app: soc}\n");
	case_write(&the_case, "conf.d/b.yml", "x");
	ck_assert_ptr_eq(case_load(&the_case, false), NULL);
	ck_assert_str_eq(the_case.said.p, "conf.d/a.yaml:1:19: tenants.b.id: \"x\" is not a GUID; write "
	    "the tenant's, like 11111111-2222-3333-4444-555555555555\n"
	    "conf.d/a.yaml:1:23: tenants.a: given twice, first at m.yaml:5:11; keep one of them\n"
	    "conf.d/a.yaml:2:1: log_level: given twice, first at m.yaml:4:1; keep one of them\n"
	    "conf.d/a.yaml:3:12: defaults.app: given twice, first at m.yaml:2:12; keep one of them\n"
	    "warning conf.d/b.yml: is not read; rename it to end in .yaml\n");
}
END_TEST

/* One file that is no YAML stops the rest: names in it would look undefined. */
START_TEST(test_conf_d_unsound)
{
	case_write(&the_case, "m.yaml", "log_level: loud\n");
	case_write(&the_case, "conf.d/a.yaml", "");
	case_write(&the_case, "conf.d/b.yaml", "a: b: c\n");
	ck_assert_ptr_eq(case_load(&the_case, false), NULL);
	ck_assert(str_starts(buf_peek(&the_case.said), "conf.d/a.yaml: is empty; write at least one "
	    "option, or remove the file\nconf.d/b.yaml:1:"));
	ck_assert_ptr_eq(strstr(the_case.said.p, "loud"), NULL);
}
END_TEST

START_TEST(test_no_file)
{
	ck_assert_ptr_eq(case_load(&the_case, false), NULL);
	ck_assert_str_eq(the_case.said.p, "m.yaml: cannot be opened: No such file or directory; "
	    "write it, or name another with -c\n");
}
END_TEST

/* ---- secrets, size, the rest ------------------------------------------------------------ */

START_TEST(test_secrets)
{
	char *text = xasprintf("apps: {soc: {client_id: " GUID(9) ", secret_file: [%s/good, %s/open]}}\n"
	    "defaults: {app: soc, sinks: s}\n" "tenants: {a: {id: " GUID(1) "}}\n"
	    "sinks: {s: {type: fake, password_file: graph}}\n", the_case.dir, the_case.dir);
	char *path = xasprintf("%s/open", the_case.dir);

	umask(077);
	case_write(&the_case, "good", "x\n");
	case_write(&the_case, "open", "x\n");
	ck_assert_int_eq(chmod(path, 0604), 0);
	case_write(&the_case, "m.yaml", text);
	ck_assert_ptr_eq(case_load(&the_case, true), NULL);
	ck_assert_ptr_nonnull(strstr(the_case.said.p, "apps.soc.secret_file[1]: secret file open is open "
	    "to everybody (mode 0604); chmod o= it\n"));
	ck_assert_ptr_nonnull(strstr(the_case.said.p, "sinks.s.password_file: secret file \"graph\" is a "
	    "bare name, but there is no $CREDENTIALS_DIRECTORY; "));
	s = case_load(&the_case, false);
	ck_assert_ptr_nonnull(s);
	free(path);
	free(text);
}
END_TEST

START_TEST(test_a_secrets_id_for_its_value)
{
	char *text = xasprintf("apps: {soc: {client_id: " GUID(9) ", secret_file: [%s/good, %s/id]}}\n"
	    "defaults: {app: soc, sinks: s}\n" "tenants: {a: {id: " GUID(1) "}}\n"
	    "sinks: {s: {type: fake, health: daemon}}\n", the_case.dir, the_case.dir);

	umask(077);
	case_write(&the_case, "good", "abc8Q~x\n");
	case_write(&the_case, "id", GUID(3) "\n");
	case_write(&the_case, "m.yaml", text);
	s = case_load(&the_case, true);
	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(strncmp(the_case.said.p, "warning m.yaml:1:", 17), 0);
	ck_assert_ptr_nonnull(strstr(the_case.said.p, ": apps.soc.secret_file[1]: id holds a GUID, as a "
	    "secret's ID is one; write its value, which Microsoft shows once, when the secret is made\n"));
	ck_assert_ptr_null(strstr(the_case.said.p, "secret_file[0]"));
	ck_assert_ptr_null(strstr(the_case.said.p, GUID(3)));
	free(text);
}
END_TEST

START_TEST(test_too_many_sinks)
{
	struct buf b = BUF_INIT(100000);

	buf_puts(&b, APPS "tenants: {a: {id: " GUID(1) ", app: soc, sinks: [s0");
	for (int i = 1; i < 33; i++)
		buf_printf(&b, ", s%d", i);
	buf_puts(&b, "]}}\nsinks:\n");
	for (int i = 0; i < 33; i++)
		buf_printf(&b, "  s%d: {type: fake}\n", i);
	case_write(&the_case, "m.yaml", b.p);
	ck_assert_ptr_eq(case_load(&the_case, false), NULL);
	ck_assert_str_eq(the_case.said.p,
	    "m.yaml:2:74: tenants.a.sinks: 33 sinks; at most 32 are possible\n");
	buf_release(&b);
}
END_TEST

START_TEST(test_many_tenants)
{
	struct buf b = BUF_INIT(1 << 22);

	buf_puts(&b, APPS "defaults: {app: soc, sinks: s}\nsinks: {s: {type: fake}}\ntenants:\n");
	for (int i = 0; i < 5000; i++)
		buf_printf(&b, "  t%d: {id: %08d-1111-2222-3333-444444444444, customer: c%d}\n", i, i,
		    i / 2);
	buf_puts(&b, "customers:\n");
	for (int i = 0; i < 2500; i++)
		buf_printf(&b, "  c%d: {name: Customer %d}\n", i, i);
	s = load(b.p);
	ck_assert_uint_eq(s->ntenants, 5000);
	ck_assert_str_eq(settings_tenant(s, "t4999")->customer->display_name, "Customer 2499");
	buf_release(&b);
}
END_TEST

static void
on_changed(void *arg, const char *option)
{
	buf_printf(arg, "%s ", option);
}

START_TEST(test_fixed_changes)
{
	static const char rest[] = APPS "defaults: {app: soc, sinks: s}\n" "tenants: {a: {id: " GUID(1)
	    "}}\n" "sinks: {s: {type: fake}}\n%s";
	char *a = xasprintf(rest, "journal: {remember: 200d}\n");
	char *b = xasprintf(rest, "journal: {remember: 4800h}\nstate_dir: /x\nlog_level: debug\n");
	struct buf got = BUF_INIT(100);
	struct settings *was = load(a);

	s = load(b);
	settings_fixed_changes(was, s, on_changed, &got);
	ck_assert_str_eq(got.p, "state_dir control_socket ");
	settings_unref(was);
	buf_release(&got);
	free(a);
	free(b);
}
END_TEST

START_TEST(test_ref)
{
	struct settings *again;

	s = load(whole);
	again = settings_ref(s);
	ck_assert_ptr_eq(again, s);
	settings_unref(again);
	ck_assert_str_eq(s->instance, "soc-1");
	settings_unref(NULL);
}
END_TEST

/* ---- the manual -------------------------------------------------------------------------- */

static void
check_help(const char *manual, const char *list, const struct conf_opt *table, const char *prefix)
{
	for (const struct conf_opt *o = table; o->name != NULL; o++) {
		char *row = xasprintf("| `%s%s` | ", prefix, o->name);
		char *below = xasprintf("%s%s.", prefix, o->name);

		ck_assert_msg(o->help != NULL && strlen(o->help) > 2, "%s%s has no help", prefix, o->name);
		ck_assert_msg(o->help[strlen(o->help) - 1] == '.' && strchr(o->help, '\n') == NULL,
		    "%s%s: its help is no sentence", prefix, o->name);
		if (o->type == CONF_MAP)
			check_help(manual, list, o->sub, below);
		else
			ck_assert_msg(strstr(manual, row) != NULL && strstr(list, o->name) != NULL,
			    "%s%s is not in the manual", prefix, o->name);
		free(row);
		free(below);
	}
}

START_TEST(test_manual)
{
	char *manual = NULL, *list = NULL;
	size_t n;
	FILE *out = open_memstream(&manual, &n);

	settings_print_manual(out);
	fclose(out);
	out = open_memstream(&list, &n);
	settings_print_options(out);
	fclose(out);
	check_help(manual, list, root_opts, "");
	for (const struct conf_opt *o = root_opts; o->name != NULL; o++) {
		if (o->type == CONF_TREE)
			check_help(manual, list, o->sub, "");
	}
	check_help(manual, list, fake_opts, "");
	ck_assert_ptr_nonnull(strstr(list, "sinks.NAME.match.severity (any of unknown"));
	ck_assert_ptr_nonnull(strstr(list, "sinks.NAME.tls.ca_file"));
	free(manual);
	free(list);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tc = tcase_create("settings");
	SRunner *sr = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, open_case, close_case);
	tcase_add_test(tc, test_top);
	tcase_add_test(tc, test_apps);
	tcase_add_test(tc, test_credentials);
	tcase_add_loop_test(tc, test_clouds, 0, ARRAY_LEN(clouds));
	tcase_add_test(tc, test_tenants);
	tcase_add_loop_test(tc, test_stream_key, 0, ARRAY_LEN(keys));
	tcase_add_loop_test(tc, test_routing, 0, ARRAY_LEN(routes));
	tcase_add_test(tc, test_origin);
	tcase_add_test(tc, test_sinks);
	tcase_add_test(tc, test_match);
	tcase_add_test(tc, test_match_words);
	tcase_add_loop_test(tc, test_sink_text, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(tc, test_places, 0, ARRAY_LEN(places));
	tcase_add_test(tc, test_conf_d);
	tcase_add_test(tc, test_conf_d_errors);
	tcase_add_test(tc, test_conf_d_unsound);
	tcase_add_test(tc, test_no_file);
	tcase_add_test(tc, test_secrets);
	tcase_add_test(tc, test_a_secrets_id_for_its_value);
	tcase_add_test(tc, test_too_many_sinks);
	tcase_add_test(tc, test_many_tenants);
	tcase_add_test(tc, test_fixed_changes);
	tcase_add_test(tc, test_ref);
	tcase_add_test(tc, test_manual);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
