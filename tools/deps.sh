#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what building and testing msspd needs and is missing. Root is asked
# for only then; nothing is removed or replaced.
#
# usage: deps.sh build|check|receivers|readers|kafka|postfix|prometheus|faketime
#   build      compiler and libraries
#   check      build, and what the tests run; an OpenID provider for them below
#              build/oidc
#   receivers  syslog-ng and rsyslog, extracted below build/receivers: their
#              packages conflict with each other, so neither is installed
#   kafka      an Apache Kafka broker, below build/kafka
#   postfix    a mail server, extracted below build/postfix: the system's own, if it has one, is left alone
#   readers    Python programs that take what msspd sends and are not ours, below build/readers
#   prometheus Prometheus with its promtool, extracted below build/prometheus: nothing is started
#   faketime   libfaketime, extracted below build/faketime
set -eu

say() { printf 'deps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

debian_build='build-essential pkg-config libcurl4-openssl-dev libjansson-dev libevent-dev
 libsqlite3-dev libfyaml-dev libssl-dev librdkafka-dev libsystemd-dev zlib1g-dev libisal-dev tzdata'
debian_check='check clang clang-format libclang-rt-14-dev llvm-14 valgrind python3 python3-venv openssl
 curl e2fsprogs nghttp2-proxy procps sqlite3 groff-base chromium systemd systemd-container
 debhelper lintian fakeroot rpm binutils'
fedora_build='gcc make pkgconf-pkg-config libcurl-devel jansson-devel libevent-devel sqlite-devel
 libfyaml-devel openssl-devel librdkafka-devel systemd-devel zlib-devel isa-l-devel tzdata'
fedora_check='check-devel clang clang-tools-extra compiler-rt llvm valgrind python3 openssl curl
 e2fsprogs nghttp2 procps-ng sqlite groff-base chromium-headless systemd systemd-container rpm-build binutils libasan libubsan libtsan'
# What syslog-ng and rsyslog need beside the C library.
debian_receivers='syslog-ng-core rsyslog rsyslog-openssl libestr0 libfastjson4 liblognorm5
 libivykis0 libnet1 libwrap0 libpcre3 libjson-c5 libglib2.0-0 libcap2'

python_readers='py-ocsf-models==0.10.0 aiosmtpd==1.4.6'

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		say "root is needed for: $*"
		sudo "$@"
	else
		die "these are missing, install them as root: $*"
	fi
}

has_deb() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }

# Debian's and Ubuntu's newer releases have other versions in some names.
debian_name() {
	case $1 in
	libclang-rt-14-dev | llvm-14)
		apt-cache show "$1" >/dev/null 2>&1 && echo "$1" && return
		v=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-\([0-9]*\).*/\1/p' | head -n 1)
		echo "$1" | sed "s/14/$v/" ;;
	libisal-dev) # not for every kind of machine, and zlib does as well
		apt-cache show "$1" >/dev/null 2>&1 && echo "$1" || : ;;
	*) echo "$1" ;;
	esac
}

has_lists() { ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1; }

# Installed, by whatever name this release has for it, or one that it has not at all.
is_there() {
	has_deb "$1" && return 0
	name=$(debian_name "$1")
	if [ -z "$name" ]; then
		has_lists
	else
		[ "$name" != "$1" ] && has_deb "$name"
	fi
}

install_debian() {
	missing=
	for p in $1; do
		is_there "$p" || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	as_root apt-get update -qq
	names=
	for p in $missing; do
		names="$names $(debian_name "$p")"
	done
	[ -n "$(echo $names)" ] || return 0
	say "installing:$names"
	# --no-remove: rather fail than take something away.
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-remove \
	    --no-install-recommends $names >&2
}

install_fedora() {
	missing=
	for p in $1; do
		rpm -q "$p" >/dev/null 2>&1 || missing="$missing $p"
	done
	[ -n "$missing" ] || return 0
	say "installing:$missing"
	# shellcheck disable=SC2086
	as_root dnf install -y $missing >&2
}

