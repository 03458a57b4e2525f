#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the version: of the release that a tag names, or of the work towards the next one as
# BASE~COMMITS.gHASH, which package managers sort before it; in a tarball, what its VERSION says.
set -eu
cd "$(dirname "$0")/.."
if [ -f VERSION ]; then
	cat VERSION
	exit 0
fi
tag=$(git describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null) && echo "${tag#v}" && exit 0
base=$(sed -n 's/^## \([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
hash=$(git rev-parse --short=8 HEAD 2>/dev/null) || { echo "$base~0"; exit 0; }
echo "$base~$(git rev-list --count HEAD).g$hash"
