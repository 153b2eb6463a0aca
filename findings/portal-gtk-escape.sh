#!/usr/bin/env bash
# xdg-desktop-portal-gtk 1.14.1 (Debian 12): Escape closes a file dialog with the answer 2, and the button `Cancel`
# with the answer 1.
#
# The portal's documentation of the signal Response says that 1 means that the user cancelled the interaction, and 2
# that it ended in some other way. A program that takes 2 for a dialog that could not be shown, so that it has to offer
# another one, shows the user two dialogs after Escape. A backend that does not start makes the portal answer 2 as well.
#
# Meanwhile takes 2 for a cancel if a backend runs and some time has passed: src/desktop/file_dialog/portal.rs.
#
# Seen with Debian 12 and openbox on x86_64 Linux 6.18:
#
#     xdg-desktop-portal-gtk 1.14.1-1
#     Escape: 2
#     Cancel: 1
#
# Prints these lines and exits with 0; exits with 1 when the backend does something else. Needs root, a network,
# mmdebstrap and unshare of util-linux.
set -euo pipefail

version=1.14.1-1
folder=$(mktemp -d)
trap 'rm -rf --one-file-system "$folder"' EXIT
mmdebstrap --quiet --variant=minbase bookworm "$folder" http://deb.debian.org/debian \
    --include="dbus,gsettings-desktop-schemas,libglib2.0-bin,openbox,xauth,xdg-desktop-portal-gtk=$version,xdotool,xvfb" >&2

cat >"$folder/ask.sh" <<'EOT'
# The X server does not tell the first process that it is ready, so this is not run by that.
[[ "${DISPLAY:-}" ]] || { xvfb-run --auto-servernum dbus-run-session -- bash /ask.sh; exit; }
openbox &
/usr/libexec/xdg-desktop-portal-gtk &
backend=org.freedesktop.impl.portal.desktop.gtk
gdbus wait --session --timeout 20 "$backend" || exit 1

# Opens a dialog, presses a key in it and prints the number of the answer.
answer_to() {
    gdbus call --session --timeout 30 --dest "$backend" --object-path /org/freedesktop/portal/desktop \
        --method org.freedesktop.impl.portal.FileChooser.OpenFile "/org/freedesktop/portal/desktop/request/a/$1" \
        "" "" Dialog '{}' >"/answer-$1" &
    local call=$! window
    window=$(xdotool search --sync --onlyvisible --name '^Dialog$' | head -n1)
    xdotool windowfocus --sync "$window"
    # A dialog that is just opening takes no keys.
    while kill -0 $call 2>/dev/null; do
        xdotool key "$2"
        sleep 0.3
    done
    sed 's/^(uint32 \([0-9]*\),.*/\1/' "/answer-$1"
}
echo "Escape: $(answer_to 1 Escape)" >>/seen
echo "Cancel: $(answer_to 2 alt+c)" >>/seen
EOT

echo "xdg-desktop-portal-gtk $version" >"$folder/seen"
mkdir -p "$folder/root/runtime"
timeout --signal=KILL 120 unshare --mount --pid --fork --kill-child --mount-proc="$folder/proc" chroot "$folder" \
    /usr/bin/env -i PATH=/usr/bin:/bin HOME=/root XDG_RUNTIME_DIR=/root/runtime NO_AT_BRIDGE=1 \
    bash /ask.sh >&2 || true
cat "$folder/seen"
diff "$folder/seen" - >&2 <<EOT
xdg-desktop-portal-gtk $version
Escape: 2
Cancel: 1
EOT
