/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/secret.h"
#include "lib/base/alloc.h"

static char dir[64];

static void
make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/check_secret.XXXXXX");
	BUG_IF(mkdtemp(dir) == NULL);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void
remove_dir(void)
{
	char *command = xasprintf("rm -rf '%s'", dir);

	BUG_IF(system(command) != 0);
	free(command);
}

/* The path of a new file; from malloc. */
static char *
make_file(const char *name, struct str text, mode_t mode)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	BUG_IF(f == NULL || fwrite(text.s, 1, text.n, f) != text.n || fclose(f) != 0
	    || chmod(path, mode) != 0);
	return path;
}

static const struct {
	const char *says, *name, *credentials, *want; /* want NULL: an error */
} paths[] = {
	{ "an absolute path is one", "/etc/x", NULL, "/etc/x" },
	{ "absolute also with credentials", "/etc/x", "/run/c", "/etc/x" },
	{ "a bare name is a credential", "x", "/run/c", "/run/c/x" },
	{ "a bare name without credentials", "x", NULL, NULL },
	{ "credentials at a relative path", "x", "c", NULL },
	{ "a relative path", "a/x", "/run/c", NULL },
	{ "out of the credentials", "..", "/run/c", NULL },
	{ "the directory itself", ".", "/run/c", NULL },
	{ "nothing", "", "/run/c", NULL },
};

START_TEST(test_path)
{
	struct err err = { ERR_NONE };
	char *got;

	if (paths[_i].credentials != NULL)
		setenv("CREDENTIALS_DIRECTORY", paths[_i].credentials, 1);
	got = secret_path(paths[_i].name, &err);
	if (paths[_i].want == NULL)
		ck_assert_msg(got == NULL && err.kind == ERR_CONF && err.text[0] != '\0', "%s",
		    paths[_i].says);
	else
		ck_assert_msg(got != NULL && strcmp(got, paths[_i].want) == 0, "%s", paths[_i].says);
	free(got);
}
END_TEST

static const struct {
	const char *says;
	struct str text;
	mode_t mode;
	const char *want; /* NULL: an error that holds `error` */
	const char *error;
} files[] = {
	{ "as it is", STR("secret"), 0600, "secret", NULL },
	{ "without its line end", STR("secret\n"), 0400, "secret", NULL },
	{ "without the line end of Windows", STR("secret\r\n"), 0600, "secret", NULL },
	{ "with all line ends but the last", STR("a\nb\n\n"), 0600, "a\nb\n", NULL },
	{ "with blanks", STR(" a b "), 0600, " a b ", NULL },
	{ "shared with our own group", STR("x"), 0640, "x", NULL },
	{ "open to everybody", STR("x"), 0644, NULL, "open to everybody (mode 0644)" },
	{ "executable by everybody", STR("x"), 0601, NULL, "open to everybody" },
	{ "writable by everybody", STR("x"), 0602, NULL, "open to everybody" },
	{ "empty", STR(""), 0600, NULL, "is empty" },
	{ "only a line end", STR("\n"), 0600, NULL, "is empty" },
};

START_TEST(test_file)
{
	char *path = make_file("s", files[_i].text, files[_i].mode);
	struct buf b = BUF_INIT(SECRET_MAX);
	struct err err = { ERR_NONE };
	bool ok;

	buf_puts(&b, "from before");
	ok = secret_read(path, &b, &err);
	ck_assert_msg(ok == (files[_i].want != NULL), "%s: %s", files[_i].says, err.text);
	if (ok)
		ck_assert_msg(strcmp(b.p, files[_i].want) == 0, "%s: %s", files[_i].says, b.p);
	else
		ck_assert_msg(err.kind == ERR_CONF && strstr(err.text, files[_i].error) != NULL
		    && b.n == 0, "%s: %s", files[_i].says, err.text);
	ck_assert_msg(secret_check(path, &err) == ok, "%s: checked", files[_i].says);
	buf_wipe(&b);
	free(path);
}
END_TEST

