#!/usr/bin/env bash
# Installs the package in a fresh Debian, opens a checksum list with it as a file manager does, verifies that list in
# the window, on X11 and on Wayland, and removes the package. Fails if anything but settings is left. Needs root and mmdebstrap.
#
#     tests/installed.sh FILE.deb
set -euo pipefail
deb=$(realpath "$1")
guide=$(realpath "$(dirname "$0")/../assets/guide")
root=$(mktemp --directory --tmpdir meanwhile-installed-XXXX)
trap 'rm --recursive --force --one-file-system "$root"' EXIT

mmdebstrap --quiet --variant=minbase bookworm "$root" http://deb.debian.org/debian \
    --include=ca-certificates,dbus,desktop-file-utils,libglib2.0-bin,libgtk-3-bin,openbox,procps,shared-mime-info,sway,wtype,xauth,xdotool,xvfb
cp "$deb" "$root/meanwhile.deb"
cp /etc/resolv.conf "$root/etc/resolv.conf"

# Programs inside see only their own processes, which all end with the first one.
inside() {
    unshare --mount --pid --fork --kill-child --mount-proc="$root/proc" chroot "$root" /usr/bin/env --ignore-environment \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# What the package itself is responsible for.
files() {
    (cd "$root" && find bin etc home lib opt root sbin srv usr var/lib -path var/lib/apt -prune -o -path var/lib/dpkg -prune \
        -o -print | sort)
}

inside useradd --create-home --user-group person
inside apt-get update --quiet --quiet
# What it depends on comes first, so that only the package makes a difference.
depends=$(dpkg-deb --field "$deb" Depends | sed 's/ *([^)]*)//g; s/,/ /g')
# shellcheck disable=SC2086 # the names of packages
inside apt-get install --quiet --quiet --yes --no-install-recommends $depends >"$root/apt.log"
files >"$root/before"
inside apt-get install --quiet --quiet --yes --no-install-recommends /meanwhile.deb >>"$root/apt.log"
# The user guide, page by page, with its pictures.
diff --recursive "$guide" "$root/usr/share/doc/meanwhile/guide"

cat >"$root/session.sh" <<'END'
set -euo pipefail
cd
printf 'content' >file
sha256sum file >file.sha256
openbox &
until xdotool get_desktop >/dev/null 2>&1; do sleep 0.1; done
gio mime application/x-checksum-list | grep --fixed-strings meanwhile.desktop
gio open file.sha256
found() { timeout 60 bash -c 'until xdotool search --onlyvisible --name "$0" 2>/dev/null | head -n 1 | grep .; do sleep 0.2; done' "$1"; }
window=$(found '^Meanwhile$')
xdotool windowactivate --sync "$window"
sleep 2
xdotool key ctrl+Return
found '#1 Verify: 1 of 1 item'
xdotool key alt+F4
timeout 20 bash -c 'while pgrep --exact meanwhile >/dev/null; do sleep 0.1; done'
meanwhile run verify file.sha256
meanwhile --version
END
# The same on Wayland. sway refuses to be run by root, and this is no root.
cat >"$root/wayland.sh" <<'END'
set -euo pipefail
cd
printf 'xwayland disable\n' >sway.conf
sway --unsupported-gpu --config sway.conf 2>sway.log &
compositor=$!
socket() { timeout 60 bash -c 'until find "$XDG_RUNTIME_DIR" -type s -name "$0" | grep .; do sleep 0.1; done' "$1"; }
SWAYSOCK=$(socket 'sway-ipc.*')
WAYLAND_DISPLAY=$(basename "$(socket 'wayland-*')")
export SWAYSOCK WAYLAND_DISPLAY
gio open file.sha256
found() { timeout 60 bash -c 'until swaymsg --raw --type get_tree | grep --fixed-strings "\"name\": \"$0"; do sleep 0.2; done' "$1"; }
found 'Meanwhile"'
sleep 2
wtype -s 500 -M ctrl -k Return -m ctrl
found '#1 Verify: 1 of 1 item'
swaymsg '[app_id=meanwhile] kill'
timeout 20 bash -c 'while pgrep --exact meanwhile >/dev/null; do sleep 0.1; done'
kill "$compositor"
END
# The shell around xvfb-run passes its signals on.
inside setpriv --reuid=person --regid=person --init-groups env HOME=/home/person LIBGL_ALWAYS_SOFTWARE=1 \
    bash -c 'xvfb-run --auto-servernum dbus-run-session -- bash /session.sh; exit'
inside install --directory --owner=person --mode=700 /run/person
inside setpriv --reuid=person --regid=person --init-groups env HOME=/home/person LIBGL_ALWAYS_SOFTWARE=1 \
    XDG_RUNTIME_DIR=/run/person WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 WLR_RENDERER=pixman \
    dbus-run-session -- bash /wayland.sh

inside apt-get purge --quiet --quiet --yes meanwhile >>"$root/apt.log"
left=$(files | comm -13 "$root/before" - | grep --invert-match --extended-regexp '^home/person(/|$)' || true)
if [[ -n "$left" ]]; then
    printf 'The package has left these files:\n%s\n' "$left"
    exit 1
fi
echo "installed, opened with a list, verified and removed"
