#!/usr/bin/env bash
# Cross-builds the binary for each platform into the folder given (default
# release/), with SHA-256 sums, and holds each to its size budget.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-release}
budget_mb=40
version=$(git describe --tags --always --dirty 2>/dev/null || echo dev)
mkdir -p "$out"
for target in linux/amd64 linux/arm64 linux/arm/7; do
  IFS=/ read -r os arch arm <<<"$target"
  name="sira-$os-$arch${arm:+v$arm}"
  echo "building $name"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch GOARM=${arm:-} \
    go build -trimpath -ldflags "-s -w -X main.version=$version" -o "$out/$name" ./cmd/sira
  size=$(stat -c %s "$out/$name")
  echo "  $((size / 1024 / 1024)) MiB"
  if [ "$size" -gt $((budget_mb * 1024 * 1024)) ]; then echo "  over the budget of $budget_mb MiB" >&2; exit 1; fi
done
(cd "$out" && sha256sum sira-* >SHA256SUMS && cat SHA256SUMS)
