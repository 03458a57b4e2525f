/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/msspctl/act.h"
#include "daemon/msspctl/args.h"
#include "daemon/msspctl/backup.h"
#include "daemon/msspctl/call.h"
#include "daemon/msspctl/check_tenant.h"
#include "daemon/msspctl/config.h"
#include "daemon/msspctl/look.h"
#include "daemon/msspctl/held.h"
#include "daemon/msspctl/letters.h"
#include "daemon/msspctl/onboard.h"
#include "daemon/msspctl/purge.h"
#include "daemon/msspctl/replay.h"
#include "daemon/msspctl/report.h"
#include "daemon/msspctl/safe.h"
#include "daemon/msspctl/test_sink.h"
#include "lib/base/str.h"
#include "lib/base/version.h"
#include "lib/config/nearest.h"

#define DEFAULT_SOCKET "/run/msspd/control.sock"
#define DEFAULT_CONFIG "/etc/msspd/msspd.yaml"

static const char usage[] =
    "usage: msspctl [-s SOCKET] [-c FILE] COMMAND [NAME...]\n"
    "\n"
    "Asks the running msspd:\n"
    "\n"
    "  status [--json]     how the tenants, the sinks and the journal are; exits 0\n"
    "                      also when something is wrong with them\n"
    "  tenants [--json]    a line a tenant\n"
    "  tenant NAME... [--json]\n"
    "                      all there is to know of them\n"
    "  tenant purge NAME [--yes] [--json]\n"
    "                      a customer leaves: all that is kept of that tenant goes from\n"
    "                      the journal, for good; --yes: also while it is configured\n"
    "  sinks [--json]      a line a sink\n"
    "  sink NAME... [--json]\n"
    "                      all there is to know of them\n"
    "  top                 status, again every two seconds, with what sinks accept\n"
    "  reload              read the configuration anew; a bad one changes nothing\n"
    "  poll TENANT...|--all\n"
    "                      read them now, also those that wait for a person\n"
    "  pause tenant|sink NAME...\n"
    "  resume tenant|sink NAME...\n"
    "                      have tenants not read, sinks given nothing, until they are\n"
    "                      resumed or msspd starts again; nothing is lost by it\n"
    "  sink forget NAME    let go at once what waits for a sink that is not in the\n"
    "                      configuration any more\n"
    "  log-level LEVEL     error, warn, info or debug, until the next reload\n"
    "  backup FILE         copy the journal while it is used; a name without a path is\n"
    "                      a file in backup/ of state_dir. The copy is a journal:\n"
    "                      docs/OPERATIONS.md has how to go on from it\n"
    "  dead [--sink S] [--tenant T] [--all] [--json]\n"
    "                      dead letters: what a sink will never take, with the reason;\n"
    "                      the 200 oldest, or all\n"
    "  dead show N... [--raw|--json]\n"
    "                      all of one; --raw: the bytes, for a file or a pipe\n"
    "  dead retry N...|--sink S|--tenant T|--all\n"
    "                      give them to their sinks once more; each stays a dead letter\n"
    "                      until its sink has accepted it\n"
    "  dead drop N...|--sink S|--tenant T|--all\n"
    "                      let go of them for good\n"
    "  quarantine [--tenant T] [--all] [--json]\n"
    "                      what could not be read, and why; quarantine show N... as above\n"
    "  replay --tenant T --from A [--to B] [--sink S] [--all] [--detach]\n"
    "                      read a time of that tenant again, up to 180 days back, and\n"
    "                      deliver, marked as replay, what is not known; --all: also\n"
    "                      what is; --sink: to that sink alone, what it was never given\n"
    "                      (for what it had and lost: --all, or resend). A and B are a\n"
    "                      day, an RFC 3339 time, or so long ago (36h); B is now where\n"
    "                      it is not given. Follows it to its end, unless --detach; Ctrl-C\n"
    "                      leaves it running\n"
    "  resend --sink S --from A\n"
    "                      that sink lost what it got since A: what the journal still\n"
    "                      keeps is sent to it again, what is older is read from\n"
    "                      Microsoft; goes on by itself\n"
    "  replays [--json]    what is read again, was lately, or will be: replays, and\n"
    "                      what sinks missed\n"
    "  replay-cancel N...  end those replays, by their numbers\n"
    "  report [--day D] [--tenant T] [--customer C] [--json]\n"
    "                      the proof of a day (2026-11-20, in UTC; default yesterday):\n"
    "                      what Microsoft lists that was created on it, what of it is in\n"
    "                      the journal, what each sink accepted, and every difference.\n"
    "                      Exits 0 when there is none, 1 when there is one, 75 when a\n"
    "                      tenant cannot be counted now\n"
    "  held [SINK] [--json]\n"
    "                      mails that wait for a digest: how many events, until when,\n"
    "                      why, and by which name they can be taken back\n"
    "  held-cancel ID...   take those back: who has not got them does not get them\n"
    "  test-sink NAME... [--to ADDRESS] [--timeout T] [--json]\n"
    "                      send one marked test record through that sink's own format\n"
    "                      and connection, and say whether the far side accepted it,\n"
    "                      how long it took, or why not and what to do; within T (30s).\n"
    "                      Mail sinks want --to: a recipient that their rules know.\n"
    "                      Exits 0 accepted, 69 not reached, 75 no answer, 76 refused\n"
    "\n"
    "Reads the configuration and needs no running msspd; NAME is a tenant, or a\n"
    "customer for all of its tenants:\n"
    "\n"
    "  check-tenant NAME...|--all [--json]\n"
    "                      try them from here, step by step: names, TLS, token,\n"
    "                      roles, a read, clock; what to do where one fails. Names\n"
    "                      the sinks; test-sink tries them.\n"
    "                      Exits 0 when all is well, else 69 not reached, 75 try\n"
    "                      again, 76 odd answers, 77 permission missing, 78\n"
    "                      configuration\n"
    "  consent-url NAME... [--state TEXT]\n"
    "                      the link by which the customer's administrator lets the\n"
    "                      app read alerts; TEXT comes back on the redirect\n"
    "                      (default: a random one)\n"
    "  onboard NAME... [--requests [--json]]\n"
    "                      the customer's checklist from consent to the access of\n"
    "                      your people to its portal; --requests: its part in Entra\n"
    "                      ID as Microsoft Graph requests\n"
    "\n"
    "  -s, --socket PATH   control_socket of the daemon (default that of FILE where -c\n"
    "                      names one, else $MSSPD_SOCKET, else\n"
    "                      " DEFAULT_SOCKET ")\n"
    "  -c, --config FILE   its configuration (default " DEFAULT_CONFIG ")\n"
    "      --json          JSON instead of text\n"
    "  -V, --version       print the version\n"
    "  -h, --help          print this\n";

