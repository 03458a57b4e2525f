/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PAGING_STEP_H
#define PAGING_STEP_H

#include "lib/policy/paging.h"

/*
 * paging_step: what the parts of paging share: what a page says (paging_page.c), what
 * follows from it (paging.c), and what from an answer without one (paging_fault.c).
 * Inside paging only.
 */
extern const char paging_gap_tick[], paging_gap_poison[], paging_gap_unread[];

/* ---- paging_page.c ------------------------------------------------------------------------ */

/* Behind it there may be more, though it has no link. */
bool paging_page_is_full(const struct paging *p, const struct paging_page *pg);
/* How long the server lets pages be at the most. */
void paging_learn_clamp(struct paging *p, const struct paging_page *pg, bool full);
/* Whether it keeps to the order; true: this page does not. */
bool paging_learn_ascent(struct paging *p, const struct paging_page *pg);

/* ---- paging.c ----------------------------------------------------------------------------- */

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
