/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_SQLITE_H
#define JOURNAL_SQLITE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/journal/given.h"
#include "daemon/journal/journal_engine.h"
#include "daemon/journal/ledger.h"
#include "daemon/journal/local_fs.h"
#include "daemon/journal/place.h"

/*
 * journal_sqlite: the engine that keeps the journal in one SQLite file. Private
 * to the files named so; each does one thing:
 *
 *   journal_sqlite.c          the engine: groups, reading, housekeeping
 *   journal_sqlite_open.c     its life, and repair
 *   journal_sqlite_transaction.c  what one transaction means for memory and state
 *   journal_sqlite_db.c       the handle: opening, settings, statements, errors
 *   journal_sqlite_schema.c   tables, and how older ones become today's
 *   journal_sqlite_load.c     what memory must know of the file, read at open
 *   journal_sqlite_append.c   pages: memory, judge, entries
 *   journal_sqlite_given.c    which sinks were given what is remembered
 *   journal_sqlite_pack.c     bodies that are stored as their page came, packed
 *   journal_sqlite_settle.c   marks
 *   journal_sqlite_period.c   what is to be read again, and what parked sinks are not given
 *   journal_sqlite_resend.c   what a sink lost waits for it again
 *   journal_sqlite_letters.c  dead letters and quarantine: looked at, retried, dropped
 *   journal_sqlite_sum.c      the checksum of dead letters
 *   journal_sqlite_purge.c    all of a stream goes,
 *   journal_sqlite_scrub.c    also from the space in pages that no row uses
 *   journal_sqlite_account.c  what is known of the alerts of a time
 *   journal_sqlite_read.c     entries to hand out
 *   journal_sqlite_trim.c     what goes: delivered, forgotten, over its cap
 *   journal_sqlite_disk.c     room on the disk: high water, ballast, shrinking
 *   journal_sqlite_check.c    looking for damage, a little at a time
 *   journal_sqlite_salvage.c  a damaged file is set aside, and what can be read is kept
 *
 * What memory knows of the file (ledger, places, counts) changes only when a
 * transaction was committed: until then changes are noted in a list.
 */
#define PAGE_SIZE      16384
#define SCHEMA_VERSION 7
#define APPLICATION_ID 0x6d737370 /* "mssp" */
#define MEMORY_PROBES  16         /* rows that share an hour, a stream and a hash */
#define NO_ROWID       INT64_MIN
#define RETRY_MS       3000       /* between two tries of a remedy */

/* In the order of the table in journal_sqlite_db.c. */
enum statement {
	ST_BEGIN,
	ST_COMMIT,
	ST_ROLLBACK,
	ST_STREAM_PUT,
	ST_STREAM_BEGIN,
	ST_READER_PUT,
	ST_SINK_PUT,
	ST_SINK_DROP,
	ST_META_PUT,
	ST_MEMORY_FIND,
	ST_MEMORY_PUT,
	ST_MEMORY_GIVEN,
	ST_MEMORY_OLD,
	ST_MEMORY_DROP,
	ST_MEMORY_OLDEST,
	ST_ENTRY_PUT,
	ST_ENTRY_GET,
	ST_ENTRY_FIRST,
	ST_ENTRY_DROP,
	ST_ENTRY_SOME,
	ST_ENTRY_PLACE,
	ST_PACK_PUT,
	ST_PACK_DROP,
	ST_TODO_PUT,
	ST_TODO_SCAN,
	ST_TODO_DROP,
	ST_TODO_LATER,
	ST_TODO_SET_BACK,
	ST_TODO_OLDEST,
	ST_TODO_SOME,
	ST_TODO_MEMO,
	ST_READ_NEXT,
	ST_READ_ONE,
	ST_LOOK,
	ST_ACCOUNT,
	ST_DEAD_PUT,
	ST_DEAD_OLDEST,
	ST_DEAD_DROP,
	ST_DEAD_GET,
	ST_DEAD_BROKEN,
	ST_DEAD_LIST,
	ST_DEAD_OF_SINK,
	ST_DEAD_OF_STREAM,
	ST_DEAD_OF_BOTH,
	ST_DEAD_WALK,
	ST_DEAD_RETRY,
	ST_DEAD_RETRIED,
	ST_DEAD_AGAIN,
	ST_DEAD_NO_RETRY,
	ST_QUARANTINE_PUT,
	ST_QUARANTINE_OLDEST,
	ST_QUARANTINE_DROP,
	ST_QUARANTINE_GET,
	ST_QUARANTINE_LIST,
	ST_QUARANTINE_OF_STREAM,
	ST_QUARANTINE_SOME,
	ST_PURGE_READERS,
	ST_PURGE_GAPS,
	ST_PURGE_BEGIN,
	ST_PURGE_STREAM,
	ST_PURGE_MEMORY,
	ST_PURGE_HOUR,
	ST_GAP_PUT,
	ST_PERIOD_PUT,
	ST_PERIOD_DROP,
	ST_PARK_END,
	ST_PARK_SOME,
	ST_PAGES,
	ST_FREE_PAGES,
	ST_VACUUM,
	ST_COUNT,
};

