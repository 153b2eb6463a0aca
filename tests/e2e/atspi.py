"""Reads and uses the accessibility tree of one program, as a screen reader does.

    atspi.py PID tree                    prints the tree as JSON: one object per node, in reading order
    atspi.py PID press ROLE NAME         does the node's first action
    atspi.py PID set ROLE NAME NUMBER    sets the value of a spin button or slider
    atspi.py PID listen                  prints what a screen reader would say, line by line, without an end

Exit status 1 and one sentence on stderr: the program, the node or its action does not exist (yet).
Every call is a new process, so nothing comes from a stale cache.
"""

import json
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

# at-spi2-core 2.53 renamed this role.
ROLES = {"button": "push button"}
STATES = ("CHECKED", "ENABLED", "FOCUSABLE", "FOCUSED", "PRESSED", "SELECTED", "SENSITIVE", "SHOWING")


def program(pid):
    desktop = Atspi.get_desktop(0)
    for index in range(desktop.get_child_count()):
        child = desktop.get_child_at_index(index)
        if child and child.get_process_id() == pid:
            return child
    sys.exit(f"no program with pid {pid} is in the accessibility tree")


def role(node):
    name = node.get_role_name()
    return ROLES.get(name, name)


def walk(node, depth=0):
    yield depth, node
    try:
        children = [node.get_child_at_index(index) for index in range(node.get_child_count())]
    except GLib.Error:
        if depth == 0:
            raise
        return  # The node disappeared during the reading.
    for child in children:
        if child:
            yield from walk(child, depth + 1)


def described(depth, node):
    states = node.get_state_set()
    facts = {
        "depth": depth,
        "role": role(node),
        "name": node.get_name() or "",
        "description": node.get_description() or "",
        "states": [s.lower() for s in STATES if states.contains(getattr(Atspi.StateType, s))],
    }
    if node.get_text_iface():
        facts["text"] = Atspi.Text.get_text(node, 0, -1)
    if node.get_value_iface():
        facts["value"] = Atspi.Value.get_current_value(node)
    return facts


def tree(root):
    nodes = []
    for depth, node in walk(root):
        try:
            nodes.append(described(depth, node))
        except GLib.Error:
            continue  # The node disappeared during the reading.
    return nodes


def find(root, wanted_role, name):
    for _, node in walk(root):
        try:
            if role(node) == wanted_role and node.get_name() == name:
                return node
        except GLib.Error:
            continue
    sys.exit(f"no {wanted_role} is named {name!r}")


def press(node):
    if not node.get_state_set().contains(Atspi.StateType.SENSITIVE):
        sys.exit(f"{node.get_name()!r} is disabled")
    if not (node.get_action_iface() and Atspi.Action.do_action(node, 0)):
        sys.exit(f"{node.get_name()!r} has no action")


def set_value(node, number):
    if not (node.get_value_iface() and Atspi.Value.set_current_value(node, float(number))):
        sys.exit(f"{node.get_name()!r} takes no number")


def listen(pid):
    def say(event):
        if event.source.get_process_id() == pid:
            print(event.any_data, flush=True)

    listener = Atspi.EventListener.new(say)
    listener.register("object:announcement")
    print("listening", flush=True)
    Atspi.event_main()


def main(pid, command, *rest):
    root = program(int(pid))
    if command == "tree":
        json.dump(tree(root), sys.stdout)
    elif command == "press":
        press(find(root, *rest))
    elif command == "set":
        wanted_role, name, number = rest
        set_value(find(root, wanted_role, name), number)
    elif command == "listen":
        listen(int(pid))
    else:
        sys.exit(f"no such command: {command}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except GLib.Error as error:
        sys.exit(f"the accessibility bus answered: {error.message}")
