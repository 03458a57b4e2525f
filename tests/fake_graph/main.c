/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <sysexits.h>

#include "lib/base/version.h"
#include "tests/fake_graph/options.h"
#include "tests/fake_graph/print_config.h"
#include "tests/fake_graph/server.h"

/*
 * fake-graph: plays Microsoft Entra's token endpoint and Microsoft Graph's
 * alerts_v2 for any number of tenants, with alerts that come, change and are
 * late, with everything that can go wrong, and with a record of what was true.
 */
static bool
serve(struct server *s, const struct options *opt, struct err *err)
{
	if (!server_init(s, opt, err))
		return false;
	if (!opt->shall_print_config)
		story_begin(&s->story, mono_ms());
	truth_flush(s->truth);
	if (!server_listen(s, err))
		return false;
	if (opt->shall_print_config) {
		print_config(stdout, opt, &s->world, s->url);
		return true;
	}
	if (!write_config(opt, &s->world, s->url, err))
		return false;
	printf("listening on %s\n", s->url);
	fflush(stdout);
	server_run(s);
	return true;
}

int
main(int argc, char **argv)
{
	struct options opt;
	struct server s = { 0 };
	struct err err = { 0 };
	enum options_end end = options_parse(&opt, argc, argv, &err);
	int code = EX_OK;

	switch (end) {
	case OPTIONS_HELP:
		options_help();
		break;
	case OPTIONS_VERSION:
		printf("fake-graph %s\n", msspd_version);
		break;
	case OPTIONS_RUN:
		if (serve(&s, &opt, &err))
			break;
		/* fall through */
	case OPTIONS_WRONG:
		fprintf(stderr, "fake-graph: %s\n", err.text);
		code = EX_USAGE;
		break;
	}
	server_release(&s);
	options_release(&opt);
	return code;
}
