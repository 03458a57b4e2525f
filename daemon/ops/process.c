/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/ops/process.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static int64_t
cpu_ms(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) != 0)
		return 0;
	return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

static int64_t
resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (f == NULL)
		return 0;
	if (fscanf(f, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(f);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int64_t n = -3; /* itself, and two that are no descriptors */

	if (d == NULL)
		return 0;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

void
process_figures(struct process_figures *out)
{
	struct rlimit most = { 0, 0 };

	(void)getrlimit(RLIMIT_NOFILE, &most);
	*out = (struct process_figures) { .cpu_ms = cpu_ms(), .resident_bytes = resident_bytes(),
		.fds = open_fds(), .max_fds = (int64_t)most.rlim_cur };
}
