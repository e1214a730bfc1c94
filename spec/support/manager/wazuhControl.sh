#!/bin/sh
# A pretended wazuh-control, written from a description of how Wazuh's drives the cluster daemon: PID files in var/run, the cluster daemon
# started last and stopped first, and every configuration tested before a restart.
VERSION="v4.14.7"
cd "$(dirname "$0")/.." || exit 1
home=$(pwd)
daemons='wazuh-clusterd wazuh-db'
in_order_of_start='wazuh-db wazuh-clusterd'
# DEBUG_CLI
[ ! -e bin/.process_list ] || . bin/.process_list

is_wanted() {
  [ "$1" != wazuh-clusterd ] || { grep -q '<cluster>' etc/ossec.conf && ! grep -q '<disabled>yes' etc/ossec.conf; }
}

pids_of() {
  for file in "$home/var/run/$1"-*.pid; do
    [ ! -e "$file" ] || { pid=$(cat "$file") && ps -p "$pid" >/dev/null && echo "$pid"; }
  done
}

start() {
  for daemon in $in_order_of_start; do
    is_wanted "$daemon" && [ -z "$(pids_of "$daemon")" ] || continue
    "$home/bin/$daemon" ${DEBUG_CLI} || { echo "$daemon did not start"; exit 1; }
    echo "Started $daemon..."
  done
  echo Completed.
}

stop() {
  for daemon in $daemons; do
    for pid in $(pids_of "$daemon"); do
      kill "$pid"
      for tenth in $(seq 300); do ps -p "$pid" >/dev/null || break; sleep 0.1; done
      ! ps -p "$pid" >/dev/null || { echo "$daemon did not end"; kill -9 "$pid"; }
      rm -f "$home/var/run/$daemon-$pid.pid"
      echo "Stopped $daemon..."
    done
  done
}

test_configuration() {
  for daemon in $daemons; do
    ! is_wanted "$daemon" || "$home/bin/$daemon" -t ${DEBUG_CLI} || { echo "$daemon: Configuration error. Exiting"; exit 1; }
  done
}

status() {
  for daemon in $daemons; do
    [ -n "$(pids_of "$daemon")" ] && echo "$daemon is running..." || echo "$daemon not running..."
  done
}

case $1 in
start) test_configuration && start ;;
stop) stop ;;
restart) test_configuration && stop && start ;;
status) status ;;
esac
