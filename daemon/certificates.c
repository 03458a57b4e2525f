/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>

/* Also "TRUSTED CERTIFICATE", as authorities may be; other blocks before it are passed over. */
static bool
has_one(FILE *f)
{
	X509 *one = PEM_read_X509_AUX(f, NULL, NULL, NULL);
	bool found = one != NULL;

	X509_free(one);
	ERR_clear_error();
	return found;
}

bool
certificates_check(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat st;
	bool ok = false;

	if (f == NULL || fstat(fd, &st) < 0)
		(void)err_sys(err, ERR_CONF, errno, "cannot read %.200s", path);
	else if (!S_ISREG(st.st_mode))
		(void)err_set(err, ERR_CONF, "%.200s is not a file", path);
	else
		ok = has_one(f) || err_set(err, ERR_CONF, "%.200s holds no certificate (PEM)", path);
	if (f != NULL)
		(void)fclose(f);
	else if (fd >= 0)
		close(fd);
	return ok;
}
