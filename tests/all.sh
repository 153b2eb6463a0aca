#!/usr/bin/env bash
# The test command: everything that proves the program, on a Debian machine with Rust.
#
#     ./tests/all.sh              every step
#     ./tests/all.sh STEP...      only these (`./tests/all.sh --list` names them)
#
# Installs the packages it misses, as root or with sudo; otherwise prints the line to run. A step
# that cannot run fails: nothing is skipped in silence. Each step's output is kept in target/all/.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
logs="$CARGO_TARGET_DIR/all"

packages=(
    # To link.
    gcc libc6-dev
    # What the window and its dialogs load when they start.
    libdbus-1-3 libegl1 libgl1 libgl1-mesa-dri libx11-6 libx11-xcb1 libxcursor1 libxi6
    libxkbcommon-x11-0 libxkbcommon0
    # A screen nobody sees, with the parts of a desktop that the program talks to.
    at-spi2-core dbus-daemon fonts-dejavu-core libglib2.0-bin openbox util-linux xdg-desktop-portal
    xdg-desktop-portal-gtk xvfb
    # A person's hands and eyes.
    gir1.2-atspi-2.0 imagemagick python3-gi xdotool
    # The software renderer for image snapshots.
    mesa-vulkan-drivers
    # A host to run commands on: this one.
    openssh-client openssh-server
    # Peers to compare with, and checks of the desktop files.
    appstream b3sum coreutils desktop-file-utils python3
)

steps=(packages format clippy clippy-library docs loom other-unix tests snapshots window desktop-files)

# Without asking, or by asking for the password where somebody can type it.
may_sudo() {
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || { { : </dev/tty; } 2>/dev/null && sudo -v; }
}

step_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        # `install ok installed`, and nothing else, means that the package is there.
        [[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" == "install ok installed" ]] || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "all ${#packages[@]} packages are there"
        return
    fi
    local install="apt-get install -y --no-install-recommends ${missing[*]}"
    local sudo=()
    if ((EUID != 0)); then
        if ! may_sudo; then
            echo "${#missing[@]} packages are missing. As root, run this, then start again:"
            echo "    apt-get update && $install"
            return 1
        fi
        sudo=(sudo)
    fi
    "${sudo[@]}" apt-get update
    # shellcheck disable=SC2086 # The line above is also the line to print: its words are arguments.
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive $install
}

step_format() { cargo fmt --check; }

step_clippy() { cargo clippy --locked --all-targets -- -D warnings; }

step_clippy-library() { cargo clippy --locked --lib --no-default-features -- -D warnings; }

step_docs() { RUSTDOCFLAGS="-D warnings" cargo doc --locked --lib --no-deps; }

# The models need only the join library, and optimised they are through in a fraction of the time.
step_loom() {
    RUST_BACKTRACE=0 RUSTFLAGS="--cfg loom" cargo test --locked --release --lib --no-default-features \
        --target-dir "$CARGO_TARGET_DIR/loom"
}

# What other Unix systems have of processes, on Linux: all that needs no window. The example is the
# program that launches there.
step_other-unix() {
    export RUSTFLAGS="--cfg other_unix" RUSTDOCFLAGS="--cfg other_unix"
    local library=(--locked --no-default-features --target-dir "$CARGO_TARGET_DIR/other-unix")
    cargo clippy "${library[@]}" --lib --test other_unix --example limits -- -D warnings
    cargo build "${library[@]}" --example limits
    cargo test "${library[@]}" --no-fail-fast --lib --test other_unix -- --include-ignored
    cargo test "${library[@]}" --doc process
}

# Unit, integration, user interface and documentation tests: what plain `cargo test` runs anywhere,
# then those that need a program of a package.
step_tests() {
    cargo test --locked --no-fail-fast
    cargo test --locked --test integration -- --ignored
}

step_snapshots() {
    local driver
    driver=$(compgen -G "/usr/share/vulkan/icd.d/lvp_icd*.json" | head -n 1) || {
        echo "no software Vulkan driver in /usr/share/vulkan/icd.d: install mesa-vulkan-drivers"
        return 1
    }
    VK_DRIVER_FILES="$driver" VK_ICD_FILENAMES="$driver" cargo test --locked --test snapshots -- --ignored
}

# Each test brings its own screen, session bus and window manager.
step_window() {
    # Only root's X server makes this folder by itself.
    [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix
    cargo test --locked --test e2e -- --ignored --test-threads=2 --skip lab::
    cargo test --locked --test e2e -- --ignored --test-threads=1 lab::
}

step_desktop-files() {
    desktop-file-validate assets/*.desktop
    appstreamcli validate --no-net assets/*.metainfo.xml
}

names() {
    local IFS='|'
    echo "$*"
}

if [[ "${1:-}" == "--list" ]]; then
    printf '%s\n' "${steps[@]}"
    exit
fi
wanted=("$@")
((${#wanted[@]})) || wanted=("${steps[@]}")
for step in "${wanted[@]}"; do
    if ! declare -F "step_$step" >/dev/null; then
        echo "no step is called '$step': ./tests/all.sh [$(names "${steps[@]}")]" >&2
        exit 2
    fi
done

mkdir -p "$logs"
rm -f "$logs"/*.log
failed=()
for step in "${wanted[@]}"; do
    printf '\n== %s\n' "$step"
    started=$SECONDS
    # A shell of its own, so that `errexit` holds inside of the step.
    set +e
    (set -e; "step_$step") </dev/null 2>&1 | tee "$logs/$step.log"
    status=${PIPESTATUS[0]}
    set -e
    printf '== %s: %s after %d s\n' "$step" "$( ((status == 0)) && echo passed || echo "FAILED ($status)")" $((SECONDS - started))
    if ((status != 0)); then
        failed+=("$step")
        # Without its packages nearly every other step fails too, and less clearly.
        [[ "$step" == packages ]] && break
    fi
done

printf '\n'
for step in "${wanted[@]}"; do
    [[ -f "$logs/$step.log" ]] || continue
    grep -hE '^test result: |^test .* FAILED$' "$logs/$step.log" || true
done
if ((${#failed[@]})); then
    echo "FAILED after $SECONDS s: ${failed[*]} (output in $logs/)"
    exit 1
fi
echo "all ${#wanted[@]} steps passed in $SECONDS s"
