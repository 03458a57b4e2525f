#ifndef PAGING_STEP_H
#define PAGING_STEP_H

#include "lib/policy/paging.h"

/*
 * paging_step: what both halves of paging, answers with a page and answers
 * without one, do about the next request. Inside paging only.
 */
extern const char paging_gap_tick[], paging_gap_poison[], paging_gap_unread[];

/* "ge from"; what is kept only while one timestamp or window is read ends here. */
void paging_ask_keyset(struct paging *p, int64_t from);

/* One gap is told once, and again when it has grown by an hour. */
void paging_report_gap(
    struct paging *p, struct paging_step *out, int64_t from, int64_t to, const char *why);

/* Tells the gap [from, from + width) and reads on behind it. */
void paging_give_up(struct paging *p, int64_t width, const char *why, struct paging_step *out);

/* The window [from, before) is read: on to what lies behind it, or the read is done. */
void paging_window_complete(struct paging *p, struct paging_step *out);

#endif
