#!/usr/bin/env bash
# The package on this machine's real package manager: installed, upgraded over itself under a running cluster, removed and purged. What was
# not there before is gone afterwards. Without dpkg, without root, or where the package or a home is already, it says so and does nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

skip() { printf 'packaging/test.sh is skipped: %s\n' "$*"; exit 0; }
fail() { printf 'packaging/test.sh failed: %s\n' "$*" >&2; exit 1; }
step() { printf -- '-- %s\n' "$*"; }

command -v dpkg >/dev/null || skip 'there is no dpkg here'
[[ $EUID == 0 ]] || skip 'only root installs packages'
for there in /opt/muster /var/ossec; do [[ ! -e $there ]] || skip "$there is there already"; done
deb=$(ls dist-package/*.deb) || fail 'there is no package: npm run package'
conffile=/etc/logrotate.d/wazuh-clusterd
home=/var/ossec
getent passwd wazuh >/dev/null && had_user=yes || had_user=
# A node that dpkg does not know of is as good.
force=()
dpkg-query --show --showformat '${db:Status-Status}' nodejs 2>/dev/null | grep -qx installed || force=(--force-depends)
temporary=$(mktemp -d)

leave() {
  local code=$?
  for pid_file in "$temporary"/*/var/run/wazuh-clusterd-*.pid; do [[ ! -e $pid_file ]] || kill "$(cat "$pid_file")" 2>/dev/null || true; done
  dpkg --purge muster >/dev/null 2>&1 || true
  rm -rf "$home" "$temporary"
  rmdir /opt/muster 2>/dev/null || true
  if [[ -z $had_user ]]; then userdel wazuh 2>/dev/null || true; fi
  exit "$code"
}
trap leave EXIT

installed() { dpkg --install "${force[@]}" "$deb" >"$temporary/out" 2>&1 || { cat "$temporary/out" >&2; return 1; }; }

# until_true SECONDS WHAT COMMAND...
until_true() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < end)) || fail "$what"
    sleep 0.2
  done
}

is() { [[ $(stat --format '%a %U:%G' "$1") == "$2" ]] || fail "$1 is $(stat --format '%a %U:%G' "$1"), not $2"; }

step 'install'
installed
grep -q 'examples of /var/ossec/etc/ossec.conf' "$temporary/out" || fail 'the first installation does not say what to do next'
is "$home" '750 root:wazuh'
is "$home/etc" '770 wazuh:wazuh'
is "$home/etc/rules" '770 root:wazuh'
is "$home/queue/cluster" '770 wazuh:wazuh'
is "$home/queue/muster" '750 wazuh:wazuh'
for program in muster cluster_control agent_control agent_groups muster-agents wazuh-certs-tool; do
  [[ $("$program" --version) == "$program "* ]] || fail "$program does not start"
  man --where "$program" >/dev/null 2>&1 || [[ -e /usr/share/man/man1/$program.1.gz ]] || fail "$program has no manual page"
done
zcat /usr/share/man/man1/cluster_control.1.gz | grep -qF -- '\-\-drain' || fail 'the manual page of cluster_control lacks --drain'
bash -c 'source /usr/share/bash-completion/completions/cluster_control; _cluster_control cluster_control --dra ""; [[ ${COMPREPLY[*]} == --drain ]]' ||
  fail 'bash does not complete cluster_control --dra'

step 'a cluster of the installed files'
port=$(node --print 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() }); ""' | grep .)
for node in master worker; do
  mkdir -p "$temporary/$node/etc/rules"
  sed -e "s/PUT_THE_32_CHARACTERS_HERE/0123456789abcdef0123456789abcdef/; s/10\.0\.0\.1/127.0.0.1/; s/<port>1516/<port>$port/" \
    -e '/<auth>/,/<\/remote>/d' "/usr/share/doc/muster/examples/$node.ossec.conf" >"$temporary/$node/etc/ossec.conf"
