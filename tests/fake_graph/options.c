/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "lib/base/alloc.h"
#include "lib/base/str.h"
#include "tests/fake_graph/control.h"
#include "tests/fake_graph/faults.h"
#include "tests/fake_graph/options.h"
#include "tests/fake_graph/truth.h"

enum type { TEXT, LIST, INT, REAL, FLAG, NOFLAG, ONOFF, CHOICE };

struct option_row {
	const char *name;
	enum type type;
	size_t off, count_off; /* the count of a LIST */
	long long min, max;
	const char *const *choices;
	const char *arg, *help;
};

static const char *const pagings[] = { "skiptoken", "skip", "none", NULL };
static const char *const obeys[] = { "honour", "ignore", "refuse", NULL };
static const char *const corpora[] = { "real", "bench", NULL };

#define F(field) offsetof(struct options, field)

static const struct option_row rows[] = {
	{ "listen", TEXT, F(listen), .arg = "ADDR:PORT",
	    .help = "where to listen; port 0 takes a free one (127.0.0.1:8080)" },
	{ "tls-cert", TEXT, F(tls_cert), .arg = "FILE", .help = "serve https with this PEM chain" },
	{ "tls-key", TEXT, F(tls_key), .arg = "FILE", .help = "and this PEM key" },
	{ "public-url", TEXT, F(public_url), .arg = "URL",
	    .help = "what clients call this server, for links (http[s]://ADDR:PORT)" },
	{ "tenants", INT, F(ntenants), .min = 1, .max = 100000, .arg = "N",
	    .help = "tenants 00000000-0000-4000-8000-000000000001 and on, named tenant1 … (1)" },
	{ "tenant", LIST, F(named), F(nnamed), .arg = "GUID:NAME",
	    .help = "one tenant; repeat it; replaces --tenants" },
	{ "alerts", INT, F(nalerts), .min = 0, .max = 10000000, .arg = "N",
	    .help = "alerts that each tenant has at the start (50; 2000 with --corpus bench)" },
	{ "incidents", INT, F(nincidents), .min = 0, .max = 1000000, .arg = "N",
	    .help = "incidents that each tenant has at the start (0)" },
	{ "incident-rate", REAL, F(incident_rate), .min = 0, .max = 10000, .arg = "R",
	    .help = "changes of incidents per second and tenant (0)" },
	{ "same-stamp", INT, F(same_stamp), .min = 0, .max = 1000000, .arg = "N",
	    .help = "and N more on one lastUpdateDateTime, never changing (0)" },
	{ "future", INT, F(future), .min = 0, .max = 1000000, .arg = "N",
	    .help = "and N more with a lastUpdateDateTime in 2099 (0)" },
	{ "hostile", INT, F(hostile), .min = 0, .max = 1000000, .arg = "N",
	    .help = "and N more hostile ones, of each class in turn (0)" },
	{ "history", INT, F(history), .min = 1, .max = 15000000, .arg = "SECONDS",
	    .help = "spread the first alerts over this much of the past (72000)" },
	{ "corpus", CHOICE, F(corpus), .choices = corpora, .arg = "real|bench",
	    .help = "bench: mean 5.2 KB an alert, evenly made (real)" },
	{ "rate", REAL, F(rate), .min = 0, .max = 10000, .arg = "R",
	    .help = "changes per second and tenant (0)" },
	{ "touches", INT, F(touches), .min = 0, .max = 100, .arg = "PERCENT",
	    .help = "changes that move lastUpdateDateTime and nothing else (0)" },
	{ "late-ms", INT, F(late_ms), .min = 0, .max = 604800000, .arg = "MS",
	    .help = "versions are shown up to this much after their stamp (0)" },
	{ "stop-after", INT, F(stop_after), .min = 0, .max = 1000000, .arg = "SECONDS",
	    .help = "end the changes then, go on serving (0: never)" },
	{ "seed", INT, F(seed), .min = 0, .max = INT64_MAX, .arg = "S",
	    .help = "the same seed makes the same alerts and story (1)" },
	{ "truth", TEXT, F(truth), .arg = "FILE",
	    .help = "write what existed and when, see below" },
	{ "client-id", TEXT, F(client_id), .arg = "ID",
	    .help = "the app that is registered (6f0c8a5e-0000-4000-8000-000000000001)" },
	{ "client-secret", TEXT, F(client_secret), .arg = "TEXT",
	    .help = "and its secret; empty: it has none (fake-secret)" },
	{ "client-cert", LIST, F(certificates), F(ncertificates), .arg = "FILE",
	    .help = "a certificate (PEM) that is registered with the app; read at each use, so "
	            "that it may come and go; repeat it" },
	{ "federated-key", TEXT, F(federated_key), .arg = "FILE",
	    .help = "public key (PEM) of an issuer that the app trusts, read at each use" },
	{ "federated-issuer", TEXT, F(federated_issuer), .arg = "URL",
	    .help = "that issuer (https://issuer.example)" },
	{ "federated-subject", TEXT, F(federated_subject), .arg = "TEXT",
	    .help = "whom it vouches for (system:serviceaccount:soc:msspd)" },
	{ "alerts-only", FLAG, F(is_alerts_only),
	    .help = "tokens hold the role for alerts and not the one for incidents" },
	{ "token-lifetime", INT, F(token_lifetime), .min = 1, .max = 1000000, .arg = "SECONDS",
	    .help = "expires_in of a token (3599)" },
	{ "keepalive", INT, F(keepalive), .min = 1, .max = 1000000, .arg = "SECONDS",
	    .help = "idle connections are closed after this (600)" },
	{ "paging", CHOICE, F(paging), .choices = pagings, .arg = "skiptoken|skip|none",
	    .help = "what nextLink is made of; none: it is withheld (skiptoken)" },
	{ "orderby", CHOICE, F(orderby), .choices = obeys, .arg = "honour|ignore|refuse",
	    .help = "what becomes of $orderby (honour)" },
	{ "filter", CHOICE, F(filter), .choices = obeys, .arg = "honour|ignore|refuse",
	    .help = "what becomes of $filter (honour)" },
	{ "policy", LIST, F(policies), F(npolicies), .arg = "TENANT:OPTION=VALUE",
	    .help = "paging, orderby or filter of one tenant; repeat it" },
	{ "max-top", INT, F(max_top), .min = 1, .max = 1000000, .arg = "N",
	    .help = "$top is cut to this (1000)" },
	{ "per-minute", INT, F(per_minute), .min = 0, .max = 1000000, .arg = "N",
	    .help = "429 above so many reads a minute and tenant; Graph has 150 (0: no limit)" },
	{ "mde-only", INT, F(mde_only), .min = 0, .max = 100, .arg = "PERCENT",
	    .help = "endpoint alerts that only Defender for Endpoint's own API has (0)" },
	{ "mde-per-minute", INT, F(mde_per_minute), .min = 0, .max = 1000000, .arg = "N",
	    .help = "429 there above so many reads a minute and tenant (0: no limit)" },
	{ "mde-per-hour", INT, F(mde_per_hour), .min = 0, .max = 1000000, .arg = "N",
	    .help = "and an hour (0: no limit)" },
	{ "page-gzip", ONOFF, F(page_gzip), .arg = "on|off",
	    .help = "compress pages for clients that accept it (on)" },
	{ "gzip-level", INT, F(gzip_level), .min = 1, .max = 9, .arg = "N", .help = "1 to 9 (6)" },
	{ "gzip-cache", INT, F(gzip_cache), .min = 0, .max = 100000, .arg = "MB",
	    .help = "memory for compressed pages (128)" },
	{ "fault", LIST, F(faults), F(nfaults), .arg = "SPEC", .help = "see below; repeat it" },
	{ "no-control", NOFLAG, F(with_control), .help = "no /_control on the listener" },
	{ "secret-file", TEXT, F(secret_file), .arg = "FILE",
	    .help = "write the client secret there, for the configuration's secret_file" },
	{ "print-config", FLAG, F(shall_print_config),
	    .help = "print apps and tenants for msspd.yaml and exit (needs a port that is not 0)" },
	{ "write-config", TEXT, F(config_file), .arg = "FILE",
	    .help = "write the same when listening, with the real port" },
	{ "quiet", FLAG, F(is_quiet), .help = "no line about the work every 10 s on stderr" },
};
#undef F

