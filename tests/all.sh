#!/usr/bin/env bash
# Runs every check of the project, one step after the other.
#
#     ./tests/all.sh              all steps
#     ./tests/all.sh STEP...      only these (`./tests/all.sh --list` prints their names)
#
# On Debian and its relatives the first step installs the missing packages, as root or with sudo;
# elsewhere it prints what is needed. A step that lacks a program says so and fails: no step is
# skipped in silence. The output of each step is kept in target/all/, where two runs at the same time
# would mix theirs. The end of the run shows the time of each step and the slowest tests.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
logs="$CARGO_TARGET_DIR/all"

packages=(
    # Linking.
    gcc libc6-dev
    # Libraries that the window and its dialogs load when they start.
    libdbus-1-3 libegl1 libgl1 libgl1-mesa-dri libx11-6 libx11-xcb1 libxcursor1 libxi6
    libxkbcommon-x11-0 libxkbcommon0
    # A virtual screen, and the parts of a desktop that the program talks to.
    at-spi2-core dbus-daemon fonts-dejavu-core libglib2.0-bin openbox util-linux xdg-desktop-portal
    xdg-desktop-portal-gtk xvfb
    # Keyboard input, screenshots and the accessibility tree.
    gir1.2-atspi-2.0 imagemagick python3-gi xdotool
    # The software renderer for pictures.
    mesa-vulkan-drivers
    # A host to run commands on: this one.
    openssh-client openssh-server
    # Programs to compare with, and validators of the desktop files.
    appstream b3sum coreutils desktop-file-utils findutils perl-base python3
)

steps=(packages format clippy clippy-library docs loom other-unix tests snapshots window desktop-files)

