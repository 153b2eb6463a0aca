#!/usr/bin/env bash
# Builds the programs for others, into target/dist: with no path of this machine in them. Then looks for such paths, and fails if
# there are any. Arguments go to `cargo build`, such as `-p meanwhile-supervise`.
#
# Where rustup has the target of musl, `meanwhile-supervise` is a static program of that: it starts commands in less time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo_home=${CARGO_HOME:-$HOME/.cargo}
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
target=${CARGO_TARGET_DIR:-$PWD/target}
programs=("$target/dist/meanwhile" "$target/dist/meanwhile-supervise")

# Compilers write into the program where each source file is, for backtraces and debuggers. Those of C and of
# assembly, which some packages have, have an option of their own for that. A path may have spaces.
rust_flags=() c_flags=()
for path in "$cargo_home/registry/src" "$target" "$PWD"; do
    rust_flags+=("--remap-path-prefix=$path=")
    c_flags+=("-ffile-prefix-map=$path=")
done
joined=$(printf '%s\x1f' "${rust_flags[@]}")
export CARGO_ENCODED_RUSTFLAGS="${joined%?}"
export CC_SHELL_ESCAPED_FLAGS=1
CFLAGS="${CFLAGS:-} $(printf '%q ' "${c_flags[@]}")"
export CFLAGS
rm -f "${programs[@]}"
cargo build --profile dist --locked "$@"

supervise=$target/dist/meanwhile-supervise
if [[ -e "$supervise" && "$(uname -s)" = Linux ]]; then
    musl=$(uname -m)-unknown-linux-musl
    if rustup target list --installed 2>/dev/null | grep --quiet --line-regexp "$musl"; then
        CARGO_ENCODED_RUSTFLAGS+=$'\x1f-Crelocation-model=static' \
            cargo build --profile dist --locked -p meanwhile-supervise --target "$musl"
        cp "$target/$musl/dist/meanwhile-supervise" "$supervise"
        echo "$supervise is a static program of musl"
    else
        echo "$supervise is a program of the libc of this system; after \`rustup target add $musl\` it is a" \
            "static one of musl, which starts commands in less time"
    fi
fi

found=0
for program in "${programs[@]}"; do
    [[ -e "$program" ]] || continue
    if grep --text --only-matching --fixed-strings -e "$cargo_home" -e "$rustup_home" -e "$target" -e "$PWD" \
        "$program" | sort | uniq -c | grep .; then
        echo "$program has the paths above of this machine so often; map them to nothing in assets/release.sh"
        found=1
    fi
done
exit $found