START_TEST(test_credential)
{
	char *path = make_file("graph", STR("s3cret\n"), 0400);
	struct buf b = BUF_INIT(SECRET_MAX);
	struct err err;

	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	ck_assert(secret_read("graph", &b, &err));
	ck_assert_str_eq(b.p, "s3cret");
	ck_assert(!secret_read("nothing", &b, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "No such file"));
	buf_wipe(&b);
	free(path);
}
END_TEST

/* Needs root to make such files. A credential of systemd is root's and shows the
 * group's bit for its access list: fine there, and nowhere else. */
static const struct {
	const char *says;
	bool is_credential;
	uid_t uid;
	gid_t gid;
	bool want;
} groups[] = {
	{ "a foreign group", false, 0, 54321, false },
	{ "a foreign group of a credential", true, 0, 54321, false },
	{ "root's group is foreign too", false, 0, 0, false },
	{ "what systemd makes", true, 0, 0, true },
	{ "another's credential of root's group", true, 54321, 0, false },
	{ "our own group", false, 0, 12345, true },
	{ "our own group, another's file", false, 54321, 12345, true },
	{ "a further group of ours", false, 0, 12346, true },
};

START_TEST(test_group)
{
	char *path = make_file("s", STR("x"), 0640);
	gid_t further = 12346;
	struct err err = { ERR_NONE };
	bool ok;

	if (geteuid() == 0) {
		setenv("CREDENTIALS_DIRECTORY", dir, 1);
		ck_assert_int_eq(chown(path, groups[_i].uid, groups[_i].gid), 0);
		ck_assert_int_eq(setgroups(1, &further), 0);
		ck_assert_int_eq(setegid(12345), 0);
		ok = secret_check(groups[_i].is_credential ? "s" : path, &err);
		ck_assert_int_eq(setegid(0), 0);
		ck_assert_msg(ok == groups[_i].want, "%s: %s", groups[_i].says, err.text);
		ck_assert_msg(ok || strstr(err.text, "a group that msspd is not in (gid ") != NULL,
		    "%s: %s", groups[_i].says, err.text);
	}
	free(path);
}
END_TEST

START_TEST(test_not_a_file)
{
	char *fifo = xasprintf("%s/fifo", dir);
	struct err err = { ERR_NONE };

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	ck_assert(!secret_check(fifo, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "is not a file"));
	ck_assert(!secret_check(dir, &err));
	free(fifo);
}
END_TEST

START_TEST(test_size)
{
	char *text = xmalloc(SECRET_MAX + 1), *path;
	struct buf b = BUF_INIT(SECRET_MAX), small = BUF_INIT(10);
	struct err err;

	memset(text, 'x', SECRET_MAX + 1);
	path = make_file("max", (struct str) { text, SECRET_MAX }, 0600);
	ck_assert(secret_read(path, &b, &err));
	ck_assert_uint_eq(b.n, SECRET_MAX);
	ck_assert(!secret_read(path, &small, &err));
	free(path);
	path = make_file("more", (struct str) { text, SECRET_MAX + 1 }, 0600);
	ck_assert(!secret_read(path, &b, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "larger than 65536 bytes"));
	ck_assert_ptr_eq(strstr(err.text, "xxx"), NULL);
	free(path);
	free(text);
	buf_wipe(&b);
	buf_wipe(&small);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("secret");
	TCase *tc = tcase_create("secret");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, make_dir, remove_dir);
	tcase_add_loop_test(tc, test_path, 0, ARRAY_LEN(paths));
	tcase_add_loop_test(tc, test_file, 0, ARRAY_LEN(files));
	tcase_add_test(tc, test_credential);
	tcase_add_loop_test(tc, test_group, 0, ARRAY_LEN(groups));
	tcase_add_test(tc, test_not_a_file);
	tcase_add_test(tc, test_size);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
