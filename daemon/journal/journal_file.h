/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JOURNAL_FILE_H
#define JOURNAL_FILE_H

/* The journal's file in its folder: what is copied, looked at from outside, and put in its place. */
#define JOURNAL_FILE "journal.db"

#endif