enum { OPT_JSON = 256, OPT_REQUESTS, OPT_STATE, OPT_ALL, OPT_TENANT, OPT_SINK, OPT_FROM, OPT_TO,
	OPT_DETACH, OPT_TIMEOUT, OPT_RAW, OPT_YES, OPT_DAY, OPT_CUSTOMER };

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "requests", no_argument, NULL, OPT_REQUESTS },
	{ "state", required_argument, NULL, OPT_STATE },
	{ "tenant", required_argument, NULL, OPT_TENANT },
	{ "sink", required_argument, NULL, OPT_SINK },
	{ "from", required_argument, NULL, OPT_FROM },
	{ "to", required_argument, NULL, OPT_TO },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "detach", no_argument, NULL, OPT_DETACH },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "yes", no_argument, NULL, OPT_YES },
	{ "day", required_argument, NULL, OPT_DAY },
	{ "customer", required_argument, NULL, OPT_CUSTOMER },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* What a verb takes besides -s and -c; anything else is refused. */
enum { TAKES_JSON = 1, TAKES_REQUESTS = 2, TAKES_STATE = 4, TAKES_NAMES = 8, TAKES_ALL = 16,
	TAKES_PERIOD = 32, TAKES_NUMBERS = 64, TAKES_SOME_NAMES = 128, TAKES_TO = 256,
	TAKES_TIMEOUT = 512, TAKES_WHICH = 1024, TAKES_RAW = 2048,
	TAKES_PURGE = 4096, TAKES_DAY = 8192, NEEDS_NO_DAEMON = 16384,
	TAKES_ANY_NAMES = TAKES_NAMES | TAKES_NUMBERS | TAKES_SOME_NAMES };

