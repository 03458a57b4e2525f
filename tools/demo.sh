#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Three customers at a make-believe Microsoft, a real syslog-ng as the SIEM, and
# msspd between them. Shows each alert as the SIEM received it, until Ctrl-C or
# for DEMO_SECONDS. Leaves nothing running and nothing behind.
set -eu
cd "$(dirname "$0")/.."

dir=$(mktemp -d "${TMPDIR:-/tmp}/msspd-demo.XXXXXX")
pids=

cleanup() {
	trap - EXIT INT TERM HUP
	for p in $pids; do
		kill "$p" 2>/dev/null || true
	done
	for p in $pids; do
		wait "$p" 2>/dev/null || true
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 0' INT TERM HUP

# Sleeps, but hears signals.
nap() {
	sleep "$1" &
	naps=$!
	pids="$pids $naps"
	wait "$naps"
}

bold='' plain=''
[ ! -t 1 ] || bold=$(printf '\033[1m') plain=$(printf '\033[0m')
say() { printf '%sdemo:%s %s\n' "$bold" "$plain" "$*"; }
die() { say "$*"; exit 1; }

# The first free port from a number on: nobody listens there now.
port() {
	p=$1
	while grep -q ":$(printf '%04X' "$p") 00000000:0000 0A" /proc/net/tcp; do
		p=$((p + 1))
	done
	echo "$p"
}

wait_for() { # wait_for WHAT LOG COMMAND...
	what=$1 log=$2
	shift 2
	i=0
	until "$@" 2>/dev/null; do
		i=$((i + 1))
		[ $i -lt 200 ] || { cat "$log" >&2; die "$what did not start"; }
		sleep 0.05
	done
}

graph_port=$(port 18080)
siem_port=$(port 16514)
mkdir "$dir/state"

# ---- Microsoft, as far as alerts go
printf 'demo-secret' > "$dir/secret"
chmod 600 "$dir/secret"
build/fake-graph --listen "127.0.0.1:$graph_port" --quiet --alerts 3 --rate 0.25 \
    --client-secret demo-secret \
    --tenant 11111111-2222-4333-8444-555555555501:contoso \
    --tenant 11111111-2222-4333-8444-555555555502:fabrikam \
    --tenant 11111111-2222-4333-8444-555555555503:northwind > "$dir/graph.log" 2>&1 &
pids="$pids $!"
wait_for fake-graph "$dir/graph.log" grep -q listening "$dir/graph.log"

# ---- the SIEM
cat > "$dir/syslog-ng.conf" <<EOF
@version: 3.38
options { stats-freq(0); keep-hostname(yes); use-dns(no); log-msg-size(65536); flush-lines(1); };
source s { syslog(ip(127.0.0.1) port($siem_port) transport(tcp)); };
destination d { file("$dir/siem.log" template("\$HOST \$MESSAGE\n")); };
log { source(s); destination(d); };
EOF
root=build/receivers
modules=$(dirname "$(find "$root/usr" -name libafsocket.so | head -n 1)")
libs=$(find "$root/" -type d \( -name '*-linux-gnu' -o -name syslog-ng -o -name lib64 \) | tr '\n' ':')
: > "$dir/siem.log"
LD_LIBRARY_PATH="$libs" $root/usr/sbin/syslog-ng --foreground --no-caps --stderr \
    --cfgfile="$dir/syslog-ng.conf" --persist-file="$dir/persist" --control="$dir/ctl" \
    --pidfile="$dir/pid" --module-path="$modules" > "$dir/syslog-ng.log" 2>&1 &
pids="$pids $!"
wait_for syslog-ng "$dir/syslog-ng.log" grep -q 'starting up' "$dir/syslog-ng.log"

# ---- msspd between them
cat > "$dir/msspd.yaml" <<EOF
state_dir: $dir/state
control_socket: $dir/control.sock
apps:
  soc:
    cloud: custom
    login_url: http://127.0.0.1:$graph_port
    graph_url: http://127.0.0.1:$graph_port
    client_id: 6f0c8a5e-0000-4000-8000-000000000001
    secret_file: $dir/secret
defaults: { app: soc, poll_interval: 2s, first_lookback: 30d, sinks: [siem] }
customers:
  contoso: { name: Contoso Ltd, labels: { tier: gold } }
  fabrikam: { name: Fabrikam Inc }
  northwind: { name: Northwind Traders }
tenants:
  contoso-eu: { id: 11111111-2222-4333-8444-555555555501, customer: contoso }
  fabrikam: { id: 11111111-2222-4333-8444-555555555502, customer: fabrikam }
  northwind: { id: 11111111-2222-4333-8444-555555555503, customer: northwind }
sinks:
  siem:
    type: syslog
    servers: tcp://127.0.0.1:$siem_port
    framing: octet-counting
    confirm_after: 1s
    hostname: "{customer}"
    health: daemon
EOF
build/msspd -c "$dir/msspd.yaml" -n || die "the demo's configuration is not right"
build/msspd -c "$dir/msspd.yaml" > "$dir/msspd.log" 2>&1 &
pids="$pids $!"
wait_for msspd "$dir/msspd.log" test -S "$dir/control.sock"

say "alerts of three customers, as the SIEM receives them (host, then the CEF line):"
tail -n +1 -f "$dir/siem.log" &
pids="$pids $!"
if [ -n "${DEMO_SECONDS:-}" ]; then
	nap "$DEMO_SECONDS"
	say "what msspd says of itself (msspctl status):"
	build/msspctl -s "$dir/control.sock" status
	say "$(wc -l < "$dir/siem.log") events reached the SIEM; that was the demo"
	[ -s "$dir/siem.log" ] || { cat "$dir/msspd.log" >&2; exit 1; }
else
	say "Ctrl-C ends it"
	while nap 3600; do :; done
fi
