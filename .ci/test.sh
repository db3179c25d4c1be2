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
  echo "== $name [$((SECONDS / 60)) min]"
  if "$@" >"$work/out" 2>&1; then
    echo "1 0 0" >>"$counts"; echo "   ok ($((SECONDS - start))s)"
  else
    echo "0 1 0" >>"$counts"; tail -100 "$work/out"; echo "   FAIL $name"
  fi
}

# Runs node's test runner and leaves "passed failed skipped" in $result.
# arguments: name, seconds it may take, folder, command
node_tests() {
  local name=$1 limit=$2 dir=$3 start=$SECONDS p f; shift 3
  echo "== $name [$((SECONDS / 60)) min]"
  # What hangs costs its own part and not the run: timeout ends the runner and all it started.
  (cd "$dir" && timeout -k 20 "$limit" "$@" || echo "# ended with status $?") 2>&1 | tee "$work/node" | grep --line-buffered -vE '^\s*(duration_ms|\.\.\.|---|type:)' || true
  echo "   ($((SECONDS - start))s)"
  counted() { sed -nE "s/^(#|ℹ) $1 ([0-9]+)$/\2/p" "$work/node" | tail -1; }
  p=$(counted pass); f=$(($(counted fail) + $(counted cancelled)))
  if [ -z "$p" ]; then result="0 1 0"; else result="$p $f $(counted skipped)"; fi
}

not_formatted() { local f; f=$(gofmt -l cmd signaling sfu dicom cases web storage .ci/tally | grep -v node_modules || true); [ -z "$f" ] || { echo "$f"; return 1; }; }

# Packages that compute on one goroutine's data over the whole corpus: the race
# detector makes them ten times slower and has nothing to find there.
pure='(dicom/(deid|document|fileset|jpeg|jpeg2000|jpegls|phantom|pixel|transcode|write)|sfu/estimate)$'

# Single tests of the same kind: whole corpora, drawn images, the memory of a
# server process.
heavy='^(TestRealFiles|TestCaseStaysSmallAndCacheable|TestDemoKeepsItsDataAndAccounts|TestBadInput|TestBombs|TestLargeObjects)$'

# shellcheck disable=SC2016 # $0 is the inner shell's: the folder given as its name
services_test() { # our packages with the race detector, on real PostgreSQL and MinIO
  .ci/services.sh bash -c 'go test -race -json -timeout 25m -skip "$2" $(go list ./... | grep -vE "$1") 2>"$0/err" | go run ./.ci/tally -out "$0/counts"' "$work" "$pure" "$heavy" || tail -40 "$work/err"
}

# shellcheck disable=SC2016,SC2046
pure_test() {
  go test -json -timeout 20m $(go list ./... | grep -E "$pure") 2>"$work/err" | go run ./.ci/tally -out "$counts" || tail -40 "$work/err"
  go test -json -timeout 20m -run "$heavy" ./web ./cmd/sira 2>"$work/err" | go run ./.ci/tally -out "$counts" || tail -40 "$work/err"
}

# shellcheck disable=SC2317 # called through step
fuzz_one() { # package, target. Go's fuzzer may call its own time limit a failure: without a failing input there is none
  local out="$work/fuzz"
  go test -run '^$' -fuzz "^$2\$" -fuzztime "${SIRA_FUZZTIME:-4s}" -fuzzminimizetime 5x "$1" >"$out" 2>&1 && return
  cat "$out"
  grep -q '^    context deadline exceeded$' "$out" && ! grep -qE 'Failing input|panic:|_test\.go:' "$out"
}

fuzz() { # each fuzz target for a few seconds
  local pkg target
  for pkg in $(go list ./...); do
    for target in $(go test -list '^Fuzz' "$pkg" 2>/dev/null | grep '^Fuzz'); do
      step "fuzz ${pkg#sira/} $target" fuzz_one "$pkg" "$target"
    done
  done
}

dist_is_current() { # the committed UI is what the sources build, byte for byte
  cp -r web/dist "$work/dist"
  npm --prefix web/ui run --silent build && diff -r "$work/dist" web/dist
}

# A file at a time, on one build of the program. Calls of two browsers on two
# cores lose to a neighbour now and then: a file that fails has one more try,
# and the log says which did.
browser_tests() {
  local file name again=()
  step "the program for the browser tests" env CGO_ENABLED=0 go build -o "$work/sira" ./cmd/sira
  export SIRA_BINARY="$work/sira"
  for file in web/e2e/*.test.mjs; do
    name=$(basename "$file" .test.mjs)
    node_tests "in Chromium: $name" 420 web/e2e node --test --test-force-exit --test-reporter=tap "$name.test.mjs"
    if [ "$(cut -d' ' -f2 <<<"$result")" = 0 ]; then echo "$result" >>"$counts"; else again+=("$name"); fi
  done
  for name in "${again[@]}"; do
    echo "!! $name failed once"
    node_tests "in Chromium, second try: $name" 420 web/e2e node --test --test-force-exit --test-reporter=tap "$name.test.mjs"
    echo "$result" >>"$counts"
  done
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
node_tests "UI unit tests" 300 web/ui npm run --silent test; echo "$result" >>"$counts"
echo "== Go tests (race detector, real PostgreSQL and MinIO)"
services_test
echo "== Go tests of pure computation"
pure_test
fuzz
step "cross-builds and size budgets" cross_build
step "compose file" compose_ok
step "Dockerfile" web/e2e/node_modules/.bin/dockerfile-utils lint cmd/sira/Dockerfile
browser_tests

awk '{p+=$1; f+=$2; s+=$3} END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f>0 || p==0}' "$counts"