static bool
set_int(const struct option_row *row, long long *to, const char *value, struct err *err)
{
	char *end;

	errno = 0;
	*to = strtoll(value, &end, 10);
	if (*value == '\0' || *end != '\0' || errno != 0 || *to < row->min || *to > row->max)
		return err_set(err, ERR_CONF, "--%s: %s is not a number from %lld to %lld",
		    row->name, value, row->min, row->max);
	return true;
}

static bool
set_real(const struct option_row *row, double *to, const char *value, struct err *err)
{
	char *end;

	*to = strtod(value, &end);
	if (*value == '\0' || *end != '\0' || !(*to >= (double)row->min && *to <= (double)row->max))
		return err_set(err, ERR_CONF, "--%s: %s is not a number from %lld to %lld",
		    row->name, value, row->min, row->max);
	return true;
}

static bool
set_choice(const struct option_row *row, int *to, const char *value, struct err *err)
{
	for (int i = 0; row->choices[i] != NULL; i++) {
		if (strcmp(row->choices[i], value) == 0) {
			*to = i;
			return true;
		}
	}
	return err_set(err, ERR_CONF, "--%s: %s is not one of %s", row->name, value, row->arg);
}

static bool
set_onoff(const struct option_row *row, bool *to, const char *value, struct err *err)
{
	*to = strcmp(value, "on") == 0;
	if (!*to && strcmp(value, "off") != 0)
		return err_set(err, ERR_CONF, "--%s: %s is neither on nor off", row->name, value);
	return true;
}

