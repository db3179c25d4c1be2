#!/usr/bin/env bash
# Installs what the tests need and is missing, and nothing else: Debian's
# packages (as root, or with sudo), Go tools at pinned versions into the cache,
# npm packages by lockfile. A part that cannot be had is said loudly; in CI it
# is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=.ci/env.sh
. .ci/env.sh

staticcheck_version=v0.8.2
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c

missing() { # a part is not there: fatal in CI, loud elsewhere
  echo "!! MISSING: $1" >&2
  if [ -n "${CI:-}" ]; then exit 1; fi
}

gstreamer() { # a device of another make that speaks WebRTC, for Python
  /usr/bin/python3 -c "
import gi
gi.require_version('GstWebRTC', '1.0')
from gi.repository import Gst
Gst.init(None)
for n in ('webrtcbin', 'nicesrc', 'dtlsdec', 'srtpdec', 'vp8enc', 'vp9enc', 'openh264enc', 'opusenc', 'videotestsrc'):
    assert Gst.ElementFactory.find(n), n" >/dev/null 2>&1
}

debian() {
  local wanted=() root=()
  command -v chromium >/dev/null || wanted+=(chromium)
  command -v ffmpeg >/dev/null || wanted+=(ffmpeg)
  command -v storescu >/dev/null || wanted+=(dcmtk)
  command -v dciodvfy >/dev/null || wanted+=(dicom3tools)
  [ -x /usr/sbin/Orthanc ] || wanted+=(orthanc)
  [ -e /usr/share/orthanc/plugins/libOrthancDicomWeb.so ] || wanted+=(orthanc-dicomweb)
  command -v gdcmconv >/dev/null || wanted+=(libgdcm-tools)
  command -v opj_compress >/dev/null || wanted+=(libopenjp2-tools)
  command -v ojph_expand >/dev/null || wanted+=(openjph-tools)
  command -v shellcheck >/dev/null || wanted+=(shellcheck)
  command -v docker-compose >/dev/null || wanted+=(docker-compose)
  if ! gstreamer; then
    wanted+=(python3-gst-1.0 gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice gstreamer1.0-plugins-{base,good,bad})
  fi
  command -v zip >/dev/null || wanted+=(zip)
  command -v unzip >/dev/null || wanted+=(unzip)
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted+=(postgresql)
  [ -e /usr/share/fonts/truetype/dejavu ] || wanted+=(fonts-dejavu-core)
  [ ${#wanted[@]} -eq 0 ] && return
  if ! command -v apt-get >/dev/null; then missing "Debian packages ${wanted[*]}"; return; fi
  [ "$(id -u)" = 0 ] || root=(sudo)
  echo "== installing Debian packages: ${wanted[*]}"
  { "${root[@]}" apt-get update -q && DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -q --no-install-recommends "${wanted[@]}"; } \
    >"$SIRA_CACHE/apt.log" 2>&1 || { tail -20 "$SIRA_CACHE/apt.log" >&2; missing "Debian packages ${wanted[*]}"; }
}

go_tool() { # name, module path, version: built once and kept under its version
  local to="$SIRA_CACHE/bin/$1-$3"
  if [ ! -x "$to" ]; then
    echo "== building $1 $3 (kept in $SIRA_CACHE)"
    local tmp; tmp=$(mktemp -d)
    if GOBIN="$tmp" CGO_ENABLED=0 go install "$2@$3" >"$SIRA_CACHE/$1.log" 2>&1; then
      mv "$tmp/$1" "$to"
    else
      tail -20 "$SIRA_CACHE/$1.log" >&2
      missing "$1 $3"
    fi
    rm -rf "$tmp"
  fi
  if [ -x "$to" ]; then ln -sfn "$to" "$SIRA_CACHE/bin/$1"; fi
}

npm_packages() { # folder with a lockfile: npm ci only when the lockfile is not the installed one
  local stamp="$1/node_modules/.lock-installed"
  if ! cmp -s "$1/package-lock.json" "$stamp"; then
    echo "== installing npm packages of $1"
    if (cd "$1" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error); then
      cp "$1/package-lock.json" "$stamp"
    else
      missing "npm packages of $1"
    fi
  fi
}

ohif() { # the viewer as published on npm, as a DICOMweb client for the tests
  local version=3.12.10 to; to="$SIRA_CACHE/ohif/$version"
  if [ -f "$to/dist/index.html" ]; then return; fi
  echo "== fetching @ohif/app $version from npm"
  local tmp; tmp=$(mktemp -d)
  if (cd "$tmp" && npm pack --silent "@ohif/app@$version" >/dev/null && tar -xzf ohif-app-*.tgz package/dist); then
    mkdir -p "$to" && cp -r "$tmp/package/dist" "$to/"
  else
    missing "@ohif/app $version"
  fi
  rm -rf "$tmp"
}

codecs() { # the WebAssembly codecs that browsers' viewers use, as judges of ours
  local to="$SIRA_CACHE/codecs" pack tmp; tmp=$(mktemp -d)
  for pack in codec-openjph@2.4.11 codec-openjpeg@1.3.6; do
    if [ -f "$to/$pack" ]; then continue; fi
    echo "== fetching @cornerstonejs/$pack from npm"
    local into="$to/node_modules/@cornerstonejs/${pack%@*}"
    if (cd "$tmp" && rm -rf ./* && npm pack --silent "@cornerstonejs/$pack" >/dev/null && tar -xzf ./*.tgz); then
      rm -rf "$into" && mkdir -p "$into" && cp -r "$tmp/package/." "$into/" && touch "$to/$pack"
    else
      missing "@cornerstonejs/$pack"
    fi
  done
  # Its OpenJPEG 2.1 still decodes the component transforms of JPEG 2000 part 2.
  pack=cornerstone-wado-image-loader@2.2.4
  if [ ! -f "$to/$pack" ]; then
    echo "== fetching $pack from npm"
    local codecs=dist/cornerstoneWADOImageLoaderCodecs.js into="$to/node_modules/${pack%@*}"
    if (cd "$tmp" && rm -rf ./* && npm pack --silent "$pack" >/dev/null && tar -xzf ./*.tgz "package/$codecs"); then
      mkdir -p "$into/dist" && cp "$tmp/package/$codecs" "$into/$codecs" && touch "$to/$pack"
    else
      missing "$pack"
    fi
  fi
  rm -rf "$tmp"
}

mkdir -p "$SIRA_CACHE/bin"
command -v go >/dev/null || { echo "!! Go is needed: https://go.dev" >&2; exit 1; }
command -v npm >/dev/null || missing "Node.js with npm"
debian
go_tool staticcheck honnef.co/go/tools/cmd/staticcheck "$staticcheck_version"
go_tool minio github.com/minio/minio "$minio_version"
if command -v npm >/dev/null; then
  npm_packages web/ui
  npm_packages web/e2e
  npm_packages web/dicomweb/testdata/client
  ohif
  codecs
fi
