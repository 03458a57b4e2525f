#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each fuzzer for SECONDS, one after the other; stops at the first that finds
# something and says where it lies. New inputs go to a folder that is thrown away.
#
# usage: run.sh SECONDS [NAME]...
set -eu
cd "$(dirname "$0")/../.."

seconds=${1:?usage: run.sh SECONDS [NAME]...}
shift
if [ $# -eq 0 ]; then
	for f in tests/fuzz/fuzz_*.c; do
		f=${f##*/fuzz_}
		set -- "$@" "${f%.c}"
	done
fi
new=$(mktemp -d "${TMPDIR:-/tmp}/msspd-fuzz.XXXXXX")
trap 'rm -rf "$new"' EXIT
mkdir -p build/fuzz/findings
for name; do
	printf '== %s for %s s\n' "$name" "$seconds"
	mkdir "$new/$name"
	if ! LLVM_PROFILE_FILE=/dev/null "build/fuzz/fuzz/fuzz_$name" -max_total_time="$seconds" \
	    -timeout=20 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=0 \
	    -artifact_prefix="build/fuzz/findings/$name-" "$new/$name" "tests/fuzz/corpus/$name" \
	    > "$new/log" 2>&1; then
		cat "$new/log"
		printf '%s found something; what it was given lies in build/fuzz/findings\n' "$name"
		exit 1
	fi
	tail -n 1 "$new/log"
done
