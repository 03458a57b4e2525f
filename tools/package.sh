#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the package of the last commit from its tarball, below build/packages.
#
# usage: package.sh deb|rpm VERSION
set -eu
cd "$(dirname "$0")/.."
root=$PWD
kind=$1
version=$2
tools/dist.sh "$version" >/dev/null
tarball=$root/build/dist/msspd-$version.tar.gz
place=$root/build/packages/$kind
rm -rf "$place"
mkdir -p "$place"
cd "$place"
when=$(git -C "$root" log -1 --format=%ct)

deb() {
	tar xzf "$tarball"
	cd "msspd-$version"
	mv packaging/debian debian
	printf 'msspd (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- %s  %s\n' "$version" \
	    "$(sed -n 's/^Maintainer: //p' debian/control)" "$(date -R -u -d "@$when")" > debian/changelog
	SOURCE_DATE_EPOCH=$when dpkg-buildpackage -us -uc -b ${DEB_FLAGS-}
	cd ..
	rm -rf "msspd-$version"
}

rpm() {
	mkdir -p SOURCES
	cp "$tarball" SOURCES/
	SOURCE_DATE_EPOCH=$when rpmbuild -bb ${RPM_FLAGS-} --define "_topdir $place" \
	    --define "msspd_version $version" "$root/packaging/rpm/msspd.spec"
	mv RPMS/*/*.rpm .
	rm -rf BUILD BUILDROOT RPMS SOURCES SPECS SRPMS
}

"$kind"
ls "$place"
