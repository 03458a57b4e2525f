/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SHAPE_TABLE_H
#define SHAPE_TABLE_H

#include "lib/format/shape.h"

/*
 * shape_table: how the rows of a shape are spelled. For .c files that hold tables;
 * S is defined to the struct that a table is of. IF_…: only in an object that has begun.
 */

/* clang-format off */
#define ROW(h, nm, graph, ...) \
	{ .how = SHAPE_##h, .name = nm, .name_n = sizeof(nm) - 1, .from = graph, __VA_ARGS__ }
#define OFF(field)             .off = offsetof(S, field)

#define TEXT(nm, field, graph)          ROW(TEXT, nm, graph, OFF(field))
#define WHOLE(nm, field, graph)         ROW(WHOLE, nm, graph, OFF(field))
#define IF_TEXT(nm, field, graph)       ROW(TEXT, nm, graph, OFF(field), .if_open = true)
#define MARKED(nm, field, mk, graph)    ROW(TEXT, nm, graph, OFF(field), .mark = mk)
#define IF_MARKED(nm, field, mk, graph) \
	ROW(TEXT, nm, graph, OFF(field), .mark = mk, .if_open = true)
#define INT(nm, field, graph)           ROW(INT, nm, graph, OFF(field))
#define IF_INT(nm, field, graph)        ROW(INT, nm, graph, OFF(field), .if_open = true)
#define TIME(nm, field, graph)          ROW(TIME, nm, graph, OFF(field))
#define IF_TIME(nm, field, graph)       ROW(TIME, nm, graph, OFF(field), .if_open = true)
#define STAMP(nm, field, graph)         ROW(STAMP, nm, graph, OFF(field))
#define JSON(nm, field, graph)          ROW(JSON, nm, graph, OFF(field))
#define LIST(nm, field, graph) \
	ROW(TEXTS, nm, graph, OFF(field.v), .noff = offsetof(S, field.n))
#define TEXTS(nm, field, count, graph) \
	ROW(TEXTS, nm, graph, OFF(field), .noff = offsetof(S, count))
#define ALWAYS(nm, text)                ROW(CONST, nm, text, .number = sizeof(text) - 1)
#define CONST(nm, text) \
	ROW(CONST, nm, text, .number = sizeof(text) - 1, .if_open = true)
#define NUMBER(nm, n)                   ROW(CONST_INT, nm, "", .number = n, .if_open = true)
/* nm: what it writes, for the manual; spares are its own affair. */
#define CALL(nm, function, graph)       ROW(CALL, nm, graph, .fn = function)
#define IF_CALL(nm, function, graph)    ROW(CALL, nm, graph, .fn = function, .if_open = true)
#define OPEN(nm)                        ROW(OPEN, nm, NULL)
#define IF_OPEN(nm)                     ROW(OPEN, nm, NULL, .if_open = true)
#define ARRAY(nm)                       ROW(OPEN_ARRAY, nm, NULL)
#define IF_ARRAY(nm)                    ROW(OPEN_ARRAY, nm, NULL, .if_open = true)
#define CLOSE                           ROW(CLOSE, NULL, NULL)
#define ROWS(table, field)              ROW(ROWS, NULL, NULL, OFF(field), .rows = table)
#define ROWS_SAME(table)                ROW(ROWS, NULL, NULL, .rows = table)
#define END                             SHAPE_END
/* clang-format on */

#endif
