# SPDX-License-Identifier: Apache-2.0
# msspd: reads Microsoft Defender alerts of many customers and forwards them.
# `make help` lists the targets.

VERSION  ?= $(shell tools/version.sh)
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
SBINDIR  ?= $(PREFIX)/sbin
SYSCONFDIR ?= /etc
UNITDIR  ?= $(PREFIX)/lib/systemd/system
DOCDIR   ?= $(PREFIX)/share/doc/msspd
MANDIR   ?= $(PREFIX)/share/man
DESTDIR  ?=

CC       ?= cc
CFLAGS   ?= -O2 -g
PKGS     := libevent libevent_openssl libevent_pthreads jansson libcurl sqlite3 libfyaml openssl rdkafka
# Used where they are found; WITHOUT=libisal builds without one of them.
WITHOUT  ?=
OPTIONAL := $(shell for p in $(filter-out $(WITHOUT),libsystemd libisal); do pkg-config --exists $$p 2>/dev/null && echo $$p; done)
PKGS     += $(OPTIONAL)
HAVE     := $(if $(filter libsystemd,$(OPTIONAL)),-DHAVE_LIBSYSTEMD) $(if $(filter libisal,$(OPTIONAL)),-DHAVE_LIBISAL)
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
            -Wpointer-arith -Wvla -Wformat=2 -Wundef -Wno-missing-field-initializers
SAN      ?=
comma    := ,
# The plain variant's programs are build/msspd …; others live in folders of their own.
VARIANT  ?= $(if $(SAN),$(subst $(comma),-,$(SAN)),plain)
B        := build/$(VARIANT)
BIN      := $(if $(filter plain,$(VARIANT)),build,$B)

CPPFLAGS_ := -I. -D_GNU_SOURCE -include lib/banned.h
CFLAGS_  := -std=c11 $(WARN) $(HAVE) $(CFLAGS) -MMD -MP -pthread \
            $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all) \
            $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDLIBS_  := -Wl,--as-needed $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lz -pthread

# `make V=1` shows every command.
say       = $(if $(V),,@printf '  %-5s %s\n' $(1) $@;)

obj       = $(patsubst %.c,$B/%.o,$(1))
LIB      := $(call obj,$(wildcard lib/*/*.c))
DAEMON   := $(call obj,$(filter-out daemon/main.c daemon/msspctl/%,$(wildcard daemon/*.c daemon/*/*.c)))
CTL      := $(call obj,$(wildcard daemon/msspctl/*.c))
FAKE     := $(call obj,$(wildcard tests/fake_graph/*.c))
each      = $(patsubst tests/$(1)/%.c,$B/$(1)/%,$(wildcard tests/$(1)/$(2)_*.c))
UNITS    := $(call each,unit,check)
BENCHES  := $(call each,bench,bench)
FUZZERS  := $(call each,fuzz,fuzz)
SUPPORT  := $(call obj,$(filter-out tests/unit/check_%.c,$(wildcard tests/unit/*.c)))
PROGRAMS := $(BIN)/msspd $(BIN)/msspctl $(BIN)/fake-graph
# What tests use besides.
TOOLS    := $(BIN)/kafka-tool $(BIN)/write-formats

all: $(PROGRAMS)                ## build msspd, msspctl and fake-graph below build/

$(BIN)/msspd: $B/daemon/main.o $B/daemon.a $B/lib.a
$(BIN)/msspctl: $(CTL) $B/daemon.a $B/lib.a
$(BIN)/fake-graph: $(FAKE) $B/lib.a
$(BIN)/kafka-tool: $B/tests/run/kafka_tool.o
$(BIN)/write-formats: $B/tests/run/write_formats.o $B/lib.a
$(PROGRAMS) $(TOOLS):
	$(call say,LINK)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $^ $(LDLIBS_)
$B/lib.a: $(LIB)
$B/daemon.a: $(DAEMON) $B/page_html.o
# The status page, as bytes in the program.
$B/page_html.c: daemon/ops/page.html
	@mkdir -p $(@D)
	$(call say,GEN){ echo 'const unsigned char page_html[] = {'; od -An -v -tu1 $< | \
	    sed 's/  */,/g; s/^,//; s/$$/,/'; echo '0 };'; \
	    echo 'const unsigned page_html_size = sizeof(page_html) - 1;'; } > $@
$B/page_html.o: $B/page_html.c $B/flags
	$(call say,CC)$(CC) $(CPPFLAGS_) $(CFLAGS_) -c -o $@ $<
$B/%.a:
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^
$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CPPFLAGS_) $(CFLAGS_) $(if $(WERROR),-Werror) -c -o $@ $<
# The version is in one object, so that a commit does not rebuild the world.
$B/lib/base/version.o: CPPFLAGS_ += -DMSSPD_VERSION='"$(VERSION)"'
$B/lib/base/version.o: $B/version
# Other flags or another version: build again. What stops at a warning makes the same objects.
$B/flags: FORCE
	@mkdir -p $(@D); echo '$(CC) $(CFLAGS_)' | cmp -s - $@ || echo '$(CC) $(CFLAGS_)' > $@
$B/version: FORCE
	@mkdir -p $(@D); echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' > $@