/* What a transaction will mean for what memory knows. */
enum change_what {
	CHANGE_ADDED,   /* an entry; n: sinks that wait */
	CHANGE_TODO,    /* it waits at a sink; n: bytes */
	CHANGE_AGAIN,   /* likewise, after it was delivered; n: bytes */
	CHANGE_ANEW,    /* the sink begins anew */
	CHANGE_SETTLED, /* it no longer does; n: bytes */
	CHANGE_LATER,   /* due */
	CHANGE_DEAD,    /* n dead letters more at that sink */
	CHANGE_RETRY,   /* one of them waits for it again, as entry seq */
	CHANGE_NO_RETRY, /* it does no more */
	CHANGE_GONE,    /* entries seq to n are no longer on disk */
	CHANGE_DROPPED, /* a forgotten sink is gone for good */
};

struct change {
	enum change_what what;
	uint32_t sink;
	uint64_t seq, n;
	int64_t due;
};

struct counts {
	uint64_t entries, memory, dead, dead_bytes, quarantine, quarantine_bytes, gaps;
	uint64_t letters; /* the last number that one was given */
};

/* What has to be done before anything can be written again. */
enum remedy { REMEDY_NONE, REMEDY_REOPEN, REMEDY_SALVAGE };

/* Where the background check stands: a table, and the key it goes on from. */
struct check {
	bool is_running;
	size_t table;
	int64_t from;
	uint64_t bad;
};

struct store {
	/* As opened. */
	char *dir, *path, *lock_path, *ballast_path, *vfs;
	journal_unpack *unpack;
	const struct clock *clock;
	struct registry *reg;
	struct outbox *out;
	uint64_t max_size;
	int64_t remember, keep_delivered, forget_sink; /* ticks */
	unsigned own_types;
	int lock_fd;
	struct local_fs_room room;
	/* The handle. */
	sqlite3 *db;
	sqlite3_stmt *st[ST_COUNT];
	int rc;                /* the last error of SQLite */
	uint64_t wal_pages;    /* in the log now */
	bool has_ballast;
	/* What memory knows of the file. */
	struct place **places; /* by number - 1, NULL where there is none */
	size_t nplaces;
	struct ledger ledger;
	uint64_t next_seq;
	struct counts counts, saved;
	uint64_t pages, free_pages, max_pages;
	bool was_clean;
	/* The transaction at hand. */
	struct change *changes;
	size_t nchanges, changes_room;
	struct counts before;
	uint64_t seq_before, inserted;
	int64_t now;
	struct registry_name *names; /* being saved: nsinks sinks, then streams */
	size_t nnames, nsinks;
	struct periods_unsaved *periods; /* that it changes */
	size_t nperiods;
	bool has_refill;
	/* How it is. */
	enum journal_state state;
	enum remedy remedy;
	bool is_disk_full, is_at_high_water;
	unsigned read_errors;
	uint64_t disk_free;    /* bytes, at the last look */
	int64_t clock_ahead;   /* ticks: the wall clock, less the one that intervals are measured with */
	int64_t wrote_at;      /* mono ms: the last group */
	int64_t worked_at;     /* mono ms: the last background step */
	int64_t retry_at;      /* mono ms: when to try a remedy again */
	int64_t reasons_since; /* ticks: what was stored since says why a sink has not got it; 0: that
	                        * is not on disk yet */
	bool is_reasons_saved;
	int64_t trimmed_to;    /* ticks: all entries journalled since are still here */
	uint32_t resend_sink;  /* what it lost is being put before it again; 0: no sink */
	uint64_t resend_at;    /* entries up to this one were looked at */
	int64_t next_trim_at;  /* ticks: nothing delivered is due before */
	int64_t forget_from;   /* memory: key to go on from */
	int64_t forget_at;     /* mono ms: the next round; 0: none was yet */
	int64_t disk_at;       /* mono ms: the next look at the disk */
	int64_t cap_from;      /* memory over its cap: key to go on from */
	bool has_told_memory_cap;
	uint64_t appends, commits;
	uint64_t vacuums;      /* pages were moved so often */
	struct check check;
};