static void
add_to_list(void *list, size_t *n, const char *value)
{
	const char ***items = list;

	*items = xreallocarray(*items, *n + 1, sizeof(**items));
	(*items)[(*n)++] = value;
}

static bool
set(struct options *o, const struct option_row *row, const char *value, struct err *err)
{
	void *to = (char *)o + row->off;

	switch (row->type) {
	case TEXT:
		*(const char **)to = value;
		return true;
	case LIST:
		add_to_list(to, (size_t *)(void *)((char *)o + row->count_off), value);
		return true;
	case INT:
		return set_int(row, to, value, err);
	case REAL:
		return set_real(row, to, value, err);
	case FLAG:
	case NOFLAG:
		*(bool *)to = row->type == FLAG;
		return true;
	case ONOFF:
		return set_onoff(row, to, value, err);
	case CHOICE:
		return set_choice(row, to, value, err);
	}
	BUG("option type %d", (int)row->type);
}

static const struct option_row *
find_row(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (str_is(name, rows[i].name))
			return &rows[i];
	}
	return NULL;
}

/* "--name value", "--name=value" or "--name"; *i moves past what was used. */
static bool
parse_one(struct options *o, int argc, char **argv, int *i, struct err *err)
{
	const char *arg = argv[*i], *equals = strchr(arg, '=');
	struct str name = { arg + 2,
		equals != NULL ? (size_t)(equals - arg) - 2 : strlen(arg) - 2 };
	const struct option_row *row;

	if (strncmp(arg, "--", 2) != 0)
		return err_set(err, ERR_CONF, "unexpected argument %s; see --help", arg);
	row = find_row(name);
	if (row == NULL)
		return err_set(err, ERR_CONF, "unknown option %s; see --help", arg);
	if (row->type == FLAG || row->type == NOFLAG) {
		if (equals != NULL)
			return err_set(err, ERR_CONF, "--%s takes no value", row->name);
		return set(o, row, NULL, err);
	}
	if (equals != NULL)
		return set(o, row, equals + 1, err);
	if (*i + 1 >= argc)
		return err_set(err, ERR_CONF, "--%s needs a value: %s", row->name, row->arg);
	return set(o, row, argv[++*i], err);
}

static bool
check(struct options *o, struct err *err)
{
	if (o->nalerts < 0)
		o->nalerts = o->corpus == CORPUS_BENCH ? 2000 : 50;
	if ((o->tls_cert == NULL) != (o->tls_key == NULL))
		return err_set(err, ERR_CONF, "--tls-cert and --tls-key belong together");
	if (o->nnamed > MAX_NAMED)
		return err_set(err, ERR_CONF, "more than %d times --tenant", MAX_NAMED);
	return true;
}

enum options_end
options_parse(struct options *o, int argc, char **argv, struct err *err)
{
	*o = (struct options){
		.listen = "127.0.0.1:8080",
		.ntenants = 1,
		.nalerts = -1,
		.history = 72000,
		.seed = 1,
		.client_id = "6f0c8a5e-0000-4000-8000-000000000001",
		.client_secret = "fake-secret",
		.federated_issuer = "https://issuer.example",
		.federated_subject = "system:serviceaccount:soc:msspd",
		.token_lifetime = 3599,
		.keepalive = 600,
		.max_top = 1000,
		.page_gzip = true,
		.with_control = true,
		.gzip_level = 6,
		.gzip_cache = 128,
	};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return OPTIONS_HELP;
		if (strcmp(argv[i], "--version") == 0)
			return OPTIONS_VERSION;
		if (!parse_one(o, argc, argv, &i, err))
			return OPTIONS_WRONG;
	}
	return check(o, err) ? OPTIONS_RUN : OPTIONS_WRONG;
}

void
options_release(struct options *o)
{
	free(o->named);
	free(o->policies);
	free(o->certificates);
	free(o->faults);
}

void
options_help(void)
{
	printf("fake-graph: plays Microsoft Entra's token endpoint and Graph's alerts_v2.\n\n"
	       "usage: fake-graph [options]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[60];

		snprintf(left, sizeof(left), "--%s %s", rows[i].name,
		    rows[i].arg != NULL ? rows[i].arg : "");
		printf("  %-28s %s%s\n", left,
		    strlen(left) > 28 ? "\n                               " : "", rows[i].help);
	}
	printf("  %-28s this text\n  %-28s the version\n\n", "--help", "--version");
	faults_help();
	control_help();
	truth_help();
}