install() {
	if command -v apt-get >/dev/null 2>&1; then
		install_debian "$1"
	elif command -v dnf >/dev/null 2>&1; then
		install_fedora "$2"
	else
		die "this is neither Debian, Ubuntu nor Fedora; install by hand: $1"
	fi
}

# What syslog-ng and rsyslog need, by the names of this release (libglib2.0-0t64, libnet9).
receiver_names() {
	for p in $debian_receivers; do
		if apt-cache show "$p" >/dev/null 2>&1; then
			echo "$p"
		else
			apt-cache depends syslog-ng-core rsyslog 2>/dev/null |
			    sed -n "s/^.*Depends: \($(echo "$p" | sed 's/[0-9]*$//')[0-9]*\(t64\)\{0,1\}\)$/\1/p" | head -n 1
		fi
	done
}

# Downloads need no root; a package that is already there is extracted as well,
# so that the folder is complete.
extract_debian() {
	dir=build/receivers
	[ -x $dir/usr/sbin/syslog-ng ] && [ -x $dir/usr/sbin/rsyslogd ] && [ -e $dir/.complete ] && return 0
	rm -rf $dir
	mkdir -p $dir/deb
	has_lists || as_root apt-get update -qq
	# shellcheck disable=SC2046
	(cd $dir/deb && apt-get download $(receiver_names) >/dev/null 2>&1) ||
	    { as_root apt-get update -qq && (cd $dir/deb && apt-get download $(receiver_names) >&2); } ||
	    die "syslog-ng and rsyslog could not be downloaded"
	for p in $dir/deb/*.deb; do
		dpkg -x "$p" $dir
	done
	rm -rf $dir/deb
	touch $dir/.complete
	say "syslog-ng and rsyslog are in $dir"
}

extract_fedora() {
	dir=build/receivers
	[ -e $dir/.complete ] && return 0
	rm -rf $dir
	mkdir -p $dir/rpm
	dnf download -q --resolve --destdir $dir/rpm syslog-ng rsyslog rsyslog-openssl ||
	    die "syslog-ng and rsyslog could not be downloaded"
	for p in $dir/rpm/*.rpm; do
		rpm2cpio "$p" | (cd $dir && cpio -idm --quiet)
	done
	rm -rf $dir/rpm
	touch $dir/.complete
}

# Some Node.js have npm in them, Debian's has not.
node_packages() {
	command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || echo "$1"
}

java_package() {
	command -v java >/dev/null 2>&1 || echo "$1"
}

mvn_package() {
	command -v mvn >/dev/null 2>&1 || echo "$1"
}

# Which versions, down to what each of them needs, says the lock file.
install_oidc() {
	dir=build/oidc
	[ -e $dir/.complete ] && cmp -s tests/oidc/package-lock.json $dir/package-lock.json && return 0
	rm -rf $dir
	mkdir -p $dir
	cp tests/oidc/package.json tests/oidc/package-lock.json $dir
	(cd $dir && npm ci --ignore-scripts --no-audit --no-fund >&2) ||
	    die "oidc-provider could not be installed"
	touch $dir/.complete
	say "oidc-provider is in $dir"
}

# With a Python of its own below build/, so that nothing of the system's is touched.
install_readers() {
	dir=build/readers
	[ -x $dir/bin/python ] && [ "$(cat $dir/.complete 2>/dev/null)" = "$python_readers" ] && return 0
	rm -rf $dir
	python3 -m venv $dir && $dir/bin/pip install -q --disable-pip-version-check $python_readers >&2 ||
	    { rm -rf $dir; die "these could not be installed: $python_readers"; }
	echo "$python_readers" > $dir/.complete
	say "$python_readers is in $dir"
}

# The libraries it needs and the system has not come with it.
extract_postfix() {
	dir=build/postfix
	[ -e $dir/.complete ] && return 0
	rm -rf $dir
	mkdir -p $dir/package
	if command -v apt-get >/dev/null 2>&1; then
		apt-cache show postfix >/dev/null 2>&1 || as_root apt-get update -qq
		names=postfix
		for p in $(apt-cache depends postfix | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p'); do
			has_deb "$p" || names="$names $p"
		done
		# shellcheck disable=SC2086
		(cd $dir/package && apt-get download $names >/dev/null 2>&1) ||
		    { as_root apt-get update -qq && (cd $dir/package && apt-get download $names >&2); } ||
		    die "postfix could not be downloaded"
		for p in $dir/package/*.deb; do
			dpkg -x "$p" $dir
		done
	else
		dnf download -q --resolve --destdir $dir/package postfix ||
		    die "postfix could not be downloaded"
		for p in $dir/package/*.rpm; do
			rpm2cpio "$p" | (cd $dir && cpio -idm --quiet)
		done
	fi
	rm -rf $dir/package
	touch $dir/.complete
	say "postfix is in $dir"
}

# Of one package, what is in it: name below build/, Debian's name, Fedora's.
extract_one() {
	dir=build/$1
	[ -e $dir/.complete ] && return 0
	rm -rf $dir
	mkdir -p $dir/package
	if command -v apt-get >/dev/null 2>&1; then
		(cd $dir/package && apt-get download "$2" >/dev/null 2>&1) ||
		    { as_root apt-get update -qq && (cd $dir/package && apt-get download "$2" >&2); } ||
		    die "$2 could not be downloaded"
		dpkg -x $dir/package/*.deb $dir
	else
		dnf download -q --destdir $dir/package "$3" || die "$3 could not be downloaded"
		for p in $dir/package/*.rpm; do
			rpm2cpio "$p" | (cd $dir && cpio -idm --quiet)
		done
	fi
	rm -rf $dir/package
	touch $dir/.complete
	say "$1 is in $dir"
}

# Which files, of which content, says the list.
install_kafka() {
	dir=$PWD/build/kafka
	list=$PWD/tests/run/kafka.sha256
	[ -e "$dir/.complete" ] && cmp -s "$list" "$dir/kafka.sha256" && return 0
	rm -rf "$dir"
	mkdir -p "$dir"
	mvn -q -B -Dstyle.color=never -f tests/run/kafka-pom.xml -DoutputDirectory="$dir" \
	    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies >&2 ||
	    die "Apache Kafka could not be downloaded"
	(cd "$dir" && sha256sum -c --quiet "$list" >&2) || die "files of Apache Kafka are not what they were"
	[ "$(find "$dir" -name '*.jar' | wc -l)" -eq "$(wc -l < "$list")" ] ||
	    die "Apache Kafka came with files that nobody knows"
	cp "$list" "$dir/kafka.sha256"
	touch "$dir/.complete"
	say "Apache Kafka is in build/kafka"
}

case ${1:-} in
build)
	install "$debian_build" "$fedora_build" ;;
check)
	install "$debian_build $debian_check $(node_packages "nodejs npm") $(java_package default-jre-headless) $(mvn_package maven)" \
	    "$fedora_build $fedora_check $(node_packages "nodejs nodejs-npm") $(java_package java-latest-openjdk-headless) $(mvn_package maven)"
	install_oidc ;;
receivers)
	if command -v apt-get >/dev/null 2>&1; then extract_debian; else extract_fedora; fi ;;
readers)
	install_readers ;;
kafka)
	install_kafka ;;
postfix)
	extract_postfix ;;
prometheus)
	extract_one prometheus prometheus golang-github-prometheus ;;
faketime)
	extract_one faketime libfaketime libfaketime ;;
*)
	die "usage: deps.sh build|check|receivers|readers|kafka|postfix|prometheus|faketime" ;;
esac
