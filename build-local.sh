#!/usr/bin/env bash
# Build a connector's image, on this machine, for trying it: `./build-local.sh --help` says how.
set -euo pipefail

usage() {
    cat <<'EOF'
usage: ./build-local.sh CONNECTOR [DOCKERFILE]

Build the image ghcr.io/estuary/CONNECTOR:local from the folder CONNECTOR: source-x, materialize-x or derive-x. DOCKERFILE
is by default CONNECTOR/Dockerfile where there is one, or else python/Dockerfile. The name is given to a whole image only.
Local packages that CONNECTOR/uv.lock names are the build context `local` where they are outside of the folder.

The environment can say:
  REGISTRY      registry and prefix of the image's name, instead of ghcr.io/estuary
  BASE_IMAGE    the image to build on, instead of python:3.12-slim, or of the nearest Python that the connector takes
  USAGE_RATE    the label dev.estuary.usage-rate, instead of 1.0, or 0.0 for a derivation
  PLATFORM      instead of linux/amd64, which is where Flow runs
  DOCKER_CLI    the engine, instead of the first of docker, podman and buildah that works; what these read themselves
                holds, too, such as BUILDAH_ISOLATION=chroot for buildah within a container
The build uses these of this machine, and no layer keeps them:
  UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL            the package index
  SSL_CERT_FILE, REQUESTS_CA_BUNDLE or PIP_CERT              a file of certificates to trust
  HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY               the way out; in small letters, too
EOF
}

refuse() {
    echo "build-local.sh: $*" >&2
    exit 1
}

protocol_of() {
    case "$1" in
    source-?*) echo capture ;;
    materialize-?*) echo materialize ;;
    derive-?*) echo derive ;;
    *) refuse "'$1' is no connector's name: source-x, materialize-x or derive-x" ;;
    esac
}

# An image of the Python that the connector is locked for: 3.12 where it takes that.
base_of() {
    local bounds minor lower=0 upper=99
    bounds="$(sed -n 's/^requires-python *= *"\(.*\)"/\1/p' "$1/pyproject.toml")"
    if [[ "$bounds" =~ \>=\ *3\.([0-9]+) ]]; then lower="${BASH_REMATCH[1]}"; fi
    if [[ "$bounds" =~ \<\ *3\.([0-9]+) ]]; then upper="${BASH_REMATCH[1]}"; fi
    for minor in 12 11 10 13 14; do
        if ((minor >= lower && minor < upper)); then
            echo "python:3.$minor-slim"
            return
        fi
    done
    refuse "$1/pyproject.toml wants Python $bounds, which is none of 3.10 to 3.14; name an image that has it: BASE_IMAGE=..."
}

# Why an engine cannot build, or nothing: a client may be installed without its daemon, or without what builds.
problem_of() {
    local asked limit="timeout 20"
    command -v timeout >/dev/null || limit=""
    if ! command -v "$1" >/dev/null; then
        echo "not on PATH"
        return
    fi
    for asked in version "buildx version"; do
        [[ "$asked" == version || "${1##*/}" == docker ]] || continue
        # shellcheck disable=SC2086 # words, or none
        if ! $limit "$1" $asked >"$work/answer" 2>&1; then
            echo "$asked: $(tail -n 1 "$work/answer")"
            return
        fi
    done
}

engine_of() {
    local each problem told=""
    for each in ${DOCKER_CLI:-docker podman buildah}; do
        problem="$(problem_of "$each")"
        if [[ -z "$problem" ]]; then
            echo "$each"
            return
        fi
        told+="${told:+; }$each: $problem"
    done
    refuse "no engine that builds images works here ($told). Install one (.ci/install-tools does, on Debian), or name it: DOCKER_CLI=..."
}

# What the machine's environment says of networks, as lines for the shell of a build.
builder_settings() {
    local name value index="${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-${PIP_INDEX_URL:-}}}"
    local UV_DEFAULT_INDEX="$index" PIP_INDEX_URL="${PIP_INDEX_URL:-$index}" SSL_CERT_FILE="" PIP_CERT=""
    if [[ -n "$1" ]]; then SSL_CERT_FILE=/run/secrets/certificates PIP_CERT=/run/secrets/certificates; fi
    for name in UV_DEFAULT_INDEX PIP_INDEX_URL SSL_CERT_FILE PIP_CERT \
        {HTTP,HTTPS,ALL,NO}_PROXY {http,https,all,no}_proxy; do
        value="${!name:-}"
        [[ -z "$value" ]] || printf "export %s='%s'\n" "$name" "${value//\'/\'\\\'\'}"
    done
}

