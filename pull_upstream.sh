#!/usr/bin/env bash
# Import a folder of an upstream repository into this one, or its changes since the last import; --help tells how.
#   pull_upstream.sh REMOTE SOURCE_REF SOURCE_PREFIX DEST_PREFIX LICENSE_ID SOURCE_LICENSE_PATH
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
headwater=.venv/bin/headwater
[[ -x "$headwater" ]] || headwater="$(command -v headwater || true)"
if [[ -z "$headwater" ]]; then
    echo "pull_upstream.sh: the headwater command is not installed: run 'make check' or 'make demo' once, or 'pip install headwater[runner]'" >&2
    exit 1
fi
exec "$headwater" import pull "$@"
