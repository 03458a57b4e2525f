/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "tests/unit/journal_kit.h"

/*
 * A real file system of 64 MB that fills up: polling pauses, sinks drain, polling
 * resumes, nothing accepted is lost. Needs root and a loop device; without them
 * it says so and counts as passed.
 */
#define V(n) (KIT_START + (n) * TICKS_SEC)

struct disk {
	char image[96], dir[64];
	struct kit k;
	uint32_t siem;
	size_t accepted;
	unsigned pages;
};

static bool
run(const char *fmt, const char *a, const char *b)
{
	char *command = xasprintf("%s %s %s >/dev/null 2>&1", fmt, a, b);
	int rc = system(command);

	free(command);
	return rc == 0;
}

static bool
disk_mount(struct disk *d)
{
	snprintf(d->dir, sizeof(d->dir), "/tmp/journal-disk-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(d->dir));
	snprintf(d->image, sizeof(d->image), "%s.img", d->dir);
	if (geteuid() == 0 && run("truncate -s 64M", d->image, "")
	    && run("mkfs.ext4 -q -m 0", d->image, "") && run("mount -o loop", d->image, d->dir))
		return true;
	fprintf(stderr, "skipped: no root or no loop device\n");
	unlink(d->image);
	rmdir(d->dir);
	return false;
}

static void
disk_umount(struct disk *d)
{
	for (int i = 0; i < 50 && umount(d->dir) < 0; i++)
		usleep(100000);
	unlink(d->image);
	rmdir(d->dir);
}

static bool
append(struct disk *d)
{
	struct journal_appended r;
	struct kit_page *p;
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "p%u", d->pages++);
	p = kit_page(&d->k, journal_stream(d->k.j, "s", ""), prefix, 200, 5200, V(1));
	p->page.is_full = true;
	kit_route(p, d->siem);
	r = kit_append(&d->k, p);
	d->accepted += r.forwarded;
	if (!r.ok)
		ck_assert_msg(r.state == JOURNAL_PAUSED, "state %d: %s", r.state, r.err.text);
	return r.ok;
}

/* Like a health record. */
static bool
append_urgent(struct disk *d)
{
	struct kit_page *p;
	struct journal_appended r;
	char prefix[16];

	snprintf(prefix, sizeof(prefix), "u%u", d->pages++);
	p = kit_page(&d->k, journal_stream(d->k.j, "s", ""), prefix, 1, 900, V(1));
	p->page.is_urgent = true;
	kit_route(p, d->siem);
	r = kit_append(&d->k, p);
	d->accepted += r.forwarded;
	return r.ok;
}

static bool
is_ok(struct kit *k)
{
	return journal_state(k->j) == JOURNAL_OK;
}

static bool
is_empty(struct kit *k)
{
	struct journal_stats stats;

	journal_stats(k->j, &stats);
	return stats.entries == 0;
}

static void
drain(struct disk *d)
{
	ck_assert_uint_eq(kit_drain(&d->k, d->siem, true), d->accepted);
	kit_wait_backlog(&d->k, d->siem, 0);
	d->accepted = 0;
}

static void
filled_by_us(struct disk *d)
{
	for (int round = 0; round < 2; round++) {
		unsigned n = 0;

		while (append(d))
			ck_assert_uint_lt(++n, 100);
		ck_assert_uint_gt(n, 10);
		ck_assert_int_eq(journal_state(d->k.j), JOURNAL_PAUSED);
		drain(d);
		ck_assert_msg(kit_wait(&d->k, is_ok, 10000), "it does not resume");
		ck_assert_msg(kit_wait(&d->k, is_empty, 10000), "delivered entries stay");
	}
}

/* Takes what there is left. */
static void
fill(int fd)
{
	static const char bytes[1 << 16];

	while (write(fd, bytes, sizeof(bytes)) > 0)
		continue;
}

static void
filled_by_another(struct disk *d)
{
	char *hog = xasprintf("%s/hog", d->dir);
	int fd = open(hog, O_WRONLY | O_CREAT | O_APPEND, 0600);

	for (int i = 0; i < 8; i++)
		ck_assert(append(d));
	fill(fd);
	for (int i = 0; i < 30; i++)
		append(d);
	ck_assert_int_eq(journal_state(d->k.j), JOURNAL_PAUSED);
	ck_assert_int_eq(ftruncate(fd, lseek(fd, 0, SEEK_END) - (1 << 20)), 0);
	kit_run(&d->k, 1000); /* it looks at the disk */
	for (int i = 0; i < 5; i++)
		ck_assert_msg(append_urgent(d), "what is urgent is taken while there is some room");
	ck_assert(!append(d));
	fill(fd);
	close(fd);
	drain(d);
	kit_run(&d->k, 1000);
	/* Its own file may have shrunk enough by now: then it takes what it says it takes. */
	ck_assert(!is_ok(&d->k) || append(d));
	unlink(hog);
	ck_assert_msg(kit_wait(&d->k, is_ok, 10000), "it does not resume");
	ck_assert(append(d));
	kit_close(&d->k);
	kit_must_open(&d->k);
	drain(d);
	free(hog);
}

static void
full_from_the_start(struct disk *d)
{
	char *hog = xasprintf("%s/hog", d->dir);
	int fd;

	for (int i = 0; i < 8; i++)
		ck_assert(append(d));
	kit_close(&d->k);
	fd = open(hog, O_WRONLY | O_CREAT, 0600);
	fill(fd);
	close(fd);
	kit_must_open(&d->k);
	ck_assert(!append(d));
	(void)append_urgent(d); /* not a byte is free: taken or not, marks must go on */
	drain(d);
	unlink(hog);
	ck_assert_msg(kit_wait(&d->k, is_ok, 10000), "it does not resume");
	free(hog);
}

static const struct {
	const char *says;
	void (*run)(struct disk *d);
} cases[] = {
	{ "filled by the journal itself, twice", filled_by_us },
	{ "filled by somebody else", filled_by_another },
	{ "full when the journal is opened", full_from_the_start },
};

START_TEST(test_small_disk)
{
	struct disk d = { 0 };

	if (!disk_mount(&d))
		return;
	setenv("TMPDIR", d.dir, 1);
	kit_init(&d.k, &journal_sqlite);
	d.k.opts.max_size = UINT64_C(8) << 30;
	kit_must_open(&d.k);
	d.siem = journal_sink(d.k.j, "siem");
	cases[_i].run(&d);
	kit_release(&d.k);
	disk_umount(&d);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_disk");
	TCase *tc = tcase_create("disk");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_small_disk, 0, (int)ARRAY_LEN(cases));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
