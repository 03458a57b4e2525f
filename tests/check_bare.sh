#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tries `make demo` and `make check` in a minimal Debian 12 with only make, git
# and ca-certificates added, as somebody would who has just cloned. Root.
set -eu
cd "$(dirname "$0")/.."

[ "$(id -u)" -eq 0 ] || { echo "check-bare: run it as root" >&2; exit 77; }
command -v debootstrap >/dev/null || { echo "check-bare: install debootstrap" >&2; exit 69; }

top=$PWD
root=$(mktemp -d "${TMPDIR:-/var/tmp}/msspd-bare.XXXXXX")
chmod 755 "$root" # it becomes /, which is everybody's
trap 'rm -rf --one-file-system "$root"' EXIT
trap 'exit 1' INT TERM

mirror=${DEBIAN_MIRROR:-$(sed -n 's/^\(deb\|URIs:\) *\(\[[^]]*\] *\)\{0,1\}\(http[^ ]*\).*/\3/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)}
debootstrap --variant=minbase --include=make,git,ca-certificates bookworm "$root" "$mirror"
# The same way to the packages as this machine has.
cp -a /etc/apt/. "$root/etc/apt/"
echo "127.0.0.1 localhost $(uname -n)" > "$root/etc/hosts" # as an installed system has
cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
cp -a /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
chroot "$root" update-ca-certificates >/dev/null
git clone -q "$top" "$root/src"

# A root of its own, not just another place that is called so: some tests boot a systemd
# in an overlay of it. The mounts are gone with the namespace.
enter='
mount --bind "$1" "$1"
for d in proc sys dev; do
	mount --rbind --make-rslave "/$d" "$1/$d"
done
cd "$1"
pivot_root . mnt
umount -l mnt
cd /src
exec sh -c "$2"'
authorities=/etc/ssl/certs/ca-certificates.crt
inside() {
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
	    ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
	    NODE_EXTRA_CA_CERTS=$authorities PIP_CERT=$authorities \
	    unshare --mount --propagation private sh -euc "$enter" enter "$root" "$1"
}
# BARE_STEPS=demo leaves the long one out.
for step in ${BARE_STEPS:-demo check}; do
	case $step in
	demo) inside 'DEMO_SECONDS=10 make demo' ;;
	check) inside 'CI=1 make check' ;;
	esac
done
