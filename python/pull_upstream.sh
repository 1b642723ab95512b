#!/usr/bin/env bash
# Older documents call it here.
exec "$(dirname "${BASH_SOURCE[0]}")/../pull_upstream.sh" "$@"
