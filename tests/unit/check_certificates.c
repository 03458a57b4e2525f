/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/certificates.h"
#include "lib/base/alloc.h"
#include "tests/unit/pki.h"

static struct pki pki;
static struct err err;

/* made: a shell's command that makes $F, where $C is a certificate and $K its key. */
static const struct {
	const char *says, *made;
	const char *why; /* NULL: good */
} files[] = {
	{ "a certificate", "cp $C $F", NULL },
	{ "a key, then its certificate", "cat $K $C > $F", NULL },
	{ "words before it, as openssl x509 -text has them", "(echo Issuer: x; cat $C) > $F", NULL },
	{ "a key alone", "cp $K $F", "F holds no certificate (PEM)" },
	{ "some other text", "echo root:x:0:0 > $F", "F holds no certificate (PEM)" },
	{ "an empty file", ": > $F", "F holds no certificate (PEM)" },
	{ "the first lines of a certificate", "head -n 4 $C > $F", "F holds no certificate (PEM)" },
	{ "a folder", "mkdir $F", "F is not a file" },
	{ "a pipe that nobody writes to", "mkfifo $F", "F is not a file" },
	{ "a file that there is not", ":", "F: No such file or directory" },
};
#define NFILES (int)(sizeof(files) / sizeof(files[0]))

static void
setup(void)
{
	pki_make(&pki);
}

static void
teardown(void)
{
	pki_remove(&pki);
}

START_TEST(test_file)
{
	char *path = xasprintf("%s/F", pki.dir), *command;
	bool ok;

	command = xasprintf("F='%s' C='%s' K='%s'; %s", path, pki.client_cert, pki.client_key, files[_i].made);
	ck_assert_int_eq(system(command), 0);
	ok = certificates_check(path, &err);
	ck_assert_msg(ok == (files[_i].why == NULL), "%s", files[_i].says);
	ck_assert_msg(ok || (err.kind == ERR_CONF && strstr(err.text, files[_i].why) != NULL), "%s: %s",
	    files[_i].says, err.text);
	free(command);
	command = xasprintf("rm -rf '%s'", path);
	ck_assert_int_eq(system(command), 0);
	free(command);
	free(path);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("certificates");
	TCase *tc = tcase_create("file");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_file, 0, NFILES);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
