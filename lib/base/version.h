/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VERSION_H
#define VERSION_H

/* "0.1.0-12-gabc1234": as git, or the file VERSION of a tarball, names it. */
extern const char msspd_version[];

#endif
