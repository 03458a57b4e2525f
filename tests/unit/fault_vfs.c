/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#include "tests/unit/fault_vfs.h"

const char *const fault_names[FAULT_KINDS] = { "write", "sync", "truncate", "open", "read",
	"delete" };

struct fault_file {
	sqlite3_file file; /* first */
	sqlite3_file *real;
};

static struct {
	pthread_mutex_t lock;
	sqlite3_vfs vfs, *real;
	unsigned calls[FAULT_KINDS], nth, failed;
	enum fault_kind kind;
	int code;
	bool for_ever;
} fault = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* What this call answers: SQLITE_OK to go on. */
static int
strike(enum fault_kind kind)
{
	unsigned n;
	bool hit;
	int code;

	pthread_mutex_lock(&fault.lock);
	n = ++fault.calls[kind];
	hit = fault.nth != 0 && kind == fault.kind
	    && (n == fault.nth || (fault.for_ever && n > fault.nth));
	fault.failed += hit;
	code = hit ? fault.code : SQLITE_OK;
	pthread_mutex_unlock(&fault.lock);
	return code;
}

void
fault_vfs_arm(enum fault_kind kind, unsigned nth, int code, bool for_ever)
{
	pthread_mutex_lock(&fault.lock);
	memset(fault.calls, 0, sizeof(fault.calls));
	fault.failed = 0;
	fault.kind = kind;
	fault.nth = nth;
	fault.code = code;
	fault.for_ever = for_ever;
	pthread_mutex_unlock(&fault.lock);
}

void
fault_vfs_disarm(void)
{
	fault_vfs_arm(FAULT_WRITE, 0, SQLITE_OK, false);
}

unsigned
fault_vfs_calls(enum fault_kind kind)
{
	unsigned n;

	pthread_mutex_lock(&fault.lock);
	n = fault.calls[kind];
	pthread_mutex_unlock(&fault.lock);
	return n;
}

unsigned
fault_vfs_failed(void)
{
	unsigned n;

	pthread_mutex_lock(&fault.lock);
	n = fault.failed;
	pthread_mutex_unlock(&fault.lock);
	return n;
}

/* ---- files --------------------------------------------------------------- */

static sqlite3_file *
real_of(sqlite3_file *f)
{
	return ((struct fault_file *)f)->real;
}

static int
fault_close(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);
	int rc = real->pMethods != NULL ? real->pMethods->xClose(real) : SQLITE_OK;

	return rc;
}

static int
fault_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
	int rc = strike(FAULT_READ);

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xRead(real_of(f), p, n, at);
}

static int
fault_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	int rc = strike(FAULT_WRITE);

	/* Half of it gets there, as on a disk that fills up. */
	if (rc != SQLITE_OK)
		real_of(f)->pMethods->xWrite(real_of(f), p, n / 2, at);
	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xWrite(real_of(f), p, n, at);
}

static int
fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	int rc = strike(FAULT_TRUNCATE);

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xTruncate(real_of(f), size);
}

static int
fault_sync(sqlite3_file *f, int flags)
{
	int rc = strike(FAULT_SYNC);

	return rc != SQLITE_OK ? rc : real_of(f)->pMethods->xSync(real_of(f), flags);
}

static int
fault_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return real_of(f)->pMethods->xFileSize(real_of(f), size);
}

static int
fault_lock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xLock(real_of(f), level);
}

static int
fault_unlock(sqlite3_file *f, int level)
{
	return real_of(f)->pMethods->xUnlock(real_of(f), level);
}

static int
fault_check_reserved(sqlite3_file *f, int *out)
{
	return real_of(f)->pMethods->xCheckReservedLock(real_of(f), out);
}

static int
fault_control(sqlite3_file *f, int op, void *arg)
{
	return real_of(f)->pMethods->xFileControl(real_of(f), op, arg);
}

static int
fault_sector(sqlite3_file *f)
{
	return real_of(f)->pMethods->xSectorSize(real_of(f));
}

static int
fault_device(sqlite3_file *f)
{
	return real_of(f)->pMethods->xDeviceCharacteristics(real_of(f));
}

static int
fault_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
	return real_of(f)->pMethods->xShmMap(real_of(f), page, size, extend, out);
}

static int
fault_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return real_of(f)->pMethods->xShmLock(real_of(f), offset, n, flags);
}

static void
fault_shm_barrier(sqlite3_file *f)
{
	real_of(f)->pMethods->xShmBarrier(real_of(f));
}

static int
fault_shm_unmap(sqlite3_file *f, int remove)
{
	return real_of(f)->pMethods->xShmUnmap(real_of(f), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = fault_close,
	.xRead = fault_read,
	.xWrite = fault_write,
	.xTruncate = fault_truncate,
	.xSync = fault_sync,
	.xFileSize = fault_size,
	.xLock = fault_lock,
	.xUnlock = fault_unlock,
	.xCheckReservedLock = fault_check_reserved,
	.xFileControl = fault_control,
	.xSectorSize = fault_sector,
	.xDeviceCharacteristics = fault_device,
	.xShmMap = fault_shm_map,
	.xShmLock = fault_shm_lock,
	.xShmBarrier = fault_shm_barrier,
	.xShmUnmap = fault_shm_unmap,
};

/* ---- the file system ----------------------------------------------------- */

static int
fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
	struct fault_file *ff = (struct fault_file *)f;
	int rc = strike(FAULT_OPEN);

	(void)vfs;
	ff->file.pMethods = NULL;
	ff->real = (sqlite3_file *)(ff + 1);
	if (rc != SQLITE_OK)
		return rc;
	rc = fault.real->xOpen(fault.real, name, ff->real, flags, out);
	if (rc == SQLITE_OK)
		ff->file.pMethods = &methods;
	return rc;
}

static int
fault_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	int rc = strike(FAULT_DELETE);

	(void)vfs;
	return rc != SQLITE_OK ? rc : fault.real->xDelete(fault.real, name, sync);
}

void
fault_vfs_register(void)
{
	fault.real = sqlite3_vfs_find(NULL);
	fault.vfs = *fault.real;
	fault.vfs.zName = "fault";
	fault.vfs.pNext = NULL;
	fault.vfs.szOsFile = (int)sizeof(struct fault_file) + fault.real->szOsFile;
	fault.vfs.xOpen = fault_open;
	fault.vfs.xDelete = fault_delete;
	sqlite3_vfs_register(&fault.vfs, 0);
}
