/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEYPAIR_H
#define KEYPAIR_H

#include <openssl/evp.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

/*
 * keypair: a certificate and the private key that belongs to it, read from PEM
 * files, to sign with.
 *
 * It knows nothing of what is signed. The certificate's file may hold a chain (its
 * first certificate counts) and, where no other file is named for it, the key.
 * Only RSA of 2048 bits or more: Microsoft Entra takes nothing else.
 *
 * Promises
 *  - nothing of a key or passphrase is in any error, and what we read of the files
 *    is overwritten; OpenSSL overwrites a key that it lets go.
 *  - reading anew what has not changed costs the reading of the files (10 µs),
 *    not the decryption of the key.
 *
 * Blocks for small reads; a new key costs 2 ms, an encrypted one what its passphrase costs.
 * A signature costs 0.3 ms with 2048 bits, 1.7 with 3072 and 3.9 with 4096.
 */
struct keypair_files {
	const char *certificate; /* names as in daemon/secret.h */
	const char *key;         /* NULL: in certificate */
	const char *passphrase;  /* NULL: the key is not encrypted */
};

struct keypair {
	EVP_PKEY *key; /* NULL: nothing was read yet */
	unsigned char sha1[20], sha256[32]; /* of the certificate */
	int64_t begins, ends;               /* its time, ticks */
	unsigned char content[32];          /* digest of what the files held */
};

/*
 * Into k, zeroed or read before; unchanged on failure. ERR_CONF: a file cannot be
 * read or holds no such thing. ERR_TEMP: certificate and key do not belong
 * together, as while one of them is replaced (where k has a pair to go on with), or
 * this machine lacks something.
 */
bool keypair_read(struct keypair *k, const struct keypair_files *f, struct err *err) MUST_CHECK;
void keypair_release(struct keypair *k);

/* The end of a certificate alone, ticks. */
bool certificate_ends(const char *certificate, int64_t *ends, struct err *err) MUST_CHECK;

/* RSA with SHA-256 over text, appended to out: PSS (salt of 32) or PKCS #1 v1.5. */
bool keypair_sign(const struct keypair *k, bool is_pss, struct str text, struct buf *out,
    struct err *err) MUST_CHECK;

#endif
