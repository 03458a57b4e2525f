/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CRC32C_H
#define CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * crc32c: the Castagnoli checksum (RFC 3720, appendix B.4), so that a bit that
 * rots on disk is noticed. By the processor's own instruction where it has one.
 *
 * Begin with 0 and pass the last value on to continue over several pieces.
 */
uint32_t crc32c(uint32_t crc, const void *data, size_t n);

/* The same by table: what processors without the instruction use. */
uint32_t crc32c_table(uint32_t crc, const void *data, size_t n);

#endif
