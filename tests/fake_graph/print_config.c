/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/fake_graph/print_config.h"

void
print_config(FILE *to, const struct options *opt, const struct world *w, const char *url)
{
	fprintf(to,
	    "apps:\n"
	    "  fake:\n"
	    "    cloud: custom\n"
	    "    login_url: %s\n"
	    "    graph_url: %s\n"
	    "    client_id: %s\n"
	    "    secret_file: %s\n"
	    "tenants:\n",
	    url, url, opt->client_id, opt->secret_file != NULL ? opt->secret_file : "graph-secret");
	for (size_t i = 0; i < w->ntenants; i++)
		fprintf(to, "  %s: {id: %s, app: fake}\n", w->tenants[i].name, w->tenants[i].guid);
}

static bool
write_secret(const struct options *opt, struct err *err)
{
	int fd = open(opt->secret_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

	if (f == NULL)
		return err_sys(err, ERR_CONF, errno, "--secret-file %s", opt->secret_file);
	fprintf(f, "%s\n", opt->client_secret);
	if (fclose(f) != 0)
		return err_sys(err, ERR_CONF, errno, "--secret-file %s", opt->secret_file);
	return true;
}

bool
write_config(const struct options *opt, const struct world *w, const char *url, struct err *err)
{
	FILE *f;

	if (opt->secret_file != NULL && !write_secret(opt, err))
		return false;
	if (opt->config_file == NULL)
		return true;
	f = fopen(opt->config_file, "we");
	if (f == NULL)
		return err_sys(err, ERR_CONF, errno, "--write-config %s", opt->config_file);
	print_config(f, opt, w, url);
	if (fclose(f) != 0)
		return err_sys(err, ERR_CONF, errno, "--write-config %s", opt->config_file);
	return true;
}