/* ---- life, and repair ---------------------------------------------------- */

/* The engine's open and close. Damage that is found is dealt with at once. */
struct store *store_open(const struct journal_opts *opts, struct registry *reg, struct outbox *out,
    struct err *err) MUST_CHECK;
void store_close(struct store *s);
/* What s->remedy says, when it is time for another try; afterwards it says whether it was of use. */
void store_repair(struct store *s);

/* ---- db ------------------------------------------------------------------ */

/* Opens path, sets it up, brings the schema up to date, prepares. On failure s->rc says why. */
bool db_open(struct store *s, const char *path, struct err *err) MUST_CHECK;
/* with_checkpoint false: leaves the log as it is, for a file that is not to be trusted. */
void db_close(struct store *s, bool with_checkpoint);
/* The statement, reset and ready to be bound. */
sqlite3_stmt *db_use(struct store *s, enum statement which);
/* One step of a statement that gives no rows; resets it. */
bool db_run(struct store *s, sqlite3_stmt *st, struct err *err) MUST_CHECK;
/* One step: 1 a row, 0 no more (reset), -1 failed (reset, err set). */
int db_row(struct store *s, sqlite3_stmt *st, struct err *err) MUST_CHECK;
bool db_exec(struct store *s, const char *sql, struct err *err) MUST_CHECK;
bool db_fail(struct store *s, int rc, struct err *err);
/* Empties the log into the database. truncate: waits for all of it and cuts the log. */
#define DB_PATIENCE_MS 2000 /* with a person who has the sqlite3 shell */
bool db_checkpoint(struct store *s, bool truncate, struct err *err) MUST_CHECK;

void bind_blob(sqlite3_stmt *st, int i, const void *p, size_t n);
void bind_text(sqlite3_stmt *st, int i, const char *text);
/* TICKS_NONE is NULL. */
void bind_ticks(sqlite3_stmt *st, int i, int64_t ticks);
int64_t column_ticks(sqlite3_stmt *st, int i);
struct str column_bytes(sqlite3_stmt *st, int i);

/* ---- schema -------------------------------------------------------------- */

/* Step i makes version i + 1 of version i. */
bool schema_migrate(sqlite3 *db, const char *const *steps, int nsteps, struct err *err) MUST_CHECK;
/* Before anything is written: refuses a file of something else and of a newer msspd. */
bool schema_check(sqlite3 *db, struct err *err) MUST_CHECK;
/* With our own steps. */
bool schema_update(sqlite3 *db, struct err *err) MUST_CHECK;

/* ---- load ---------------------------------------------------------------- */

/* Names, cursors and counts, ledger and places anew; places keep what is handed out. */
bool load(struct store *s, struct err *err) MUST_CHECK;
struct place *load_place(struct store *s, uint32_t sink);
/* Only the names. */
bool load_names(struct store *s, struct err *err) MUST_CHECK;

