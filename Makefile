# msspd: reads Microsoft Defender alerts of many customers and forwards them.
# `make help` lists the targets.

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || cat VERSION 2>/dev/null || echo 0)
PREFIX   ?= /usr/local
BINDIR   ?= $(PREFIX)/bin
SBINDIR  ?= $(PREFIX)/sbin
SYSCONFDIR ?= /etc
UNITDIR  ?= $(PREFIX)/lib/systemd/system
DOCDIR   ?= $(PREFIX)/share/doc/msspd
DESTDIR  ?=

CC       ?= cc
CFLAGS   ?= -O2 -g
PKGS     := libevent libevent_openssl jansson libcurl sqlite3 libfyaml openssl
PKGS     += $(shell pkg-config --exists libsystemd && echo libsystemd)
WARN     := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings \
            -Wpointer-arith -Wvla -Wformat=2 -Wundef -Wno-missing-field-initializers
SAN      ?=
comma    := ,
# The plain variant's programs are build/msspd …; others live in folders of their own.
VARIANT  := $(if $(SAN),$(subst $(comma),-,$(SAN)),plain)
B        := build/$(VARIANT)
BIN      := $(if $(SAN),$B,build)

CPPFLAGS_ := -I. -D_GNU_SOURCE -include lib/banned.h -DMSSPD_VERSION='"$(VERSION)"' \
            $(shell pkg-config --exists libsystemd && echo -DHAVE_LIBSYSTEMD)
CFLAGS_  := -std=c11 $(WARN) $(if $(WERROR),-Werror) $(CFLAGS) -MMD -MP -pthread \
            $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all) \
            $(shell pkg-config --cflags $(PKGS))
LDLIBS_  := $(shell pkg-config --libs $(PKGS)) -pthread

obj       = $(patsubst %.c,$B/%.o,$(1))
LIB      := $(call obj,$(wildcard lib/*/*.c))
DAEMON   := $(call obj,$(wildcard daemon/*/*.c) $(filter-out daemon/main.c,$(wildcard daemon/*.c)))
DAEMON   := $(filter-out $B/daemon/msspctl/%,$(DAEMON))
CTL      := $(call obj,$(wildcard daemon/msspctl/*.c))
FAKE     := $(call obj,$(wildcard tests/fake_graph/*.c))
UNITS    := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/check_*.c))
SUPPORT  := $(call obj,$(filter-out tests/unit/check_%.c,$(wildcard tests/unit/*.c)))
PROGRAMS := $(BIN)/msspd $(BIN)/msspctl $(BIN)/fake-graph

all: $(PROGRAMS)                ## build msspd, msspctl and fake-graph below build/

$(BIN)/msspd: $B/daemon/main.o $B/daemon.a $B/lib.a
$(BIN)/msspctl: $(CTL) $B/lib.a
$(BIN)/fake-graph: $(FAKE) $B/lib.a
$(PROGRAMS):
	$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $^ $(LDLIBS_)
$B/lib.a: $(LIB)
$B/daemon.a: $(DAEMON)
$B/%.a:
	@rm -f $@
	$(AR) rcs $@ $^
$B/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS_) $(CFLAGS_) -c -o $@ $<
# Everything but main.o is in an archive, so a test links any module it names.
$B/unit/check_%: $B/tests/unit/check_%.o $(SUPPORT) $B/daemon.a $B/lib.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_) $(LDFLAGS) -o $@ $^ $(LDLIBS_) $$(pkg-config --libs check)

units: $(UNITS)
unit: units                     ## run the unit tests (SAN=address,undefined for the sanitizers)
	@for t in $(UNITS); do $$t || fail=1; done; exit $${fail:-0}

clean:                          ## remove everything that was built
	rm -rf build

help:                           ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: all units unit clean help
.SECONDARY:
-include $(shell find build -name '*.d' 2>/dev/null)
