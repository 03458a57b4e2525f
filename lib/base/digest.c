/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/evp.h>

#include "lib/base/alloc.h"
#include "lib/base/digest.h"

void
digest_sha256(struct str bytes, char hex[65])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[32];

	if (EVP_Digest(bytes.s != NULL ? bytes.s : "", bytes.n, sum, NULL, EVP_sha256(), NULL) != 1)
		BUG("no SHA-256 in this OpenSSL");
	for (size_t i = 0; i < sizeof(sum); i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[64] = '\0';
}