# need PROGRAM PACKAGE...: fails, and names each program that is missing with its Debian package.
need() {
    local missing=0
    while (($#)); do
        if ! command -v "$1" >/dev/null; then
            echo "missing: the program $1 (Debian has it in the package $2)"
            missing=1
        fi
        shift 2
    done
    return $missing
}

# need_service NAME PACKAGE...: like `need`, for what D-Bus starts on demand.
need_service() {
    local missing=0
    while (($#)); do
        if [[ ! -e "/usr/local/share/dbus-1/services/$1.service" && ! -e "/usr/share/dbus-1/services/$1.service" ]]; then
            echo "missing: the D-Bus service $1 (Debian has it in the package $2)"
            missing=1
        fi
        shift 2
    done
    return $missing
}

# Fails, and says so, when no Python that the tests may use has the modules for the accessibility tree.
need_accessibility_modules() {
    local python
    for python in python3 /usr/bin/python3; do
        "$python" -c 'import gi; gi.require_version("Atspi", "2.0"); from gi.repository import Atspi' \
            2>/dev/null && return
    done
    echo "missing: the Python modules gi and Atspi (Debian has them in python3-gi and gir1.2-atspi-2.0)"
    return 1
}

# Succeeds without a password, or asks for it when there is a terminal.
may_sudo() {
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || { { : </dev/tty; } 2>/dev/null && sudo -v; }
}

step_packages() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This system has no dpkg and apt-get, so nothing is installed. The steps need what Debian has in:"
        printf '    %s\n' "${packages[*]}"
        echo "Each step names the programs that it does not find."
        return
    fi
    local missing=() package
    for package in "${packages[@]}"; do
        # Any other status than this one means that the package is not usable.
        [[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" == "install ok installed" ]] || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "all ${#packages[@]} packages are installed"
        return
    fi
    local sudo=()
    if ((EUID != 0)); then
        if ! may_sudo; then
            echo "${#missing[@]} packages are missing. As root, run this, then start again:"
            echo "    apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
            return 1
        fi
        sudo=(sudo)
    fi
    # Bash 3.2 takes the expansion of an empty array for an unset variable, hence the `+`.
    ${sudo[@]+"${sudo[@]}"} apt-get update
    ${sudo[@]+"${sudo[@]}"} env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}"
}

# run_tests ARGUMENTS: `cargo test ARGUMENTS`, with the time of each test. Stable Rust measures tests
# only for its JSON format, and accepts the flag for that only when RUSTC_BOOTSTRAP is set. Cargo's
# "runner" sets it for the test binaries alone: nothing is compiled with it.
run_tests() {
    local host arguments=()
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    while (($#)) && [[ "$1" != -- ]]; do
        arguments+=("$1")
        shift
    done
    (($#)) && shift
    env "CARGO_TARGET_${host}_RUNNER=env RUSTC_BOOTSTRAP=1" \
        cargo test --locked "${arguments[@]}" -- "$@" -Z unstable-options --format json --report-time |
        awk -v times="$logs/times" -v results="$logs/results" -f tests/report.awk
}

step_format() {
    need rustfmt "rustfmt, or from rustup"
    # `cargo fmt` does not find the modules that a macro declares, such as the pages and the jobs.
    local edition
    edition=$(sed -n 's/^edition = "\(.*\)"$/\1/p' Cargo.toml)
    find src tests benches examples -name '*.rs' -exec rustfmt --check --edition "$edition" {} +
}

step_clippy() {
    need cargo-clippy "rust-clippy, or from rustup"
    cargo clippy --locked --all-targets -- -D warnings
}

step_clippy-library() {
    need cargo-clippy "rust-clippy, or from rustup"
    cargo clippy --locked --lib --no-default-features -- -D warnings
}

step_docs() {
    need cargo cargo rustdoc "rustc, or from rustup" cc gcc
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --lib --no-deps
}

# The models need the join library alone. Optimised, they run in a fraction of the time.
step_loom() {
    need cargo cargo cc gcc
    RUST_BACKTRACE=0 RUSTFLAGS="--cfg loom" run_tests --release --lib --no-default-features \
        --target-dir "$CARGO_TARGET_DIR/loom"
}

# The code for processes of other Unix systems, built and tested on Linux without the window. The
# example is the program that the tests use as a launcher.
step_other-unix() {
    need cargo cargo cargo-clippy "rust-clippy, or from rustup" cc gcc
    export RUSTFLAGS="--cfg other_unix" RUSTDOCFLAGS="--cfg other_unix"
    local library=(--no-default-features --target-dir "$CARGO_TARGET_DIR/other-unix")
    cargo clippy --locked "${library[@]}" --lib --test other_unix --example limits -- -D warnings
    cargo build --locked "${library[@]}" --example limits
    run_tests "${library[@]}" --no-fail-fast --lib --test other_unix -- --include-ignored
    cargo test --locked "${library[@]}" --doc process
}

# All that `cargo test` runs, then the tests that need a program of a package.
step_tests() {
    need cargo cargo rustc "rustc, or from rustup" cc gcc python3 python3 sha256sum coreutils \
        mkfifo coreutils install coreutils nice coreutils find findutils xargs findutils \
        perl perl-base setpriv util-linux
    local failed=0
    cargo build --locked --examples
    run_tests --no-fail-fast --lib --bins --tests || failed=1
    cargo test --locked --doc || failed=1
    need b3sum b3sum convert imagemagick ssh openssh-client ssh-keygen openssh-client \
        /usr/sbin/sshd openssh-server unshare util-linux || return 1
    run_tests --test integration -- --ignored || failed=1
    return $failed
}

step_snapshots() {
    need cargo cargo cc gcc
    local driver=${VK_DRIVER_FILES:-} folder
    local folders="${XDG_DATA_DIRS:-/usr/local/share:/usr/share}:/usr/share:/etc"
    if [[ "$(uname)" == Linux && -z "$driver" ]]; then
        while IFS= read -r -d : folder; do
            driver=$(compgen -G "$folder/vulkan/icd.d/lvp_icd*.json" | head -n 1) && break
        done <<<"$folders:"
        if [[ -z "$driver" ]]; then
            echo "missing: a Vulkan driver that draws in software (Debian has it in mesa-vulkan-drivers)."
            echo "Looked for vulkan/icd.d/lvp_icd*.json in $folders"
            return 1
        fi
    fi
    [[ -z "$driver" ]] || export VK_DRIVER_FILES="$driver" VK_ICD_FILENAMES="$driver"
    # Without this variable, the search for a Wayland display prints an error for each window.
    export XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR:-$logs}"
    run_tests --test snapshots -- --ignored
}

# Each test starts a screen, a session bus and a window manager of its own.
step_window() {
    if [[ "$(uname)" != Linux ]]; then
        echo "missing: Linux. These tests work in a real window on a virtual X11 screen."
        return 1
    fi
    need cargo cargo cc gcc Xvfb xvfb dbus-daemon dbus-daemon openbox openbox xdotool xdotool \
        gdbus libglib2.0-bin import imagemagick python3 python3 setpriv util-linux
    need_accessibility_modules
    need_service org.a11y.Bus at-spi2-core org.freedesktop.portal.Desktop xdg-desktop-portal \
        org.freedesktop.impl.portal.desktop.gtk xdg-desktop-portal-gtk
    # The X server of a user who is not root does not make this folder.
    [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix
    local failed=0
    run_tests --test e2e -- --ignored --test-threads=2 --skip lab:: || failed=1
    run_tests --test e2e -- --ignored --test-threads=1 lab:: || failed=1
    return $failed
}

step_desktop-files() {
    need desktop-file-validate desktop-file-utils appstreamcli appstream
    desktop-file-validate assets/*.desktop
    appstreamcli validate --no-net assets/*.metainfo.xml
}

if [[ "${1:-}" == "--list" ]]; then
    printf '%s\n' "${steps[@]}"
    exit
fi
if (($#)); then wanted=("$@"); else wanted=("${steps[@]}"); fi
for step in "${wanted[@]}"; do
    if ! declare -F "step_$step" >/dev/null; then
        echo "there is no step '$step'; the steps are: ${steps[*]}" >&2
        exit 2
    fi
done

mkdir -p "$logs"
rm -f "$logs"/*.log "$logs/times" "$logs/results"
touch "$logs/times" "$logs/results"
failed=()
seconds=()
for step in "${wanted[@]}"; do
    printf '\n== %s\n' "$step"
    started=$SECONDS
    # `errexit` holds in the step only because this shell is no part of a condition.
    set +e
    (set -e; "step_$step") </dev/null 2>&1 | tee "$logs/$step.log"
    status=${PIPESTATUS[0]}
    set -e
    seconds+=($((SECONDS - started)))
    verdict=passed
    if ((status != 0)); then
        failed+=("$step")
        verdict="FAILED ($status)"
    fi
    printf '== %s: %s after %d s\n' "$step" "$verdict" $((SECONDS - started))
done

printf '\nSeconds for each step:\n'
for ((i = 0; i < ${#wanted[@]}; i++)); do printf '%8d  %s\n' "${seconds[i]}" "${wanted[i]}"; done
if [[ -s "$logs/times" ]]; then
    printf 'Seconds for the ten slowest tests:\n'
    sort -rn "$logs/times" | awk -F '\t' 'NR <= 10 { printf "%8.1f  %s\n", $1, $2 }'
fi
printf '\n'
# A test binary that was killed has no result; its step has failed all the same.
[[ ! -s "$logs/results" ]] || awk -F '\t' '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed }' "$logs/results"
if ((${#failed[@]})); then
    echo "FAILED after $SECONDS s: ${failed[*]} (output in $logs/)"
    exit 1
fi
echo "all ${#wanted[@]} steps passed in $SECONDS s"
