/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/config/conf.h"
#include "tests/unit/rig.h"

static struct rig rig;
static struct arena arena;
static void *conf;
static char dir[64], path[96], moved[96];

static char **
conf_path(void)
{
	for (const struct conf_opt *o = sink_file.opts; o->name != NULL; o++) {
		if (strcmp(o->name, "path") == 0)
			return (char **)((char *)conf + o->off);
	}
	ck_abort_msg("no path");
	return NULL;
}

static void
setup(void)
{
	struct problems problems;
	const struct conf c = { .arena = &arena, .problems = &problems };

	rig_init(&rig);
	arena_init(&arena);
	problems_init(&problems);
	conf = xcalloc(1, sink_file.conf_size);
	(void)conf_fill_one(&c, NULL, sink_file.opts, conf); /* all but path */
	problems_release(&problems);
	snprintf(dir, sizeof(dir), "/tmp/check_sink_file.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/alerts", dir);
	snprintf(moved, sizeof(moved), "%s/alerts.1", dir);
	*conf_path() = path;
}

static void
teardown(void)
{
	rig_release(&rig);
	arena_release(&arena);
	free(conf);
	(void)unlink(path);
	(void)unlink(moved);
	(void)rmdir(dir);
}

static void
begin(void)
{
	rig_sink(&rig, "file", &sink_file, conf, "file");
	rig_apply(&rig);
}

/* Lines of a file that are whole messages; all others are counted in odd. */
static size_t
count_lines(const char *name, size_t *odd)
{
	char *line = NULL;
	size_t room = 0, n = 0;
	FILE *f = fopen(name, "r");

	*odd = 0;
	if (f == NULL)
		return 0;
	for (ssize_t len = getline(&line, &room, f); len > 0; len = getline(&line, &room, f)) {
		if (strncmp(line, "CEF:0|Microsoft|", 16) == 0 && line[len - 1] == '\n'
		    && strstr(line + 1, "CEF:0|") == NULL)
			n++;
		else
			++*odd;
	}
	free(line);
	fclose(f);
	return n;
}

START_TEST(test_lines)
{
	struct stat st;
	size_t odd;

	begin();
	rig_append_many(&rig, 0, "a", 7, 1000);
	ck_assert(rig_run_idle(&rig, 5000));
	ck_assert_uint_eq(count_lines(path, &odd), 1000);
	ck_assert_uint_eq(odd, 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777 & ~0640u, 0);
}
END_TEST

START_TEST(test_appends)
{
	size_t odd;
	FILE *f = fopen(path, "w");

	fputs("CEF:0|Microsoft|before\n", f);
	fclose(f);
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_uint_eq(count_lines(path, &odd), 2);
	ck_assert_uint_eq(odd, 0);
}
END_TEST

/* A crash left half a line: it stays half a line, the next begins its own. */
START_TEST(test_after_crash)
{
	size_t odd;
	FILE *f = fopen(path, "w");

	fputs("CEF:0|Microsoft|whole\nCEF:0|Micro", f);
	fclose(f);
	begin();
	rig_append_many(&rig, 0, "a", 7, 5);
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_uint_eq(count_lines(path, &odd), 6);
	ck_assert_uint_eq(odd, 1);
}
END_TEST

START_TEST(test_reopened)
{
	size_t odd;

	begin();
	rig_append_many(&rig, 0, "a", 7, 10);
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_int_eq(rename(path, moved), 0);
	rig_append_many(&rig, 0, "b", 7, 10);
	ck_assert(rig_run_idle(&rig, 3000)); /* still the old one */
	ck_assert_uint_eq(count_lines(moved, &odd), 20);
	rig_append_many(&rig, 0, "c", 7, 300);
	rig_run(&rig, 10, NULL, NULL);
	delivery_refresh(rig.delivery); /* in the middle */
	rig_append_many(&rig, 0, "d", 7, 10);
	ck_assert(rig_run_idle(&rig, 3000));
	ck_assert_uint_eq(count_lines(moved, &odd) + count_lines(path, &odd), 330);
	ck_assert_uint_ge(count_lines(path, &odd), 10);
}
END_TEST

