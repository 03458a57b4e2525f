#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything `make check` promises, in the order in which it is quickest to know
# that something is wrong; ends with the sum of all parts.
set -eu
cd "$(dirname "$0")/.."

jobs=$(nproc)
soak=${MSSPD_SOAK:-0}
# What has threads: the journal's and the resolver's.
threaded=$(ls tests/unit/check_journal*.c tests/unit/check_resolve.c |
    sed 's|tests/unit/\(.*\)\.c|build/thread/unit/\1|')
begin=$(date +%s)
say() { printf '\n== %s (after %s s)\n' "$*" "$(($(date +%s) - begin))"; }

say "building: plain, address and undefined behaviour, threads, fuzzers, without ISA-L"
make -s -j"$jobs" WERROR=1 all units benches
make -s -j"$jobs" SAN=address,undefined all units
make -s -j"$jobs" SAN=thread all $threaded
make -s -j"$jobs" instrumented
make -s -j"$jobs" WERROR=1 WITHOUT=libisal VARIANT=zlib build/zlib/unit/check_inflate \
    build/zlib/unit/check_fetch build/zlib/unit/check_fetch_size

say "testing"
# Set or not set: the unit tests ask no more than that.
if [ "$soak" = 1 ]; then export MSSPD_SOAK=1; else unset MSSPD_SOAK; fi
# The fault tests sync some ten thousand times; what they show does not depend on the disk.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
	TMPDIR=/dev/shm
	export TMPDIR
fi
exec python3 tests/tally.py \
    build/plain/unit/check_* build/address-undefined/unit/check_* $threaded build/zlib/unit/check_*
