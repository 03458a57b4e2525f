/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_CLEAN_H
#define MAIL_CLEAN_H

#include "lib/base/buf.h"
#include "lib/base/str.h"

/*
 * mail_clean: text from anywhere as people may safely be shown it in a mail. Pure.
 *
 * Promises
 *  - what is written is well-formed UTF-8 without controls, but for '\n' where line ends are kept;
 *    bytes that are no UTF-8 are U+FFFD. Controls, and characters that turn the
 *    direction of text, join or hide it, are shown: [U+202E].
 *  - nothing that a mail reader would make a link of: hxxp://evil[.]example, and likewise bare
 *    names of hosts, addresses of mail and of Windows shares, addresses of the net with a port or
 *    a path. Names and paths of files stay (mail_links.h), and so do bare addresses of the net.
 *  - no blanks at either end; of several empty lines one. At most limit bytes and a few more;
 *    what is cut ends with "… [cut: 123 more bytes]".
 */
enum mail_clean_flags {
	MAIL_LINES = 1,   /* line ends stay; else each is a space */
	MAIL_TRUSTED = 2, /* links stay: the operator's own words */
	MAIL_PERSON = 4,  /* the name of a user: an address of mail stays, and what is but a name */
	MAIL_DEVICE = 8,  /* a device or domain of the customer's own: what is but a name stays */
	MAIL_PATH = 16,   /* a path, or the name of a file or resource: dots stay */
};

void mail_clean(struct buf *out, struct str text, size_t limit, unsigned flags);

#endif
