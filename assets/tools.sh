#!/usr/bin/env bash
# Builds programs of the registry in the versions that are written here, unless they are there. They then are in
# target/tools/bin.
#
#     assets/tools.sh NAME...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=${CARGO_TARGET_DIR:-$PWD/target}/tools

# Its version, and what else `cargo install` needs.
version() {
    case $1 in
    cargo-about) echo "0.9.3 --features cli" ;;
    cargo-cyclonedx) echo 0.5.9 ;;
    cargo-deb) echo 3.8.0 ;;
    cargo-deny) echo 0.20.2 ;;
    cargo-fuzz) echo 0.13.2 ;;
    cargo-public-api) echo 0.52.0 ;;
    cargo-semver-checks) echo 0.51.0 ;;
    *)
        echo "assets/tools.sh has no version of $1; add it there." >&2
        return 1
        ;;
    esac
}

for name in "$@"; do
    arguments=$(version "$name")
    read -r version options <<<"$arguments"
    # shellcheck disable=SC2086 # options are words
    grep --quiet --fixed-strings "\"$name $version " "$tools/.crates.toml" 2>/dev/null ||
        cargo install --locked --root "$tools" "$name@$version" $options
done