static const struct command {
	const char *name;
	int (*run)(const struct args *a);
	unsigned takes;
	const char *wants; /* what is said to who gave no names; of two words none is a command without one */
} commands[] = {
	{ "status", do_status, TAKES_JSON },
	{ "tenants", do_tenants, TAKES_JSON },
	{ "tenant purge", do_tenant_purge, TAKES_NAMES | TAKES_PURGE | TAKES_JSON },
	{ "tenant", do_tenant, TAKES_NAMES | TAKES_JSON, "name a tenant; msspctl tenants lists them" },
	{ "sinks", do_sinks, TAKES_JSON },
	{ "sink forget", do_sink_forget, TAKES_NAMES },
	{ "sink", do_sink, TAKES_NAMES | TAKES_JSON, "name a sink; msspctl sinks lists them" },
	{ "top", do_top, 0 },
	{ "reload", do_reload, 0 },
	{ "poll", do_poll, TAKES_NAMES | TAKES_ALL, "name tenants, or say --all" },
	{ "pause tenant", do_pause_tenant, TAKES_NAMES },
	{ "pause sink", do_pause_sink, TAKES_NAMES },
	{ "resume tenant", do_resume_tenant, TAKES_NAMES },
	{ "resume sink", do_resume_sink, TAKES_NAMES },
	{ "log-level", do_log_level, TAKES_NAMES, "say the level: error, warn, info or debug" },
	{ "backup", do_backup, TAKES_NAMES, "name the file to write" },
	{ "check-tenant", do_check_tenant, TAKES_NAMES | TAKES_ALL | TAKES_JSON | NEEDS_NO_DAEMON,
	  "name tenants or customers, or say --all" },
	{ "dead show", do_dead_show, TAKES_NUMBERS | TAKES_RAW | TAKES_JSON,
	  "give a number, as the list has it" },
	{ "dead retry", do_dead_retry, TAKES_SOME_NAMES | TAKES_WHICH | TAKES_ALL },
	{ "dead drop", do_dead_drop, TAKES_SOME_NAMES | TAKES_WHICH | TAKES_ALL },
	{ "dead", do_dead, TAKES_WHICH | TAKES_ALL | TAKES_JSON },
	{ "quarantine show", do_quarantine_show, TAKES_NUMBERS | TAKES_RAW | TAKES_JSON,
	  "give a number, as the list has it" },
	{ "quarantine", do_quarantine, TAKES_WHICH | TAKES_ALL | TAKES_JSON },
	{ "replay", do_replay, TAKES_PERIOD | TAKES_WHICH | TAKES_TO | TAKES_ALL },
	{ "resend", do_resend, TAKES_PERIOD | TAKES_WHICH | TAKES_TO },
	{ "replays", do_replays, TAKES_JSON },
	{ "replay-cancel", do_replay_cancel, TAKES_NUMBERS, "give a number, as the list has it" },
	{ "report", do_report, TAKES_WHICH | TAKES_DAY | TAKES_JSON },
	{ "held", do_held, TAKES_SOME_NAMES | TAKES_JSON },
	{ "held-cancel", do_held_cancel, TAKES_NAMES, "give an id; msspctl held shows them" },
	{ "test-sink", do_test_sink, TAKES_NAMES | TAKES_TO | TAKES_TIMEOUT | TAKES_JSON,
	  "name a sink; msspctl sinks lists them" },
	{ "consent-url", do_consent_url, TAKES_NAMES | TAKES_STATE | NEEDS_NO_DAEMON,
	  "name a tenant or a customer" },
	{ "onboard", do_onboard, TAKES_NAMES | TAKES_REQUESTS | TAKES_JSON | NEEDS_NO_DAEMON,
	  "name a tenant or a customer" },
};

static int
bad_usage(const char *what)
{
	fprintf(stderr, "msspctl: %s\nTry 'msspctl --help'.\n", what);
	return EX_USAGE;
}

