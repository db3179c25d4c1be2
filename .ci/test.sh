#!/usr/bin/env bash
# Everything `make test` checks, in order, each part once. Goes on after a
# failure, so that one run shows all of them. Last line: N passed, N failed,
# N skipped.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=.ci/env.sh
. .ci/env.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
counts="$work/counts"
touch "$counts"

step() { # a check that passes or fails as a whole
  local name=$1 start=$SECONDS; shift
  echo "== $name"
  if "$@" >"$work/out" 2>&1; then
    echo "1 0 0" >>"$counts"; echo "   ok ($((SECONDS - start))s)"
  else
    echo "0 1 0" >>"$counts"; tail -100 "$work/out"; echo "   FAIL $name"
  fi
}

go_tests() { # go test with every test counted
  echo "== $1"; shift
  go test -json "$@" 2>"$work/err" | go run ./.ci/tally -out "$counts" || tail -40 "$work/err"
}

node_tests() { # node --test with every test counted; arguments: name, folder, files
  local name=$1 dir=$2; shift 2
  echo "== $name"
  (cd "$dir" && node --test --test-concurrency=1 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$work/tap" "$@") || true
  local p f s
  p=$(sed -n 's/^# pass //p' "$work/tap" | tail -1); f=$(sed -n 's/^# fail //p' "$work/tap" | tail -1)
  s=$(sed -n 's/^# skipped //p' "$work/tap" | tail -1)
  local c; c=$(sed -n 's/^# cancelled //p' "$work/tap" | tail -1)
  if [ -z "$p" ]; then echo "0 1 0"; else echo "$p $((f + c)) $s"; fi >>"$counts"
  rm -f "$work/tap"
}

not_formatted() { local f; f=$(gofmt -l cmd signaling sfu dicom cases web storage .ci/tally | grep -v node_modules || true); [ -z "$f" ] || { echo "$f"; return 1; }; }

# shellcheck disable=SC2016 # $0 is the inner shell's: the folder given as its name
services_test() { # our packages, race detector, real PostgreSQL and MinIO
  .ci/services.sh bash -c 'go test -race -json -timeout 20m ./... 2>"$0/err" | go run ./.ci/tally -out "$0/counts"' "$work" || tail -40 "$work/err"
}

fuzz() { # each fuzz target for a few seconds
  local pkg target
  for pkg in $(go list ./...); do
    for target in $(go test -list '^Fuzz' "$pkg" 2>/dev/null | grep '^Fuzz'); do
      step "fuzz ${pkg#sira/} $target" go test -run '^$' -fuzz "^$target\$" -fuzztime "${SIRA_FUZZTIME:-4s}" "$pkg"
    done
  done
}

dist_is_current() { # the committed UI is what the sources build
  rm -rf "$work/dist"
  (cd web/ui && npm run --silent build -- --outDir "$work/dist") && diff -r "$work/dist" web/dist
}

cross_build() { .ci/release.sh "$work/release"; }

compose_ok() { POSTGRES_PASSWORD=x MINIO_ROOT_USER=x MINIO_ROOT_PASSWORD=xxxxxxxx docker-compose -f docker-compose.yml config -q; }

if ! .ci/install.sh; then echo "0 passed, 1 failed, 0 skipped"; exit 1; fi

step "formatting" not_formatted
step "go vet" go vet ./...
step "staticcheck" staticcheck ./...
step "module files tidy" go mod tidy -diff
step "shell scripts" shellcheck -x .ci/run .ci/*.sh
step "UI types" npm --prefix web/ui run --silent typecheck
step "UI is built from its sources" dist_is_current
node_tests "UI unit tests" web/ui test/*.test.ts
echo "== Go tests (race detector, real PostgreSQL and MinIO)"
services_test
fuzz
step "cross-builds and size budgets" cross_build
step "compose file" compose_ok
node_tests "end-to-end tests in Chromium" web/e2e ./*.test.mjs

awk '{p+=$1; f+=$2; s+=$3} END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f>0 || p==0}' "$counts"
