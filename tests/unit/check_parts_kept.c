/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journals hold the parts that other builds made: one that makes others for the same alert
 * takes everything for changed, and tells every alert again. Where that is meant,
 * SEEN_REVISION rises and the numbers here are new ones. They are those of machines whose
 * lowest byte is first.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/record/fields.h"

#define IS_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
#define REVISION         1
#define NAMED            "\"id\":\"a1\",\"lastUpdateDateTime\":\"2026-11-22T04:10:46Z\","

typedef struct record *slice_reader(struct str slice, bool copy_raw, int64_t now);

/* A slice that is no object is the name of a folder of tests/data/alert. */
static const struct {
	const char *says;
	slice_reader *read;
	const char *slice;
	uint16_t part[PART_COUNT];
} kept[] = {
	{ "an alert with everything", record_from_alert, "full",
	    { 0x8fb3, 0xda9c, 0xe324, 0x5501, 0x00c9, 0xcf32, 0x1003, 0x793f, 0x690d } },
	{ "each kind of evidence", record_from_alert, "kinds",
	    { 0x8fb3, 0xda9c, 0xe324, 0x5501, 0x00c9, 0x891e, 0xa52a, 0x0000, 0xb43f } },
	{ "evidence in evidence", record_from_alert, "nested",
	    { 0x8fb3, 0xda9c, 0xe324, 0x5501, 0x00c9, 0x891c, 0xbf22, 0x0000, 0xf624 } },
	{ "an alert with nothing", record_from_alert, "{" NAMED "\"x\":1}",
	    { 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000 } },
	{ "values that become others", record_from_alert,
	    "{" NAMED "\"incidentId\":1,\"title\":true,\"categories\":\"one\","
	    "\"title\":\"\\u00e9\\ud83d\\ude00\\n\",\"evidence\":{\"roles\":[null,1],\"tags\":{}}}",
	    { 0x0000, 0x0000, 0x0000, 0x0000, 0x4bdd, 0x29f2, 0x0000, 0x0000, 0xef19 } },
	{ "an incident", record_from_incident,
	    "{" NAMED "\"displayName\":\"Multi-stage incident\",\"severity\":\"high\","
	    "\"status\":\"active\",\"priorityScore\":77,\"customTags\":[\"a\",\"bc\"],"
	    "\"comments\":[{\"comment\":\"seen\",\"createdByDisplayName\":\"ana\"}]}",
	    { 0x2654, 0x3a4c, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0xa9d4, 0x332e } },
	{ "an alert of Defender for Endpoint", record_from_mde,
	    "{\"id\":\"a1\",\"lastUpdateTime\":\"2026-11-22T04:10:46Z\",\"severity\":\"Medium\","
	    "\"status\":\"New\",\"incidentId\":7,\"title\":\"x\",\"machineId\":\"m\",\"evidence\":"
	    "[{\"entityType\":\"File\",\"sha1\":\"36c5d12033b2eaf251bae61c00690ffb17fddc87\"}]}",
	    { 0x2ae6, 0x7f8b, 0x0000, 0x0000, 0x6b13, 0x1872, 0x0000, 0x0000, 0x66f3 } },
	{ "what cannot be read", record_from_alert, "{\"id\":\"a1\",\"severity\":\"low\"}",
	    { 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0x0000, 0xce8c } },
};

static char *
read_file(const char *dir)
{
	struct buf all = BUF_INIT(1u << 20);
	char *path = xasprintf("tests/data/alert/%s/input.json", dir), block[4096];
	FILE *f = fopen(path, "r");
	size_t n = 1;

	ck_assert_msg(f != NULL, "%s is not there", path);
	while (n != 0) {
		n = fread(block, 1, sizeof(block), f);
		buf_add(&all, block, n);
	}
	fclose(f);
	free(path);
	return buf_take(&all);
}

START_TEST(test_kept)
{
	const char *from = kept[_i].slice;
	char *slice = *from == '{' ? xasprintf("%s", from) : read_file(from);
	struct record *r = kept[_i].read(str_of(slice), true, 0);

	ck_assert_int_eq(r->seen.rev & ~SEEN_MDE, REVISION);
	for (unsigned part = 0; part < PART_COUNT; part++)
		ck_assert_msg(r->seen.part[part] == kept[_i].part[part], "%s: %s: got 0x%04x",
		    kept[_i].says, part_names[part], (unsigned)r->seen.part[part]);
	record_unref(r);
	free(slice);
}
END_TEST

static const struct {
	size_t n;
	uint64_t hash;
} lengths[] = {
	{ 0, UINT64_C(0xed77e7f1247d4586) },
	{ 1, UINT64_C(0x95910c97163abe32) },
	{ 2, UINT64_C(0xec05870e76585e7b) },
	{ 3, UINT64_C(0x0ca3f201d20f62ca) },
	{ 4, UINT64_C(0x0dbbdfd8b10fad11) },
	{ 5, UINT64_C(0x66c4c49bcf3533f8) },
	{ 6, UINT64_C(0x2676bf5332759f8c) },
	{ 7, UINT64_C(0x78697d4a3bb42fb8) },
	{ 8, UINT64_C(0x394fbbd6015af5b2) },
	{ 9, UINT64_C(0x5cb5fa238de64e37) },
	{ 10, UINT64_C(0x5d17c88cdb8982d5) },
	{ 11, UINT64_C(0x5d788b83e0558ba3) },
	{ 12, UINT64_C(0xd2be9775e1f19e62) },
	{ 13, UINT64_C(0x6c54bd64d77d38e8) },
	{ 14, UINT64_C(0x33661bbfad455765) },
	{ 15, UINT64_C(0x636c26c1a72c68c6) },
	{ 16, UINT64_C(0x7928db345db75959) },
	{ 23, UINT64_C(0x9655206e83d7ae04) },
	{ 24, UINT64_C(0x2f3509edcd78195c) },
	{ 31, UINT64_C(0xea7e232a74d6f5b4) },
	{ 32, UINT64_C(0xd09b2f070326c2c3) },
	{ 40, UINT64_C(0xe7c0247256005a09) },
};

/* However many bytes are left behind the sixteens. */
START_TEST(test_length)
{
	static const char text[] = "\xf1\x82\x03\xc4"
				   "efghijklmnopqrstuvwxyz\xc3\x9f\x80\xff"
				   "0123456789";
	uint64_t got = parts_hash(1, (struct str){ text, lengths[_i].n });

	ck_assert_msg(got == lengths[_i].hash, "%zu bytes: got 0x%016llx", lengths[_i].n,
	    (unsigned long long)got);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("parts_kept");
	TCase *tc = tcase_create("kept");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	if (IS_LITTLE_ENDIAN) {
		tcase_add_loop_test(tc, test_kept, 0, ARRAY_LEN(kept));
		tcase_add_loop_test(tc, test_length, 0, ARRAY_LEN(lengths));
	}
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
