#!/usr/bin/env bash
# Starts a real PostgreSQL and a real MinIO on free loopback ports with empty
# temporary folders, runs the command given with their addresses in the
# environment, then stops both and removes everything:
#
#   .ci/services.sh go test ./storage/...
#
# Sets SIRA_TEST_POSTGRES, SIRA_TEST_S3, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.
# SIRA_TEST_MINIO is the path of the minio program. A server that cannot be had
# is said and left out; with SIRA_TEST_STRICT=1 it is an error. Exit status: the
# command's.
set -euo pipefail

if [ $# -eq 0 ]; then
  echo "usage: $0 COMMAND [ARGUMENT…]" >&2
  exit 2
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/sira-services.XXXXXX")
chmod 711 "$work" # the postgres user passes through it
minio_pid=''
pg_ctl=''

without() { # a server is not there
  echo "!! NOT RUN: $1" >&2
  if [ "${SIRA_TEST_STRICT:-}" = 1 ]; then exit 1; fi
}

as_postgres() { # PostgreSQL refuses to run as root
  if [ "$(id -u)" = 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

stop() {
  local status=$?
  trap - EXIT
  trap '' INT TERM HUP # nothing may cut the clearing up short
  if [ -n "$pg_ctl" ]; then as_postgres "$pg_ctl" -D "$work/pg/data" -m immediate -w stop >/dev/null 2>&1 || true; fi
  if [ -n "$minio_pid" ]; then
    kill "$minio_pid" 2>/dev/null || true
    wait "$minio_pid" 2>/dev/null || true
  fi
  rm -rf "$work"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

free_port() { # a loopback port nobody listens on, below the kernel's own range
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

start_postgres() {
  local bin='' dir port
  for dir in /usr/lib/postgresql/*/bin; do # the newest one, versions sort well enough
    if [ -x "$dir/initdb" ]; then bin=$dir; fi
  done
  if [ -z "$bin" ] && command -v initdb >/dev/null; then bin=$(dirname "$(command -v initdb)"); fi
  if [ -z "$bin" ]; then
    without "no PostgreSQL in /usr/lib/postgresql"
    return
  fi
  if [ "$(id -u)" = 0 ] && ! id postgres >/dev/null 2>&1; then
    without "PostgreSQL needs the user postgres when run as root"
    return
  fi
  mkdir "$work/pg"
  if [ "$(id -u)" = 0 ]; then chown postgres "$work/pg"; fi
  if ! as_postgres "$bin/initdb" -D "$work/pg/data" -U sira -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$work/initdb.log" 2>&1; then
    cat "$work/initdb.log" >&2
    echo "initdb failed" >&2
    exit 1
  fi
  for _ in 1 2 3 4 5; do # another process may take the port first
    port=$(free_port)
    if as_postgres "$bin/pg_ctl" -D "$work/pg/data" -l "$work/pg/log" -w -t 60 \
      -o "-h 127.0.0.1 -p $port -c unix_socket_directories='' -c fsync=off -c full_page_writes=off -c max_connections=200" start >/dev/null 2>&1; then
      pg_ctl=$bin/pg_ctl
      export SIRA_TEST_POSTGRES="postgres://sira@127.0.0.1:$port/postgres?sslmode=disable"
      echo "== PostgreSQL on 127.0.0.1:$port" >&2
      return
    fi
  done
  cat "$work/pg/log" >&2
  echo "PostgreSQL did not start" >&2
  exit 1
}

answers() { # host port path: is there an HTTP server that says 200?
  local status
  status=$( (exec 3<>"/dev/tcp/$1/$2" && printf 'GET %s HTTP/1.0\r\nHost: %s\r\n\r\n' "$3" "$1" >&3 && head -n 1 <&3) 2>/dev/null) || return 1
  [[ $status == *" 200 "* ]]
}

start_minio() {
  local minio=${SIRA_TEST_MINIO:-} port
  if [ -z "$minio" ]; then minio=$(command -v minio || true); fi
  if [ -z "$minio" ] || [ ! -x "$minio" ]; then
    without "no minio program (SIRA_TEST_MINIO)"
    return
  fi
  export SIRA_TEST_MINIO=$minio AWS_ACCESS_KEY_ID=siratest AWS_SECRET_ACCESS_KEY
  AWS_SECRET_ACCESS_KEY=$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    mkdir -p "$work/minio"
    MINIO_ROOT_USER=$AWS_ACCESS_KEY_ID MINIO_ROOT_PASSWORD=$AWS_SECRET_ACCESS_KEY \
      MINIO_BROWSER=off MINIO_UPDATE=off HOME=$work \
      "$minio" server --quiet --address "127.0.0.1:$port" "$work/minio" >"$work/minio.log" 2>&1 &
    minio_pid=$!
    for _ in $(seq 300); do
      if ! kill -0 "$minio_pid" 2>/dev/null; then break; fi
      if answers 127.0.0.1 "$port" /minio/health/ready; then
        export SIRA_TEST_S3="http://127.0.0.1:$port"
        echo "== MinIO on 127.0.0.1:$port" >&2
        return
      fi
      sleep 0.2
    done
    kill "$minio_pid" 2>/dev/null || true
    wait "$minio_pid" 2>/dev/null || true
    minio_pid=''
  done
  cat "$work/minio.log" >&2
  echo "MinIO did not start" >&2
  exit 1
}

start_postgres
start_minio
"$@"
