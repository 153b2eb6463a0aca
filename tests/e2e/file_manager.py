"""A file manager that only writes down what it is asked to show.

    file_manager.py FILE    owns the name of the file managers on the session bus, and appends a line for each call
"""

import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.freedesktop.FileManager1"
INTERFACE = f"""<node><interface name="{NAME}"><method name="ShowItems">
    <arg type="as" direction="in"/><arg type="s" direction="in"/>
</method></interface></node>"""


def write(line):
    with open(sys.argv[1], "a", encoding="utf-8") as file:
        file.write(line + "\n")


def called(_bus, _sender, _path, _interface, method, arguments, call):
    uris, _startup_id = arguments.unpack()
    write(f"{method} {' '.join(uris)}")
    call.return_value(None)


def connected(bus, _name):
    interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
    bus.register_object("/org/freedesktop/FileManager1", interface, called, None, None)


Gio.bus_own_name(
    Gio.BusType.SESSION, NAME, Gio.BusNameOwnerFlags.NONE, connected, lambda *_: write("ready"), None
)
GLib.MainLoop().run()
