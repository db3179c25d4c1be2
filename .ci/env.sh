# Sourced by the scripts beside it: where things are kept, and how strict to be.
# shellcheck shell=bash
export SIRA_CACHE="${SIRA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sira}"
export SIRA_CORPUS="${SIRA_CORPUS:-$PWD/../shared/corpus}"
export SIRA_TEST_MINIO="${SIRA_TEST_MINIO:-$SIRA_CACHE/bin/minio}"
export SIRA_TEST_NODE_CODECS="${SIRA_TEST_NODE_CODECS:-$SIRA_CACHE/codecs}"
export PATH="$SIRA_CACHE/bin:$PATH"
# In CI a part that is missing is a failure; elsewhere it is said and skipped.
if [ -n "${CI:-}" ]; then export SIRA_TEST_STRICT=1; fi
mkdir -p "$SIRA_CACHE"
