/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/ocsf_parts.h"
#include "lib/format/path.h"
#include "lib/format/shape_table.h"

/* Files, hashes and signatures. */

static const struct ocsf_name algorithms[] = {
	OCSF_NAME("md5", 1, "MD5"), OCSF_NAME("sha1", 2, "SHA-1"),
	OCSF_NAME("sha256", 3, "SHA-256"), OCSF_NAME("sha512", 4, "SHA-512"),
	OCSF_NAME("sha256ac", 99, "sha256Ac"), /* Authenticode's: of the signed parts only */
};

static void
put_hash(struct shape *s, struct str algorithm, struct str value)
{
	if (value.n == 0)
		return;
	shape_open(s, NULL);
	shape_text(s, "value", value, OBSERVABLE_HASH);
	ocsf_named(
	    s, STR("algorithm_id"), STR("algorithm"), algorithms, ARRAY_LEN(algorithms), algorithm);
	shape_close(s);
}

static void
put_hashes(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct file_details *f = base;

	shape_put_open(s, shape_row_name(row), true);
	put_hash(s, STR("sha256"), f->sha256);
	put_hash(s, STR("sha1"), f->sha1);
	put_hash(s, STR("md5"), f->md5);
	put_hash(s, STR("sha256Ac"), f->sha256_ac);
	shape_close(s);
}

static void
put_own_hash(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	shape_put_open(s, shape_row_name(row), true);
	put_hash(s, e->hash.algorithm, e->hash.value);
	shape_close(s);
}

/* A file must have a name: that of its path or, where it has neither, its hash. */
static void
put_name(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct file_details *f = base;
	const struct str hashes[] = { f->sha256, f->sha1, f->md5, f->sha256_ac };
	struct str base_name = path_base(f->path);

	if (f->name.n != 0)
		shape_put_text(s, shape_row_name(row), f->name, OBSERVABLE_FILE_NAME);
	else if (base_name.n != 0)
		shape_put_text(s, shape_row_name(row), base_name, OBSERVABLE_FILE_NAME);
	for (size_t i = 0; i < ARRAY_LEN(hashes) && !shape_is_open(s); i++)
		shape_put_text(s, shape_row_name(row), hashes[i], OBSERVABLE_NONE);
}

bool
ocsf_has_file(const struct file_details *f)
{
	return f->size >= 0 || f->name.n + f->path.n + f->publisher.n + f->issuer.n + f->signer.n +
	                               f->md5.n + f->sha1.n + f->sha256.n + f->sha256_ac.n !=
	                           0;
}

/* Without anything to call it by it is no file in OCSF. */
static void
look_for_name(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct file_details *f = base;
	size_t known =
	    f->name.n + path_base(f->path).n + f->md5.n + f->sha1.n + f->sha256.n + f->sha256_ac.n;

	(void)row;
	if (known == 0 && ocsf_has_file(f))
		ocsf_of(s)->needs_whole = true;
}

static void
put_path(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct file_details *f = base;
	struct buf *text = &ocsf_of(s)->text;

	if (f->path.n == 0)
		return;
	buf_clear(text);
	path_join(text, f->path, f->name);
	shape_put_text(s, shape_row_name(row), buf_peek(text), OBSERVABLE_FILE_PATH);
}

#define S struct file_details
const struct shape_row ocsf_file_rows[] = {
	CALL(NULL, look_for_name, NULL),
	CALL("name", put_name, "fileName, else the end of filePath, else a hash"),
	IF_CALL("path", put_path, "filePath and fileName"),
	IF_TEXT("parent_folder", path, "filePath"),
	IF_INT("size", size, "fileSize"),
	IF_TEXT("company_name", publisher, "filePublisher"),
	IF_CALL(
	    "hashes", put_hashes, "sha256, sha1, md5, sha256Ac: algorithm_id and value of each"),
	IF_ARRAY("signatures"),
	OPEN(NULL),
	TEXT("developer_uid", signer, "signer"),
	CONST("algorithm", "Unknown"),
	NUMBER("algorithm_id", 0),
	CLOSE,
	CLOSE,
	CONST("type", "Regular File"),
	NUMBER("type_id", 1),
	END,
};
#undef S

#define S struct evidence
const struct shape_row ocsf_hash_rows[] = {
	OPEN("file"),
	TEXT("name", hash.value, "value"),
	IF_CALL("hashes", put_own_hash, "algorithm and value"),
	CONST("type", "Regular File"),
	NUMBER("type_id", 1),
	CLOSE,
	END,
};
#undef S