static unsigned
given(const struct args *a)
{
	bool has_period = a->from != NULL || a->is_detached;
	bool has_which = a->tenant != NULL || a->sink != NULL;

	return (a->is_json ? TAKES_JSON : 0) | (a->wants_requests ? TAKES_REQUESTS : 0) |
	       (a->state != NULL ? TAKES_STATE : 0) | (a->wants_all ? TAKES_ALL : 0) |
	       (has_period ? TAKES_PERIOD : 0) | (a->to != NULL ? TAKES_TO : 0) |
	       (a->timeout != NULL ? TAKES_TIMEOUT : 0) | (has_which ? TAKES_WHICH : 0) |
	       (a->is_raw ? TAKES_RAW : 0) | (a->is_sure ? TAKES_PURGE : 0) |
	       (a->day != NULL || a->customer != NULL ? TAKES_DAY : 0);
}

/* What of that c does not take is said by its name. */
static int
refuse(const struct args *a, const struct command *c)
{
	static const struct {
		unsigned bits;
		const char *words;
	} options[] = {
		{ TAKES_JSON, "--json" }, { TAKES_REQUESTS, "--requests" }, { TAKES_STATE, "--state" },
		{ TAKES_ALL, "--all" }, { TAKES_PERIOD, "--from or --detach" }, { TAKES_TO, "--to" },
		{ TAKES_TIMEOUT, "--timeout" }, { TAKES_WHICH, "--tenant or --sink" }, { TAKES_RAW, "--raw" },
		{ TAKES_PURGE, "--yes" }, { TAKES_DAY, "--day or --customer" },
	};
	unsigned excess = given(a) & ~c->takes;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		if ((excess & options[i].bits) != 0)
			fprintf(stderr, "msspctl: %s takes no %s\n", c->name, options[i].words);
	}
	if (a->nnames != 0 && (c->takes & TAKES_ANY_NAMES) == 0) {
		fprintf(stderr, "msspctl: %s takes no name: '", c->name);
		put_safe(stderr, str_of(a->names[0]), 60);
		fputs("'\n", stderr);
	}
	fputs("Try 'msspctl --help'.\n", stderr);
	return EX_USAGE;
}

/* "sink forget" is one of two words, where a name follows; else "sink" has the name forget. */
static bool
is_command(struct args *a, const struct command *c, const char *word)
{
	size_t n = strlen(word), least = (c->takes & TAKES_NAMES) != 0 ? 2 : 1;

	if (strcmp(c->name, word) == 0)
		return true;
	if (strncmp(c->name, word, n) != 0 || c->name[n] != ' ' || a->nnames < least ||
	    strcmp(c->name + n + 1, a->names[0]) != 0)
		return false;
	a->names++;
	a->nnames--;
	return true;
}

/* The unit's daemon has it in its RuntimeDirectory, which nobody else is told, unless the file says where. */
static bool
is_the_units(const char *config, const char *socket, bool is_said)
{
	return !is_said && strcmp(config, DEFAULT_CONFIG) == 0 && access(socket, F_OK) != 0;
}

/* Runs c with what was said, or what stands for what was not. */
static int
run(struct args *a, const struct command *c)
{
	const char *from_env = getenv("MSSPD_SOCKET");
	bool wants_file = a->config != NULL && a->socket == NULL && (c->takes & NEEDS_NO_DAEMON) == 0;
	char *from_file = NULL;
	bool is_said;
	int status;

	a->config = a->config != NULL ? a->config : DEFAULT_CONFIG;
	if (wants_file) {
		from_file = config_socket(a->config, &is_said, &status);
		if (from_file == NULL)
			return status;
		a->socket = is_the_units(a->config, from_file, is_said) ? DEFAULT_SOCKET : from_file;
	} else if (a->socket == NULL) {
		a->socket = from_env != NULL ? from_env : DEFAULT_SOCKET;
	}
	status = c->run(a);
	free(from_file);
	return status;
}

/* What is no UTF-8 cannot be asked for; and left out it would mean more: all tenants, all dead letters. */
static bool
is_text(const char *word)
{
	if (word == NULL || utf8_valid(word, strlen(word)))
		return true;
	fputs("msspctl: '", stderr);
	put_safe(stderr, str_of(word), 60);
	fputs("' is no UTF-8, as all names and times are\n", stderr);
	return false;
}

