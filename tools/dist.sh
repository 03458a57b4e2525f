#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes build/dist/msspd-VERSION.tar.gz of the last commit: the same bytes for the same commit.
#
# usage: dist.sh VERSION
set -eu
cd "$(dirname "$0")/.."
name=msspd-$1
mkdir -p build/dist
git archive --format=tar --prefix="$name/" --add-virtual-file="$name/VERSION:$1" HEAD |
	gzip -n -9 > "build/dist/$name.tar.gz.new"
mv "build/dist/$name.tar.gz.new" "build/dist/$name.tar.gz"
echo "build/dist/$name.tar.gz"
