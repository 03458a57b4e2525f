/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "daemon/journal/crc32c.h"
#include "daemon/journal/local_fs.h"
#include "daemon/journal/place.h"
#include "lib/base/str.h"

/* The small parts of the journal, each by itself. */

/* ---- checksum: RFC 3720, appendix B.4 ------------------------------------ */

static const struct {
	const char *says;
	unsigned char first;
	int step; /* from one byte to the next */
	size_t n;
	uint32_t want;
} sums[] = {
	{ "nothing", 0, 0, 0, 0 },
	{ "32 bytes of zeros", 0, 0, 32, 0x8a9136aa },
	{ "32 bytes of ones", 0xff, 0, 32, 0x62a8ab43 },
	{ "32 bytes of incrementing 00..1f", 0, 1, 32, 0x46dd794e },
	{ "32 bytes of decrementing 1f..00", 0x1f, -1, 32, 0x113fdb5c },
	{ "the digits 1 to 9", '1', 1, 9, 0xe3069283 },
};

START_TEST(test_crc32c)
{
	unsigned char bytes[64];
	uint32_t crc = 0;

	for (size_t i = 0; i < sums[_i].n; i++)
		bytes[i] = (unsigned char)(sums[_i].first + (int)i * sums[_i].step);
	ck_assert_msg(crc32c(0, bytes, sums[_i].n) == sums[_i].want, "%s", sums[_i].says);
	ck_assert_msg(crc32c_table(0, bytes, sums[_i].n) == sums[_i].want, "%s", sums[_i].says);
	for (size_t i = 0; i < sums[_i].n; i++)
		crc = crc32c(crc, bytes + i, 1);
	ck_assert_msg(crc == sums[_i].want, "%s, a byte at a time", sums[_i].says);
}
END_TEST

/* ---- file systems -------------------------------------------------------- */

static const struct {
	const char *says;
	unsigned long magic;
	const char *type;
	bool is_remote;
} systems[] = {
	{ "ext4", 0xef53, "ext4", false },
	{ "XFS", 0x58465342, "xfs", false },
	{ "tmpfs", 0x01021994, "tmpfs", false },
	{ "overlayfs", 0x794c7630, "overlay", false },
	{ "NFS", 0x6969, "nfs4", true },
	{ "CIFS", 0xff534d42, "cifs", true },
	{ "SMB2", 0xfe534d42, "smb3", true },
	{ "9P", 0x01021997, "9p", true },
	{ "AFS", 0x5346414f, "afs", true },
	{ "Ceph", 0x00c36400, "ceph", true },
	{ "sshfs, over FUSE", 0x65735546, "fuse.sshfs", true },
	{ "ntfs-3g, local over FUSE", 0x65735546, "fuseblk", false },
	{ "FUSE of which nothing more is known", 0x65735546, NULL, false },
};

START_TEST(test_remote)
{
	ck_assert_msg(local_fs_is_remote(systems[_i].magic, systems[_i].type)
	        == systems[_i].is_remote, "%s", systems[_i].says);
}
END_TEST

#define MIB (UINT64_C(1) << 20)

static const struct {
	const char *says;
	uint64_t max_size, total, max_bytes;
} plans[] = {
	{ "a large disk gives what was asked", 8192 * MIB, 100000 * MIB, 8192 * MIB },
	{ "a small one five eighths", 8192 * MIB, 64 * MIB, 40 * MIB },
	{ "what was asked is the most", 16 * MIB, 64 * MIB, 16 * MIB },
};

START_TEST(test_plan)
{
	struct local_fs_room r;

	local_fs_plan(&r, plans[_i].max_size, plans[_i].total);
	ck_assert_msg(r.max_bytes == plans[_i].max_bytes, "%s", plans[_i].says);
	ck_assert_uint_le(r.ballast, 4 * MIB);
	/* The log may grow past its mark by one large transaction. */
	ck_assert_uint_lt(r.max_bytes + 2 * r.wal_bytes + r.ballast + r.reserve, plans[_i].total);
}
END_TEST

