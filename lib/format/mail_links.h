/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_LINKS_H
#define MAIL_LINKS_H

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * mail_links: what readers of mail make a link of though nobody wrote one: a word with a
 * scheme before it, the name of a host, an address of mail, a Windows share.
 *
 * It knows nothing of characters that deceive and of limits (mail_clean).
 *
 * Promises: pure; in doubt something is a link, but where it stands in the path of a file:
 * there only a name that ends like a well-known domain is.
 */

/* What the names of hosts, files and people are made of. */
bool links_is_word_byte(unsigned char c);
/* Where a link that began with a scheme is over for every reader of mail. */
bool links_ends_url(unsigned char c);

/* What a word is known to be, before it is looked at. */
enum links_place {
	LINKS_TEXT,
	LINKS_PATH,   /* in the path or the name of a file */
	LINKS_PERSON, /* of the name of a user: an address of mail is none to be afraid of */
};
bool links_is_name(struct str word, enum links_place place);
/* An IPv4 address where a port or a path follows: bare ones are none, people copy them. */
bool links_is_address(struct str word, struct str behind);
/* "http" as "hxxp://"; what stands before it in the same word is kept. */
void links_break_scheme(struct buf *out, struct str word);
/* Does a share begin at `at`, with two backslashes? */
bool links_is_share(struct str text, size_t at);
/* All of it is one name of a thing or a person: no place for a link's path, and no "www.". */
bool links_is_plain_name(struct str text);

#endif
