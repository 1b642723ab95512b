#!/usr/bin/env bash
# Make a connector's own environment, from its own lock file:   python/activate.sh source-faker
# Make it and use it in this shell:                             source python/activate.sh source-faker
_headwater_activate() {
    local root connector folder uv wanted candidate python=""
    root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
    connector="${1:-}"
    folder="$root/$connector"
    # The root has a project too, but is no connector: syncing it here would take its extras away.
    if [[ ! -f "$folder/__main__.py" && ! -f "$folder/manifest.yaml" || ! -f "$folder/pyproject.toml" || ! -f "$folder/uv.lock" ]]; then
        echo "activate.sh: '$connector' is no connector folder with __main__.py or manifest.yaml, pyproject.toml and uv.lock; usage: python/activate.sh source-x" >&2
        return 1
    fi
    uv="$root/.venv/bin/uv"
    [[ -x "$uv" ]] || uv="$(command -v uv || true)"
    if [[ -z "$uv" ]]; then
        echo "activate.sh: uv is not installed; run 'make demo' or 'make check' once, or 'pip install uv'" >&2
        return 1
    fi
    # A name on PATH may be a shim of a Python that is not there, so each candidate has to start.
    wanted="$(sed -n 's/^requires-python = "\(.*\)"/\1/p' "$folder/pyproject.toml")"
    for candidate in python3.12 python3.11 python3.10 python3.13 python3; do
        if command -v "$candidate" >/dev/null && "$candidate" -c "import sys
bounds = '$wanted'.replace(' ', '').split(',')
version = sys.version_info[:2]
def number(text): return tuple(int(part) for part in text.strip('<>=').split('.'))
fits = all(version >= number(b) if b.startswith('>=') else version < number(b) for b in bounds)
sys.exit(not fits)" 2>/dev/null; then
            python="$("$candidate" -c 'import sys; print(sys.executable)')"
            break
        fi
    done
    if [[ -z "$python" ]]; then
        echo "activate.sh: $connector needs Python $wanted, and none was found on PATH; install one" >&2
        return 1
    fi
    "$uv" sync --quiet --frozen --project "$folder" --python "$python" || return 1
    _headwater_environment="$folder/.venv"
}
if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then
    set -euo pipefail
    _headwater_activate "$@"
    echo "$_headwater_environment is ready; to use it in your shell: source python/activate.sh ${1}"
elif _headwater_activate "$@"; then
    # shellcheck disable=SC1091
    source "$_headwater_environment/bin/activate"
else
    return 1
fi
