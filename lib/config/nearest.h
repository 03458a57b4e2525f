/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NEAREST_H
#define NEAREST_H

/*
 * nearest: the word somebody may have meant, for "did you mean".
 *
 * Offer it every word that would be right; it keeps the closest of those that
 * are close at all: two typing errors, three in a long word, or one word within
 * the other. Words from the configuration live as long as their tree; nothing is copied.
 */
struct nearest {
	const char *wrong;
	const char *best; /* NULL: none is close */
	unsigned distance;
};

void nearest_init(struct nearest *n, const char *wrong);
void nearest_offer(struct nearest *n, const char *word);

#endif