START_TEST(test_here)
{
	struct err err = { 0 };
	uint64_t bytes = 0;

	ck_assert_msg(local_fs_check("/tmp", &err), "%s", err.text);
	ck_assert(!local_fs_check("/no/such/place", &err));
	ck_assert(local_fs_free("/tmp", &bytes) && bytes > 0);
}
END_TEST

/* ---- places -------------------------------------------------------------- */

static void
what_is_out_is_out(struct place *p)
{
	for (uint64_t seq = 1; seq <= 10000; seq++)
		place_hand_out(p, seq * 3);
	ck_assert(place_is_out(p, 300) && !place_is_out(p, 301));
	/* Holes in the table must not hide what lies behind them. */
	for (uint64_t seq = 1; seq <= 10000; seq += 2)
		place_take_back(p, seq * 3);
	for (uint64_t seq = 1; seq <= 10000; seq++)
		ck_assert_msg(place_is_out(p, seq * 3) == (seq % 2 == 0), "%d", (int)seq);
	ck_assert_uint_eq(p->out.n, 5000);
	place_take_back(p, 7);
	ck_assert_uint_eq(p->out.n, 5000);
}

static void
a_rewind_sorts(struct place *p)
{
	static const uint64_t out[] = { 9, 2, 700, 5, 33 };

	for (size_t i = 0; i < ARRAY_LEN(out); i++)
		place_hand_out(p, out[i]);
	place_rewind(p);
	ck_assert(!place_is_out(p, 9));
	ck_assert_uint_eq(place_pop(p, 0), 2);
	place_hand_out(p, 2);
	place_take_back(p, 9);
	/* What is left of the first rewind stays in its order in the second. */
	place_rewind(p);
	ck_assert_uint_eq(place_pop(p, 0), 2);
	ck_assert_uint_eq(place_pop(p, 0), 5);
	ck_assert_uint_eq(place_pop(p, 0), 33);
	ck_assert_uint_eq(place_pop(p, 0), 700);
	ck_assert_uint_eq(place_pop(p, 0), 0);
}

static void
the_soonest_comes_first(struct place *p)
{
	for (uint64_t i = 0; i < 1000; i++)
		place_later(p, i + 1, (int64_t)(i * 7919 % 1000));
	ck_assert_uint_eq(place_pop(p, -1), 0);
	for (int64_t now = 0; now < 1000; now++) {
		ck_assert(place_has_work(p, now));
		ck_assert_uint_eq((place_pop(p, now) - 1) * 7919 % 1000, (uint64_t)now);
		ck_assert_uint_eq(place_pop(p, now), 0);
	}
}

static void
what_is_out_is_not_due(struct place *p)
{
	place_later(p, 4, 10);
	place_later(p, 4, 20);
	ck_assert_uint_eq(place_pop(p, 10), 4);
	place_hand_out(p, 4);
	ck_assert_uint_eq(place_pop(p, 30), 0);
}

static void
new_ones_are_work(struct place *p)
{
	ck_assert(!place_has_work(p, 0));
	p->newest = 1;
	ck_assert(place_has_work(p, 0));
	p->is_forgotten = true;
	ck_assert(!place_has_work(p, 0));
}

static const struct {
	const char *says;
	void (*run)(struct place *p);
} places[] = {
	{ "what is out is known, through all holes", what_is_out_is_out },
	{ "a rewind brings all again, in order", a_rewind_sorts },
	{ "the soonest due comes first", the_soonest_comes_first },
	{ "what is out does not fall due", what_is_out_is_not_due },
	{ "new entries are work, but not for a forgotten sink", new_ones_are_work },
};

START_TEST(test_place)
{
	struct place *p = place_new(1);

	places[_i].run(p);
	place_free(p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("journal_parts");
	TCase *tc = tcase_create("parts");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_crc32c, 0, (int)ARRAY_LEN(sums));
	tcase_add_loop_test(tc, test_remote, 0, (int)ARRAY_LEN(systems));
	tcase_add_loop_test(tc, test_plan, 0, (int)ARRAY_LEN(plans));
	tcase_add_test(tc, test_here);
	tcase_add_loop_test(tc, test_place, 0, (int)ARRAY_LEN(places));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