/* The file cannot grow for a while: the lines in it stay whole, and all come in the end. */
START_TEST(test_full)
{
	struct rlimit before, small = { .rlim_cur = 100000 };
	size_t odd;

	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	begin();
	rig_append_many(&rig, 0, "a", 7, 400);
	rig_run(&rig, 500, NULL, NULL);
	ck_assert_int_eq(rig_figures(&rig, "file").link, SINK_DOWN);
	ck_assert_ptr_nonnull(strstr(rig_figures(&rig, "file").trouble, path));
	(void)count_lines(path, &odd);
	ck_assert_uint_eq(odd, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	ck_assert(rig_run_idle(&rig, 8000));
	ck_assert_uint_ge(count_lines(path, &odd), 400);
	ck_assert_uint_eq(odd, 0);
}
END_TEST

START_TEST(test_no_folder)
{
	snprintf(path, sizeof(path), "%s/none/alerts", dir);
	begin();
	rig_append(&rig, 0, "a", 1, 10);
	rig_run(&rig, 50, NULL, NULL);
	ck_assert_int_eq(rig_figures(&rig, "file").link, SINK_DOWN);
	ck_assert_ptr_nonnull(strstr(rig_figures(&rig, "file").trouble, "No such file"));
	ck_assert_uint_eq(rig_backlog(&rig, "file"), 1);
}
END_TEST

/* Standard output is a pipe whose reader is slow: the loop goes on, all comes. */
START_TEST(test_slow_pipe)
{
	int ends[2], keep = dup(STDOUT_FILENO);
	char piece[10000];
	size_t lines = 0;
	ssize_t n;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_ge(dup2(ends[1], STDOUT_FILENO), 0);
	*conf_path() = (char *)"-";
	begin();
	rig_append_many(&rig, 0, "a", 7, 1000); /* far more than a pipe holds */
	rig_run(&rig, 300, NULL, NULL);
	ck_assert_int_eq(rig_figures(&rig, "file").link, SINK_UP);
	ck_assert_uint_gt(rig_backlog(&rig, "file"), 0);
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	for (int i = 0; i < 2000 && rig_backlog(&rig, "file") > 0; i++) {
		n = read(ends[0], piece, sizeof(piece));
		for (ssize_t k = 0; k < n; k++)
			lines += piece[k] == '\n';
		rig_run(&rig, 3, NULL, NULL);
	}
	for (n = read(ends[0], piece, sizeof(piece)); n > 0; n = read(ends[0], piece, sizeof(piece))) {
		for (ssize_t k = 0; k < n; k++)
			lines += piece[k] == '\n';
	}
	(void)dup2(keep, STDOUT_FILENO);
	close(keep);
	close(ends[0]);
	close(ends[1]);
	ck_assert_uint_eq(rig_backlog(&rig, "file"), 0);
	ck_assert_uint_eq(lines, 1000);
}
END_TEST

START_TEST(test_stop)
{
	size_t odd;

	begin();
	rig_append_many(&rig, 0, "a", 7, 100);
	rig_run(&rig, 60, NULL, NULL);
	ck_assert(rig_stop(&rig, 1000));
	rig_run(&rig, 30, NULL, NULL);
	ck_assert_uint_eq(count_lines(path, &odd), 100 - rig_backlog(&rig, "file"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sink_file");
	TCase *tc = tcase_create("sink_file");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_lines);
	tcase_add_test(tc, test_appends);
	tcase_add_test(tc, test_after_crash);
	tcase_add_test(tc, test_reopened);
	tcase_add_test(tc, test_full);
	tcase_add_test(tc, test_no_folder);
	tcase_add_test(tc, test_slow_pipe);
	tcase_add_test(tc, test_stop);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