# The address of a repository without the credentials in it; of what ssh is told like scp, without a password.
public() {
    sed -e 's#^\([^/]*:\)//[^/]*@#\1//#' -e 's!^\([^/]*://[^?#]*\)[?#].*!\1!' -e 's#^\([^/:@]*\):[^/]*@\([^/:]*:\)#\1@\2#' <<<"$1"
}

# The local packages that the connector's lock names, as seen from here, a line each; those in its own folder, too.
locals_of() {
    local each at root
    root="$(pwd -P)"
    while read -r each; do
        if [[ -d "$1/$each" ]]; then
            at="$(cd "$1/$each" && pwd -P)"
        elif [[ -f "$1/$each" ]]; then
            at="$(cd "$1/$(dirname "$each")" && pwd -P)/${each##*/}"
        else
            refuse "$1/uv.lock names the local package $each, and nothing is there"
        fi
        [[ "$at" != "$root" && "$at" != "$root/$1" ]] || continue
        [[ "$at" == "$root"/* ]] || refuse "$1/uv.lock names the local package $each, which is outside of this repository: pull it in (pull_upstream.sh), and lock anew"
        echo "${at#"$root"/}"
    done < <(sed -nE 's/^source = \{ (editable|directory|path|virtual) = "(.*)" \}$/\2/p' "$1/uv.lock")
}

# What an image needs of local packages outside of the connector's folder, as it is here, but for what .dockerignore leaves out
# everywhere: the context of a build has a few folders only.
stage() {
    local each left_out=(--exclude=.git)
    while read -r each; do left_out+=("--exclude=$each"); done < <(sed -n 's#^\*\*/##p' .dockerignore 2>/dev/null)
    while read -r each; do
        [[ -n "$each" && "$each" != "$connector"/* ]] || continue
        mkdir -p "$work/local"
        tar -cf - "${left_out[@]}" "$each" | tar -xf - -C "$work/local"
    done <<<"$packages"
}

# Where the image comes from, by the names of the Open Container Initiative, a line each.
provenance() {
    local each own source imported="" made_of=("$1" python)
    while read -r each; do [[ -z "$each" ]] || made_of+=("$each"); done <<<"$packages"
    if git rev-parse --quiet --verify HEAD >/dev/null 2>&1; then
        echo "revision=$(git rev-parse HEAD)$([[ -z "$(git status --porcelain -- "${made_of[@]}")" ]] || echo -dirty)"
        source="${GITHUB_REPOSITORY:+${GITHUB_SERVER_URL:-}/$GITHUB_REPOSITORY}"
        source="${source:-$(git config --get remote.origin.url || true)}"
        [[ -z "$source" ]] || echo "source=$(public "$source")"
        imported="$(for each in "${made_of[@]}"; do
            git log --format=%B --extended-regexp --grep="^Import Path: $each(/|\$)" | sed -n 's/^License Type: //p'
        done | sort -u)"
    fi
    own="$(sed -n 's/^license *= *"\(.*\)"/\1/p' "$1/pyproject.toml")"
    own="${own:-$(sed -n 's/^license *= *"\(.*\)"/\1/p' pyproject.toml)}"
    echo "licenses=$(printf '%s\n' "$own" "${imported:-}" | sed '/^$/d' | awk '!seen[$0]++' | paste -s -d '&' - | sed 's/&/ AND /g')"
    [[ ! -f "$1/VERSION" ]] || echo "version=$(<"$1/VERSION")"
    echo "title=$1"
}

# The likely reason of a failed build, by what it has printed.
advice() {
    local text pattern
    while IFS='|' read -r text pattern; do
        if grep -qiE "$pattern" "$work/log"; then
            echo ". $text"
            return
        fi
    done <<'EOF'
The disk is full: free some of it; the engine's `prune` removes what earlier builds have left|no space left on device|disk quota exceeded
The index's certificate is not trusted within the build: name a file of certificates, SSL_CERT_FILE=...|UnknownIssuer|CERTIFICATE_VERIFY_FAILED|invalid peer certificate|self.signed certificate
The index has another file than uv.lock names by its hash|hash mismatch
The index, or the base image's registry, was not reached: --help says how an index, a proxy and certificates are given|dns error|could not resolve|name resolution|connection refused|network is unreachable|failed to fetch|tcp connect error|i/o timeout|client error \(connect\)|NewConnectionError|no such host
buildah cannot start containers here, as within another container: BUILDAH_ISOLATION=chroot does without|error running container|while running runtime|error creating isolated namespace
A package has no wheel and its build failed: the connector needs a Dockerfile of its own, with what the build needs|failed to build
EOF
}

label_of() {
    local at=.Config.Labels asked
    if [[ "${engine##*/}" == buildah ]]; then
        asked=(inspect --type image) at=.OCIv1.Config.Labels
    else
        asked=(image inspect)
    fi
    "$engine" "${asked[@]}" --format "{{ index $at \"$2\" }}" "$1"
}

build() {
    local each command=(build --layers)
    if [[ "${engine##*/}" == docker ]]; then command=(buildx build --load); fi
    command+=(--file "$dockerfile" --tag "$pending" --platform "${PLATFORM:-linux/amd64}")
    command+=(--build-arg "BASE_IMAGE=$base" --build-arg "CONNECTOR_NAME=$connector")
    command+=(--build-arg "CONNECTOR_TYPE=$protocol" --build-arg "USAGE_RATE=$rate")
    if [[ -d "$work/local" ]]; then command+=(--build-context "local=$work/local"); fi
    command+=(--secret "id=builder,src=$work/builder")
    if [[ -n "$certificates" ]]; then command+=(--secret "id=certificates,src=$certificates"); fi
    while read -r each; do command+=(--label "org.opencontainers.image.$each"); done < <(provenance "$connector")
    exec 3> >(exec tee "$work/log")
    local printer=$!
    "$engine" "${command[@]}" . >&3 2>&1 3>&- &
    child=$!
    trap 'stopped=yes; kill -TERM "$child" 2>/dev/null || true' INT TERM
    local status=0
    wait "$child" || status=$?
    if [[ -n "$stopped" ]]; then wait "$child" || status=1; fi
    exec 3>&-
    wait "$printer" 2>/dev/null || true
    trap - INT TERM
    return "$status"
}

if [[ "${1:-}" == --help || "${1:-}" == -h ]]; then
    usage
    exit
fi
cd "$(dirname "${BASH_SOURCE[0]}")"
(($# == 1 || $# == 2)) || refuse "one connector is wanted, and perhaps a Dockerfile; ./build-local.sh --help says more"
connector="${1#./}" connector="${connector%/}"
protocol="$(protocol_of "$connector")"
[[ "$connector" =~ ^[a-z0-9]+(-[a-z0-9]+)*$ ]] || refuse "'$connector' cannot name an image: small letters, digits, and single hyphens between them"
[[ -d "$connector" ]] || refuse "there is no folder $connector here, $PWD"
for wanted in pyproject.toml uv.lock; do
    [[ -f "$connector/$wanted" ]] || refuse "$connector/$wanted is missing; an image gets what a connector has locked: uv lock --project $connector"
done
dockerfile="${2:-python/Dockerfile}"
if [[ -z "${2:-}" && -f "$connector/Dockerfile" ]]; then dockerfile="$connector/Dockerfile"; fi
[[ -f "$dockerfile" ]] || refuse "there is no Dockerfile $dockerfile"
rate=1.0
if [[ "$protocol" == derive ]]; then rate=0.0; fi
rate="${USAGE_RATE:-$rate}"
[[ "$rate" =~ ^[0-9]+(\.[0-9]+)?$ ]] || refuse "USAGE_RATE=$rate is no number such as 1.0"
base="${BASE_IMAGE:-$(base_of "$connector")}"
certificates="${SSL_CERT_FILE:-${REQUESTS_CA_BUNDLE:-${PIP_CERT:-}}}"
[[ -z "$certificates" || -r "$certificates" ]] || refuse "the certificates of SSL_CERT_FILE, REQUESTS_CA_BUNDLE or PIP_CERT cannot be read: $certificates"

packages="$(locals_of "$connector")"

work="$(mktemp -d)" # private, as mktemp makes it: an index's address may have a password
image="${REGISTRY:-ghcr.io/estuary}/$connector:local" pending="${REGISTRY:-ghcr.io/estuary}/$connector:building-$$" engine="" child="" stopped=""
trap 'rm -rf "$work"' EXIT
builder_settings "$certificates" >"$work/builder"
stage
engine="$(engine_of)"
build || refuse "$engine did not build $connector${stopped:+, for it was stopped}$(advice). $image is as it was"
trap 'rm -rf "$work"; "$engine" rmi "$pending" >/dev/null' EXIT
for label in "FLOW_RUNTIME_PROTOCOL=$protocol" FLOW_RUNTIME_CODEC=json; do
    found="$(label_of "$pending" "${label%%=*}")"
    [[ "$found" == "${label#*=}" ]] || refuse "$dockerfile gives the label ${label%%=*} the value '$found', and Flow wants ${label#*=}. $image is as it was"
done
"$engine" tag "$pending" "$image"
echo "$image is built, on $base, with $engine"
