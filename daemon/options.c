/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "daemon/options.h"
#include "lib/base/version.h"
#include "lib/config/unit.h"

#define UNIT_FILE "/etc/msspd/msspd.yaml"

static const char usage[] =
    "usage: msspd [-c FILE] [-nLv] [--once [--timeout T] | --dry-run]\n"
    "\n"
    "Reads the Microsoft Defender alerts of many customers and forwards them.\n"
    "Runs in the foreground and logs to standard error.\n"
    "\n"
    "  -c, --config FILE   configuration; conf.d/*.yaml beside it is read as well\n"
    "                      (default /etc/msspd/msspd.yaml)\n"
    "  -n, --check         check the configuration and the secrets' files, then exit\n"
    "  -L, --list          list every option of the configuration, then exit\n"
    "      --once          poll every tenant once, deliver, exit: 0 when all was read\n"
    "                      and accepted, 75 when not or when a daemon is running\n"
    "      --timeout T     with --once and --dry-run: give up after T (30s, 5m)\n"
    "      --dry-run       print as CEF what a first start would send; store nothing,\n"
    "                      send nothing\n"
    "  -v, --verbose       log more, whatever the configuration says\n"
    "      --print-manual  print the configuration reference as Markdown\n"
    "      --print-formats print the formats, field by field, as Markdown\n"
    "      --print-metrics print the metrics that are served, as Markdown\n"
    "  -V, --version       print the version\n"
    "  -h, --help          print this\n"
    "\n"
    "SIGHUP reads the configuration anew, SIGTERM stops with everything saved.\n"
    "Exit codes follow sysexits.h: 64 usage, 71 refused by this machine, 75 try again,\n"
    "78 configuration.\n";

enum { OPT_ONCE = 256, OPT_TIMEOUT, OPT_DRY, OPT_MANUAL, OPT_FORMATS, OPT_METRICS };

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "check", no_argument, NULL, 'n' },
	{ "list", no_argument, NULL, 'L' },
	{ "once", no_argument, NULL, OPT_ONCE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "dry-run", no_argument, NULL, OPT_DRY },
	{ "verbose", no_argument, NULL, 'v' },
	{ "print-manual", no_argument, NULL, OPT_MANUAL },
	{ "print-formats", no_argument, NULL, OPT_FORMATS },
	{ "print-metrics", no_argument, NULL, OPT_METRICS },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static bool
bad_usage(int *status, const char *what)
{
	fprintf(stderr, "msspd: %s\nTry 'msspd --help'.\n", what);
	*status = EX_USAGE;
	return false;
}

static bool
set_mode(struct options *o, enum run_mode mode, int *status)
{
	if (o->mode != RUN_DAEMON && o->mode != mode)
		return bad_usage(status, "-n, -L, --once and --dry-run do not go together");
	o->mode = mode;
	return true;
}

/* One option; false ends the program. */
static bool
take(struct options *o, int c, int *status)
{
	switch (c) {
	case 'c':
		o->file = optarg;
		return true;
	case 'n':
		return set_mode(o, RUN_CHECK, status);
	case 'L':
		return set_mode(o, RUN_LIST, status);
	case OPT_ONCE:
		return set_mode(o, RUN_ONCE, status);
	case OPT_DRY:
		return set_mode(o, RUN_DRY, status);
	case OPT_MANUAL:
		return set_mode(o, RUN_MANUAL, status);
	case OPT_FORMATS:
		return set_mode(o, RUN_FORMATS, status);
	case OPT_METRICS:
		return set_mode(o, RUN_METRICS, status);
	case OPT_TIMEOUT:
		if (!unit_time(str_of(optarg), &o->timeout_ms) || o->timeout_ms <= 0)
			return bad_usage(status, "--timeout wants a duration such as 30s or 5m");
		return true;
	case 'v':
		o->is_verbose = true;
		return true;
	case 'V':
		printf("msspd %s\n", msspd_version);
		*status = EX_OK;
		return false;
	case 'h':
		fputs(usage, stdout);
		*status = EX_OK;
		return false;
	}
	*status = EX_USAGE; /* getopt has said what */
	fputs("Try 'msspd --help'.\n", stderr);
	return false;
}

bool
options_parse(struct options *o, int argc, char **argv, int *status)
{
	*o = (struct options) { .mode = RUN_DAEMON, .file = UNIT_FILE };
	for (;;) {
		int c = getopt_long(argc, argv, "c:nLvVh", long_options, NULL);

		if (c == -1)
			break;
		if (!take(o, c, status))
			return false;
	}
	if (optind < argc)
		return bad_usage(status, "there are arguments that no option asks for");
	if (o->timeout_ms != 0 && o->mode != RUN_ONCE && o->mode != RUN_DRY)
		return bad_usage(status, "--timeout goes with --once or --dry-run");
	o->is_of_unit = (o->mode == RUN_CHECK || o->mode == RUN_DRY) &&
			strcmp(o->file, UNIT_FILE) == 0;
	return true;
}