/* ---- transactions -------------------------------------------------------- */

bool transaction_begin(struct store *s, struct err *err) MUST_CHECK;
/* After this everything is durable, and memory knows it. On failure nothing is. */
bool transaction_commit(struct store *s, struct err *err) MUST_CHECK;
void transaction_rollback(struct store *s);
void change_add(struct store *s, struct change c);
/* In it: all: also those counts that are otherwise saved only now and then. */
bool transaction_save_counts(struct store *s, bool all, struct err *err) MUST_CHECK;
bool transaction_put_count(struct store *s, const char *name, uint64_t value, struct err *err)
    MUST_CHECK;
/* The names that went with it are free again; saved: they are on disk now. */
void transaction_names_done(struct store *s, bool saved);
/* The oldest entry of each place where it is not known. */
void find_oldests(struct store *s);
struct place *place_of(const struct store *s, uint32_t sink);
/* An error of SQLite: what it means for the state. */
void trouble(struct store *s, const struct err *err);
void publish(struct store *s);
/* Where the log is long enough. */
void empty_log(struct store *s);
/* The state follows from what is wrong; why: of a failure. */
void update_state(struct store *s, const char *why);

/* ---- the parts ----------------------------------------------------------- */

bool append_page(struct store *s, struct page_job *job, struct err *err) MUST_CHECK;
/* May the page's packed form stand for that body? *at: where it is in it. */
bool pack_has(const struct journal_page *page, const struct journal_entry *e, uint64_t *at);
/* So many bytes of bodies are written at most. */
uint64_t pack_most(const struct journal_page *page);
/* The page as it came packed, where that saves something, for the entries that are numbered
 * next. *first: its number; 0: it is not stored. */
bool pack_put(struct store *s, const struct journal_page *page, uint64_t *first, struct err *err)
    MUST_CHECK;
/* Those that no entry needs any more, now that these are gone. */
bool pack_drop(struct store *s, uint64_t first, uint64_t last, struct err *err) MUST_CHECK;
/* Gives that handle the function that ENTRY_BODY is written with. Returns SQLite's code. */
int pack_teach(sqlite3 *db, journal_unpack *how);
/* Of a row of the table entry. */
#define ENTRY_BODY "ifnull(body, slice(pack, at, len))"
/*
 * The checksum of a dead letter, over what it is and whose (the key of its stream, too), with the
 * time, the reason and the entry that it is, or is to be. Its body has one of its own, which goes
 * in: so a list need not read bodies, and what changes in a letter leaves its body alone.
 */
#define LETTER_SUM(at, why, retry, body) "letter_sum(n, sink, " at ", " why ", size, seq, stream, type," \
    " kind, flags, changed, version, journalled, id, " retry ", remembered, " body "," \
    " (SELECT key FROM stream WHERE stream.id = dead.stream))"
#define LETTER_BODY_IS_SOUND "ifnull(body_crc = letter_sum(body), 0)"
#define LETTER_IS_SOUND "ifnull(crc = " LETTER_SUM("at", "why", "retry", "body_crc") ", 0)"
/* Gives that handle the function. Returns SQLite's code. */
int sum_teach(sqlite3 *db);
/* What the memory has of an alert, and where. */
struct memory_slot {
	int64_t key; /* where it is or would go */
	bool is_known;
	struct seen was;
	int64_t journalled; /* ticks */
	bool is_said;       /* to whom it was given: not by an older msspd */
	struct given given;
};
/* A row of ST_MEMORY_FIND. */
void memory_slot_read(sqlite3_stmt *st, struct memory_slot *slot);

/* The sinks that were given what is remembered there. */
void given_of_slot(const struct store *s, const struct memory_slot *slot, struct given *out);
/* Those that were, once this entry is stored. */
void given_of_entry(struct store *s, const struct journal_page *page, const struct journal_entry *e,
    const struct memory_slot *slot, enum journal_act act, struct given *out);
