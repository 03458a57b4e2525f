#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "daemon/msspctl/call.h"
#include "daemon/msspctl/show_status.h"
#include "lib/base/str.h"
#include "lib/base/version.h"

#define DEFAULT_SOCKET "/run/msspd/control.sock"
#define TIMEOUT_S      30

static const char usage[] =
    "usage: msspctl [-s SOCKET] COMMAND\n"
    "\n"
    "Speaks to the running msspd.\n"
    "\n"
    "  status [--json]     how the tenants, the sinks and the journal are; exits 0\n"
    "                      also when something is wrong with them\n"
    "  reload              read the configuration anew; a bad one changes nothing\n"
    "\n"
    "  -s, --socket PATH   control_socket of the daemon (default " DEFAULT_SOCKET ",\n"
    "                      or $MSSPD_SOCKET)\n"
    "  -V, --version       print the version\n"
    "  -h, --help          print this\n";

static const struct option long_options[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

struct args {
	const char *socket;
	bool is_json;
};

static int
ask(const struct args *a, const char *verb, void (*show)(FILE *out, const json_t *result))
{
	int status = EX_OK;
	json_t *result = call(a->socket, json_pack("{s:s}", "verb", verb), TIMEOUT_S, &status);

	if (result == NULL)
		return status;
	if (a->is_json) {
		json_dumpf(result, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		show(stdout, result);
	}
	json_decref(result);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int
do_status(const struct args *a)
{
	return ask(a, "status", show_status);
}

static void
show_reloaded(FILE *out, const json_t *result)
{
	(void)result;
	fputs("the configuration was read anew\n", out);
}

static int
do_reload(const struct args *a)
{
	return ask(a, "reload", show_reloaded);
}

static const struct command {
	const char *name;
	int (*run)(const struct args *a);
} commands[] = {
	{ "status", do_status },
	{ "reload", do_reload },
};

static int
run_command(const struct args *a, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(a);
	}
	fprintf(stderr, "msspctl: there is no command '%s'\nTry 'msspctl --help'.\n", name);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	const char *from_env = getenv("MSSPD_SOCKET");
	struct args a = { .socket = from_env != NULL ? from_env : DEFAULT_SOCKET };

	for (;;) {
		int c = getopt_long(argc, argv, "s:Vh", long_options, NULL);

		if (c == -1)
			break;
		switch (c) {
		case 's':
			a.socket = optarg;
			break;
		case 'j':
			a.is_json = true;
			break;
		case 'V':
			printf("msspctl %s\n", msspd_version);
			return EX_OK;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		default:
			fputs("Try 'msspctl --help'.\n", stderr);
			return EX_USAGE;
		}
	}
	if (optind + 1 != argc) {
		fputs(usage, stderr);
		return EX_USAGE;
	}
	return run_command(&a, argv[optind]);
}
