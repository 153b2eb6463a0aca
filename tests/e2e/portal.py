"""A desktop portal that shows no dialog and answers at once.

    portal.py FILE CODE [URI…]    owns the name of the portal on the session bus, and answers each request for files
                                  with this code and these files, or ends if the code is `end`. After that
                                  it appends a line to FILE.
"""

import sys

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.freedesktop.portal.Desktop"
PATH = "/org/freedesktop/portal/desktop"
METHOD = """<method name="{}"><arg type="s" direction="in"/><arg type="s" direction="in"/>
    <arg type="a{{sv}}" direction="in"/><arg type="o" direction="out"/></method>"""
INTERFACE = f"""<node><interface name="org.freedesktop.portal.FileChooser">
    {METHOD.format("OpenFile")}{METHOD.format("SaveFile")}<property name="version" type="u" access="read"/>
</interface></node>"""

log, code, *uris = sys.argv[1:]


def write(line):
    with open(log, "a", encoding="utf-8") as file:
        file.write(line + "\n")


def called(bus, sender, _path, _interface, method, arguments, call):
    parent, title, options = arguments.unpack()
    request = f"{PATH}/request/{sender[1:].replace('.', '_')}/{options['handle_token']}"
    call.return_value(GLib.Variant("(o)", (request,)))
    if code == "end":
        loop.quit()
    else:
        results = {"uris": GLib.Variant("as", uris)}
        response = GLib.Variant("(ua{sv})", (int(code), results))
        bus.emit_signal(sender, request, "org.freedesktop.portal.Request", "Response", response)
    bus.flush_sync(None)
    write(f"{method} {title} {parent.split(':')[0]}")


def connected(bus, _name):
    interface = Gio.DBusNodeInfo.new_for_xml(INTERFACE).interfaces[0]
    bus.register_object(PATH, interface, called, lambda *_: GLib.Variant("u", 4), None)


Gio.bus_own_name(Gio.BusType.SESSION, NAME, Gio.BusNameOwnerFlags.NONE, connected, lambda *_: write("ready"), None)
loop = GLib.MainLoop()
loop.run()
