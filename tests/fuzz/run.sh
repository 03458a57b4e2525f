#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each fuzzer for SECONDS, one after the other; stops at the first that finds
# something and says what, and where it lies. New inputs go to a folder that is
# thrown away. FUZZ_SEED=N walks the same way as the last time; without, another.
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
	    -seed="${FUZZ_SEED:-0}" -timeout=20 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=0 \
	    -artifact_prefix="build/fuzz/findings/$name-" "$new/$name" "tests/fuzz/corpus/$name" \
	    > "$new/log" 2>&1; then
		printf '%s found something; what it was given lies in build/fuzz/findings\n' "$name"
		grep -a -m 3 -e 'bug at' -e 'ERROR:' -e 'runtime error:' -e '^Base64:' "$new/log" || true
		tail -c 5000 "$new/log"
		exit 1
	fi
	tail -n 1 "$new/log"
done