bool given_put(struct store *s, int64_t key, int64_t journalled, const struct given *g,
    struct err *err) MUST_CHECK;
/* That sink did not get it after all, and why; where the memory still has that version. */
bool given_take_back_entry(struct store *s, uint64_t seq, uint32_t sink, enum given_how how,
    struct err *err) MUST_CHECK;
/* It did get it now, at last; likewise. */
bool given_give_entry(struct store *s, uint64_t seq, uint32_t sink, struct err *err) MUST_CHECK;

/* Hours since 1970 when the alert of that key of the memory was created. */
int64_t memory_hour(int64_t key);
/* All keys of a stream in such an hour are from the first to the last of them; some of others may
 * be, too. */
int64_t memory_first(int64_t hour, uint32_t stream);
int64_t memory_last(int64_t first);
bool settle_marks(struct store *s, struct mark_job *marks, size_t n, struct err *err) MUST_CHECK;
/* In the transaction at hand: that sink is not given an entry of that stream and version. */
void period_grow(struct store *s, uint32_t sink, uint32_t stream, int64_t version);
/* It gets everything again. */
void period_end_growth(struct store *s, uint32_t sink);
/* In the transaction at hand: so many entries of that stream wait for the sink again. */
void period_resent(struct store *s, uint32_t sink, uint32_t stream, uint64_t n);
/* All that is kept does: what was journalled before `kept` is to be read again. */
void period_end_hold(struct store *s, uint32_t sink, int64_t kept);
/* How far the page brings the period that it is of. */
void period_page(struct store *s, const struct page_job *job);
/* Of a transaction, after its sinks: takes what is not saved; writes it all; it is committed. */
void periods_take(struct store *s);
/* What is read again is read from its beginning: what was stored of it may be lost. */
bool periods_reread(struct store *s, struct err *err) MUST_CHECK;
bool periods_write(struct store *s, struct err *err) MUST_CHECK;
void periods_done(struct store *s);
/* Some of what parked sinks have is let go, in a transaction of its own. False: nothing to do. */
bool park_step(struct store *s);
/* What is to be read again because it was damaged can be, from now on. False: there is none. */
bool growth_step(struct store *s);
/* Some of what a sink lost waits for it again, in a transaction of its own. False: nothing to do. */
bool resend_step(struct store *s);
/* In the transaction at hand: an entry, as it is on disk, that the sink will never take. */
bool letter_put(struct store *s, uint32_t sink, uint64_t seq, const char *why, struct err *err)
    MUST_CHECK;
/* Likewise: one whose checksum is wrong goes to quarantine, as nobody's. */
bool letter_set_aside(struct store *s, uint64_t number, struct err *err) MUST_CHECK;
/* The same in a transaction of its own. */
bool quarantine_letter(struct store *s, uint64_t number, struct err *err) MUST_CHECK;
/* In the transaction at hand: of that sink's entries first to last, those that are dead letters
 * retried: accepted, they are none any more; refused, or never delivered, they are as before. */
bool letters_accepted(struct store *s, uint32_t sink, uint64_t first, uint64_t last,
    struct err *err) MUST_CHECK;
/* *was_one: it was a letter that is retried, with that reason now (NULL: the old one). */
bool letter_returned(struct store *s, uint32_t sink, uint64_t seq, const char *why, bool *was_one,
    struct err *err) MUST_CHECK;
/* None of that sink is retried any more. */
bool letters_give_up(struct store *s, uint32_t sink, struct err *err) MUST_CHECK;
/* Is that entry a letter that is retried? False where that cannot be read. */
bool letter_is(struct store *s, uint32_t sink, uint64_t seq);
/* Of the next dead letters behind t->at, in the order of sinks and entries, those that the task is
 * about, *n of them. t->is_over: there are no more. */
#define LETTERS_STEP 200
struct letter_at {
	int64_t at[4]; /* sink, entry, stream, number */
};
bool letters_walk(struct store *s, struct journal_task *t, struct letter_at out[LETTERS_STEP],
    size_t *n, struct err *err) MUST_CHECK;
