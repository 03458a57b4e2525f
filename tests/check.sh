#!/bin/sh
# Everything `make check` promises, in the order in which it is quickest to know
# that something is wrong; ends with the sum of all parts.
set -eu
cd "$(dirname "$0")/.."

jobs=$(nproc)
soak=${MSSPD_SOAK:-0}
begin=$(date +%s)
say() { printf '\n== %s (after %s s)\n' "$*" "$(($(date +%s) - begin))"; }

say "building: plain, address and undefined behaviour, threads, fuzzers"
make -s -j"$jobs" WERROR=1 all units benches
make -s -j"$jobs" SAN=address,undefined all units
make -s -j"$jobs" SAN=thread all units
make -s -j"$jobs" CC=clang VARIANT=fuzz CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fprofile-instr-generate -fcoverage-mapping' fuzzers

say "testing"
export MSSPD_SOAK="$soak"
exec python3 tests/tally.py \
    build/plain/unit/check_* build/address-undefined/unit/check_* build/thread/unit/check_journal* \
    build/thread/unit/check_resolve