static bool
are_texts(const struct args *a)
{
	bool ok = is_text(a->tenant) && is_text(a->sink) && is_text(a->from) && is_text(a->to)
	    && is_text(a->day) && is_text(a->customer) && is_text(a->state);

	for (size_t i = 0; ok && i < a->nnames; i++)
		ok = is_text(a->names[i]);
	return ok;
}

/* Half of a command, as "pause", is told its other halves; else what may have been meant. */
static int
no_command(const char *name)
{
	size_t n = strlen(name);
	struct nearest near;

	nearest_init(&near, name);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const char *of = commands[i].name;

		if (strncmp(of, name, n) == 0 && of[n] == ' ') {
			fprintf(stderr, "msspctl: %s what? %s tenant NAME..., or %s sink NAME...\n"
			    "Try 'msspctl --help'.\n", name, name, name);
			return EX_USAGE;
		}
		nearest_offer(&near, of);
	}
	fprintf(stderr, "msspctl: there is no command '%s'%s%s%s\nTry 'msspctl --help'.\n", name,
	    near.best != NULL ? "; did you mean " : "", near.best != NULL ? near.best : "",
	    near.best != NULL ? "?" : "");
	return EX_USAGE;
}

static int
run_command(struct args *a, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		if (!is_command(a, c, name))
			continue;
		if ((given(a) & ~c->takes) != 0 || (a->nnames != 0 && (c->takes & TAKES_ANY_NAMES) == 0))
			return refuse(a, c);
		if ((c->takes & TAKES_NAMES) != 0 && (a->nnames == 0) != a->wants_all)
			return bad_usage(c->wants);
		if ((c->takes & TAKES_NUMBERS) != 0 && a->nnames == 0)
			return bad_usage(c->wants);
		if ((c->takes & TAKES_REQUESTS) != 0 && a->is_json && !a->wants_requests)
			return bad_usage("--json goes with --requests");
		if (a->is_raw && a->is_json)
			return bad_usage("--raw or --json, not both");
		if (!are_texts(a))
			return EX_USAGE;
		return run(a, c);
	}
	return no_command(name);
}

/* An option of replay. False: it is none. */
static bool
take_period(struct args *a, int c)
{
	const char **texts[] = { [OPT_TENANT - OPT_TENANT] = &a->tenant,
		[OPT_SINK - OPT_TENANT] = &a->sink, [OPT_FROM - OPT_TENANT] = &a->from,
		[OPT_TO - OPT_TENANT] = &a->to };

	if (c >= OPT_TENANT && c <= OPT_TO)
		*texts[c - OPT_TENANT] = optarg;
	a->is_detached |= c == OPT_DETACH;
	return c >= OPT_TENANT && c <= OPT_DETACH;
}

/* One option; false ends the program with *status. */
static bool
take(struct args *a, int c, int *status)
{
	if (take_period(a, c))
		return true;
	switch (c) {
	case 's':
		a->socket = optarg;
		return true;
	case 'c':
		a->config = optarg;
		return true;
	case OPT_JSON:
		a->is_json = true;
		return true;
	case OPT_REQUESTS:
		a->wants_requests = true;
		return true;
	case OPT_ALL:
		a->wants_all = true;
		return true;
	case OPT_TIMEOUT:
		a->timeout = optarg;
		return true;
	case OPT_RAW:
		a->is_raw = true;
		return true;
	case OPT_YES:
		a->is_sure = true;
		return true;
	case OPT_DAY:
		a->day = optarg;
		return true;
	case OPT_CUSTOMER:
		a->customer = optarg;
		return true;
	case OPT_STATE:
		a->state = optarg;
		return true;
	case 'V':
		printf("msspctl %s\n", msspd_version);
		*status = EX_OK;
		return false;
	case 'h':
		fputs(usage, stdout);
		*status = EX_OK;
		return false;
	}
	fputs("Try 'msspctl --help'.\n", stderr); /* getopt has said what */
	*status = EX_USAGE;
	return false;
}

int
main(int argc, char **argv)
{
	struct args a = { 0 };
	int status;

	for (;;) {
		int c = getopt_long(argc, argv, "s:c:Vh", long_options, NULL);

		if (c == -1)
			break;
		if (!take(&a, c, &status))
			return status;
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	a.names = argv + optind + 1;
	a.nnames = (size_t)(argc - optind - 1);
	return run_command(&a, argv[optind]);
}