/* It goes for good. is_retried, too: else *is_kept says that it is retried, and stays. */
bool letter_drop(struct store *s, const struct journal_filter *which, uint64_t number,
    bool is_retried, bool *is_kept, struct err *err) MUST_CHECK;
bool look_at_letters(struct store *s, const struct journal_letters_ask *ask,
    struct journal_batch *b, struct err *err) MUST_CHECK;
/* One step of a task, in a transaction of its own. */
bool letters_step(struct store *s, struct journal_task *t, struct err *err) MUST_CHECK;
bool purge_step(struct store *s, struct journal_task *t, struct err *err) MUST_CHECK;
/* One step of JOURNAL_ACCOUNT; nothing is written. */
bool account_step(struct store *s, struct journal_task *t, struct err *err) MUST_CHECK;
/* The log must be empty. *is_whole: no page had to be left alone. */
bool scrub_pages(struct store *s, uint32_t first, uint32_t n, bool *is_whole, struct err *err)
    MUST_CHECK;

bool read_items(struct store *s, struct place *p, size_t max, size_t max_bytes,
    struct journal_batch *b, struct err *err) MUST_CHECK;
bool look_at_items(struct store *s, uint32_t sink, size_t max, struct journal_batch *b,
    struct err *err) MUST_CHECK;

/* The checksum over all columns of an entry. */
uint32_t entry_crc(uint64_t seq, uint32_t stream, const struct journal_item *item);
/* Reads columns from `first` on: stream, type, kind, flags, changed, version,
 * journalled, crc, id, body. Texts point into the row. False: the checksum is wrong. */
bool entry_from_row(sqlite3_stmt *st, int first, uint64_t seq, struct journal_item *out);
/* The last of entry.routes: a checksum over those before it. */
uint32_t routes_crc(uint64_t seq, const void *routes, size_t n);
/* Was it given to that sink? False where that is not known. */
bool entry_was_for(struct str routes, uint64_t seq, uint32_t sink);
/* In the transaction at hand: keeps the row in quarantine, as nobody's, and frees who waits for
 * it. */
bool entry_set_aside(struct store *s, uint64_t seq, struct err *err) MUST_CHECK;
/* The same in a transaction of its own. */
bool quarantine_entry(struct store *s, uint64_t seq, struct err *err) MUST_CHECK;
bool quarantine_put(struct store *s, uint32_t stream, struct str id, const char *why,
    const void *body, size_t n, struct err *err) MUST_CHECK;

/* In the transaction at hand: at most max delivered entries, oldest first. */
bool trim_delivered(struct store *s, uint64_t max, struct err *err) MUST_CHECK;
/* One small step of forgetting, in a transaction of its own. False: nothing to do. */
bool trim_step(struct store *s, int64_t mono);
/* In the transaction at hand: dead letters, quarantine and memory that are over their caps. */
bool trim_caps(struct store *s, struct err *err) MUST_CHECK;
/* Sinks that were not declared for too long, and those that are forgotten. */
void trim_look_at_sinks(struct store *s);

bool disk_measure(struct store *s, struct err *err) MUST_CHECK;
void disk_plan(struct store *s);
void disk_look(struct store *s, bool is_first);
bool disk_has_room(const struct store *s, const struct journal_page *page);
bool disk_drop_ballast(struct store *s);
/* Gives free pages back to the file system, some. False: nothing to do. */
bool disk_shrink(struct store *s);
void disk_sync_dir(const struct store *s);

void check_start(struct store *s);
/* False: nothing to do. */
bool check_step(struct store *s);

/* Sets the file aside, makes a new one with what can be read of the old one, and loads it. */
bool salvage(struct store *s, const char *why, struct err *err) MUST_CHECK;
/* Before the file is opened: a salvage that a crash cut short takes its last step. */
bool salvage_finish(struct store *s, struct err *err) MUST_CHECK;

static inline uint64_t
used_pages(const struct store *s)
{
	return s->pages - s->free_pages;
}

#endif