done
chmod 755 "$temporary"
chown -R wazuh:wazuh "$temporary"/{master,worker}
chmod 640 "$temporary"/{master,worker}/etc/ossec.conf
for node in master worker; do wazuh-clusterd --home "$temporary/$node" >/dev/null; done
control() { cluster_control --home "$temporary/$1" "${@:2}"; }
both_in() { control master -l | grep -q '^worker-1 .*worker'; }
arrived() { [[ $(cat "$temporary/worker/etc/rules/$1") == "$2" ]]; }
until_true 30 'the worker does not join' both_in
echo one >"$temporary/master/etc/rules/first.xml"
until_true 30 'a file does not arrive' arrived first.xml one
pids() { cat "$temporary"/*/var/run/wazuh-clusterd-*.pid | sort | tr '\n' ' '; }
before=$(pids)

step 'upgrade it over itself'
echo '# of the operator' >>"$conffile"
installed
[[ $(pids) == "$before" ]] || fail 'the upgrade ended a daemon that systemd did not start'
grep -qx '# of the operator' "$conffile" || fail 'the upgrade changed a conffile'
echo two >"$temporary/master/etc/rules/second.xml"
until_true 30 'a file does not arrive after the upgrade' arrived second.xml two
[[ $(control worker --drain worker-1 -q) == "Node 'worker-1' is drained." ]] || fail 'a node cannot be drained'
control master -l | grep -q '^worker-1 .*drained' || fail 'the drained node is not shown'

step 'remove it'
dpkg --remove muster >/dev/null
[[ ! -e /opt/muster && ! -e /usr/bin/cluster_control ]] || fail 'files are left'
# A process that has ended may wait for its parent, without a program.
ended() { ! readlink "/proc/$1/exe"; }
for pid in $before; do until_true 5 'a daemon runs on without its files' ended "$pid"; done
grep -qx '# of the operator' "$conffile" || fail 'the removal took a conffile'

step 'purge it, without the data, then with it'
dpkg --purge muster >"$temporary/out" 2>&1
[[ ! -e $conffile && -d $home/etc ]] || fail 'the purge left a conffile, or took data'
grep -q "$home was left" "$temporary/out" || fail 'the purge does not say what it left'
installed
MUSTER_PURGE_DATA=yes dpkg --purge muster >/dev/null
[[ ! -e $home ]] || fail 'the data is left, though it was to be deleted'

step 'beside a Wazuh manager, and where something else is in /opt/muster'
mkdir -p "$home/bin" && touch "$home/bin/wazuh-control"
installed
grep -q "there is a Wazuh manager in $home" "$temporary/out" || fail 'the installation does not say that there is a manager'
cp -r "$temporary/master/etc" "$home/"
printf '#!/bin/sh\nVERSION="v4.14.7"\n' >"$home/bin/wazuh-control"
printf '#!/bin/sh\n' >"$home/bin/wazuh-clusterd"
chmod 750 "$home" "$home"/bin/*
chgrp -R wazuh "$home"
of_wazuh() { (cd "$home" && find . ! -type d -printf '%p %m %u:%g %T+\n' | sort) }
before=$(of_wazuh)
muster install-into-manager --dry-run >/dev/null || fail 'muster refuses the home of a manager'
muster install-into-manager --yes >"$temporary/out" || { cat "$temporary/out" >&2; fail 'muster cannot be installed'; }
is "$home/bin/wazuh-clusterd" '750 root:wazuh'
"$home/bin/wazuh-clusterd" -t || fail 'the manager would not restart'
muster status >/dev/null || fail 'muster is not installed'
MUSTER_PURGE_DATA=yes dpkg --purge muster >/dev/null 2>&1
[[ $(of_wazuh) == "$before" ]] || fail "something of the manager was touched: $(of_wazuh)"
mkdir /opt/muster
! installed 2>"$temporary/err" || fail 'a directory of somebody else was taken'
grep -q '/opt/muster is there already' "$temporary/err" || fail 'it is not said why'
step 'the package holds'