# Everything but main.o is in an archive, so a test links any module it names.
$B/unit/check_%: LDLIBS_ += $(shell pkg-config --libs check 2>/dev/null)
$B/unit/%: $B/tests/unit/%.o $(SUPPORT) $B/daemon.a $B/lib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS_)
$B/bench/%: $B/tests/bench/%.o $B/daemon.a $B/lib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS_)
$B/fuzz/%: $B/tests/fuzz/%.o $B/daemon.a $B/lib.a
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(CFLAGS_) -fsanitize=fuzzer $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(LDLIBS_)

units: $(UNITS) $(TOOLS)
benches: $(BENCHES) $(TOOLS)
fuzzers: $(FUZZERS)
FUZZ     := CC=clang VARIANT=fuzz CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined \
            -fno-sanitize-recover=all -fprofile-instr-generate -fcoverage-mapping'

deps:                           ## install what building and the demo need and is missing
	tools/deps.sh build
	tools/deps.sh receivers
check-deps: deps
	tools/deps.sh check
	tools/deps.sh readers
	tools/deps.sh kafka
	tools/deps.sh postfix
	tools/deps.sh prometheus
	tools/deps.sh faketime

check: check-deps               ## install what is missing, build, run every test (tests/README.md)
	tests/check.sh
unit: units                     ## the unit tests alone; SAN=address,undefined for the sanitizers
	python3 tests/tally.py --only unit/ $(UNITS)
instrumented:
	$(MAKE) $(FUZZ) fuzzers
fuzz: check-deps                ## every fuzzer for FUZZ_SECONDS (60), and what their corpora reach
	$(MAKE) instrumented
	tests/fuzz/run.sh $${FUZZ_SECONDS:-60}
	tests/fuzz/coverage.py
bench: all benches              ## CPU per stage, and the whole way beside a client that only downloads
	python3 tests/bench/bench.py
soak: check-deps                ## everything as long as it deserves (about an hour): kills, faults, fuzzers, sanitizers
	MSSPD_SOAK=1 tests/check.sh
check-bare:                     ## try demo and check in a minimal Debian 12 (root)
	tests/check_bare.sh
demo: deps                      ## three customers, a SIEM and msspd between them, until Ctrl-C
	$(MAKE) all
	tools/demo.sh

docs: docs/CONFIGURATION.md docs/FORMATS.md docs/METRICS.md docs/man/msspd.yaml.5 ## the manuals that are made from the program's tables
docs/CONFIGURATION.md: $(BIN)/msspd
	$(BIN)/msspd --print-manual > $@
docs/man/msspd.yaml.5: docs/CONFIGURATION.md tools/manpage.py
	tools/manpage.py < $< > $@
docs/FORMATS.md: $(BIN)/msspd
	$(BIN)/msspd --print-formats > $@
docs/METRICS.md: $(BIN)/msspd
	$(BIN)/msspd --print-metrics > $@
fmt:                            ## bring the lines that you changed into the house's shape
	git clang-format -f --extensions c,h

install: all                    ## into PREFIX (/usr/local) below DESTDIR
	install -D -m 755 -t $(DESTDIR)$(SBINDIR) $(BIN)/msspd
	install -D -m 755 -t $(DESTDIR)$(BINDIR) $(BIN)/msspctl
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) README.md CHANGELOG.md docs/*.md
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man5 docs/man/*.5
	install -D -m 644 -t $(DESTDIR)$(MANDIR)/man8 docs/man/*.8
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/examples conf/msspd.yaml
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/examples/conf.d conf/conf.d/*.yaml
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/examples/prometheus conf/prometheus/*.yml
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/examples/grafana conf/grafana/msspd.json
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/examples/receivers conf/receivers/*
	install -D -m 644 -t $(DESTDIR)$(DOCDIR)/pictures docs/pictures/*.png
	install -D -m 644 packaging/completion/msspctl $(DESTDIR)$(PREFIX)/share/bash-completion/completions/msspctl
	install -d -m 755 $(DESTDIR)$(SYSCONFDIR)/msspd/conf.d
	install -D -m 644 systemd/msspd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/msspd.conf
	install -D -m 644 systemd/msspd.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/msspd.conf
	for u in msspd.service msspd-backup.service msspd-backup.timer; do \
		sed 's|@SBINDIR@|$(SBINDIR)|; s|@BINDIR@|$(BINDIR)|' systemd/$$u > $B/$$u && \
		install -D -m 644 -t $(DESTDIR)$(UNITDIR) $B/$$u || exit 1; \
	done

dist:                           ## a reproducible tarball of the last commit, below build/dist
	tools/dist.sh '$(VERSION)'
deb:                            ## a Debian package of the last commit, below build/packages
	tools/package.sh deb '$(VERSION)'
rpm:                            ## likewise for Fedora and its kin
	tools/package.sh rpm '$(VERSION)'
sbom:                           ## what msspd is made of, as CycloneDX, below build/dist
	@mkdir -p build/dist
	tools/sbom.py '$(VERSION)' zlib $(PKGS) > 'build/dist/msspd-$(VERSION).cdx.json'

clean:                          ## remove everything that was built
	rm -rf build

help:                           ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

FORCE:
# A page or manual that its program could not finish must not look made.
.DELETE_ON_ERROR:
.PHONY: all units benches fuzzers instrumented deps check-deps check unit fuzz bench soak check-bare demo docs fmt \
        install dist deb rpm sbom clean help FORCE
.SECONDARY:
-include $(shell find $B -name '*.d' 2>/dev/null)
