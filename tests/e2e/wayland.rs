//! The program on Wayland: in compositors without a screen, as a user who is not root.

use std::fs::{self, File};
use std::process::Command;

use serde_json::Value;

use crate::child_guard::ChildGuard;
use crate::clipboard;
use crate::opengl;
use crate::session::{self, Session};
use crate::setup::start_command;
use crate::sleeper::Sleeper;
use crate::window::{Window, program};

/// What sway knows of the window with this app id.
fn sway_window(session: &Session, app_id: &str) -> Option<Value> {
    fn find(node: &Value, app_id: &str) -> Option<Value> {
        if node["app_id"] == app_id {
            return Some(node.clone());
        }
        let children = [&node["nodes"], &node["floating_nodes"]];
        let mut children = children.into_iter().filter_map(Value::as_array).flatten();
        children.find_map(|child| find(child, app_id))
    }
    let tree = session.tool("swaymsg", &["-r", "-t", "get_tree"]);
    let tree: Value = serde_json::from_str(&tree.expect("sway answers")).expect("it is JSON");
    find(&tree, app_id)
}

/// Waits until what sway knows of our window is as `is_so` says.
fn wait_for_sway(session: &Session, what: &str, is_so: impl Fn(&Value) -> bool) {
    let attempt = || match sway_window(session, "meanwhile") {
        Some(window) if is_so(&window) => Ok(()),
        window => Err(format!("{window:#?}")),
    };
    session::wait_until(what, attempt, || session.save_picture());
}

fn sway(session: &Session, command: &str) {
    let done = session.tool("swaymsg", &[command]);
    done.unwrap_or_else(|error| panic!("{command}: {error}"));
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_ties_the_window_to_its_desktop_entry() {
    let session = Session::start_on("sway", "sway-open");
    let window = Window::open(&session, &[]);
    // The stem of `assets/meanwhile.desktop`.
    wait_for_sway(&session, "the title", |window| {
        window["name"] == "Meanwhile"
    });
    // Nothing can be dropped here.
    window.wait_for("the advice", |tree| {
        tree.find("label", "Add files").map(drop)
    });
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_window_on_another_workspace_goes_on() {
    let session = Session::start_on("sway", "sway-hidden");
    let go = session.home().join("go");
    let script = format!("while [ ! -e {} ]; do sleep 0.1; done", go.display());
    let window = start_command(&session, &script);
    window.wait_for_text("1 task running");
    sway(&session, "[app_id=meanwhile] move container to workspace 9");
    wait_for_sway(&session, "it to be hidden", |window| {
        window["visible"] == false
    });
    File::create(&go).expect("the home is ours");
    wait_for_sway(&session, "the end in the title", |window| {
        let title = window["name"].as_str();
        window["visible"] == false && title.is_some_and(|title| title.contains("1 of 1 item"))
    });
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_close_request_asks_and_is_urgent_if_hidden() {
    let session = Session::start_on("sway", "sway-close");
    let window = start_command(&session, "exec sleep 600");
    window.wait_for_text("1 task running");
    sway(&session, "[app_id=meanwhile] kill");
    window.press("push button", "Keep the window");
    window.wait_for("the question to go", |tree| {
        let question = tree.find("push button", "Keep the window");
        question.is_none().then_some(())
    });
    sway(&session, "[app_id=meanwhile] move container to workspace 9");
    sway(&session, "[app_id=meanwhile] kill");
    wait_for_sway(&session, "it to ask for attention", |window| {
        window["urgent"] == true
    });
    sway(&session, "workspace 9");
    window.press("push button", "Cancel and quit");
    assert!(window.wait_for_exit().success());
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_scales_are_followed_while_it_runs() {
    let session = Session::start_on("sway", "sway-scale");
    let window = start_command(&session, "true");
    for (number, scale) in ["2", "1.5", "1"].into_iter().enumerate() {
        sway(&session, &format!("output HEADLESS-1 scale {scale}"));
        let width = 1_600.0 / scale.parse::<f64>().expect("a number");
        wait_for_sway(&session, "its new width", |window| {
            let shown = window["rect"]["width"].as_f64();
            shown.is_some_and(|shown| (shown - width).abs() < 2.0)
        });
        window.press("push button", "Start");
        window.wait_for_text(&format!("#{} ", number + 2));
    }
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_that_dies_is_said_and_leaves_no_command() {
    let session = Session::start_on("sway", "sway-dies");
    let sleeper = Sleeper::new(session.home());
    let window = start_command(&session, &format!("trap '' TERM; {}", sleeper.command()));
    let runs = || match sleeper.running().len() {
        1 => Ok(()),
        count => Err(format!("{count} run")),
    };
    session::wait_until("the command", runs, || window.describe());
    session.kill_compositor();
    let (status, message) = window.wait_for_message();
    assert_eq!(status.code(), Some(1), "{message}");
    let last = message.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("meanwhile: The display has ended (the connection to it broke)"),
        "{message}"
    );
    assert_eq!(sleeper.running(), [0; 0]);
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_shows_the_file_dialog_of_the_portal() {
    let session = Session::start_on("sway", "sway-dialog");
    let window = Window::open(&session, &[]);
    window.press("push button", "Add files…");
    let dialog = || {
        sway_window(&session, "xdg-desktop-portal-gtk")
            .map(drop)
            .ok_or_else(|| "none".to_owned())
    };
    session::wait_until("the dialog", dialog, || window.describe());
    sway(&session, "[app_id=xdg-desktop-portal-gtk] kill");
    let is_gone = || match sway_window(&session, "xdg-desktop-portal-gtk") {
        None => Ok(()),
        Some(_) => Err("it is still there".to_owned()),
    };
    session::wait_until("the dialog to go", is_gone, || window.describe());
    // It was cancelled, so nothing is said, and it opens again.
    window.press("push button", "Add files…");
    session::wait_until("the second dialog", dialog, || window.describe());
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_keeps_what_was_copied_by_a_manager() {
    let session = Session::start_on("sway", "sway-clipboard");
    let start = |command: &mut Command, args: &[&str]| {
        ChildGuard::start("a program of the desktop", command.args(args))
    };
    // Without a keyboard, nothing can be copied on Wayland.
    let _keyboard = start(&mut session.command("wtype"), &["-s", "600000"]);
    let history = session.home().join("history.json");
    let place = format!("--histpath={}", history.display());
    let watch = ["-t", "text", "--watch", "clipman", "store", &place];
    let _manager = start(&mut session.command("wl-paste"), &watch);
    let window = clipboard::copy(&session, &history);
    sway(&session, "[app_id=meanwhile] kill");
    assert!(window.wait_for_exit().success());
    clipboard::assert_it_can_be_pasted(&session, &["timeout", "5", "wl-paste"]);
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_without_opengl_is_told_its_packages() {
    opengl::assert_its_absence_is_said(&Session::start_on("sway", "sway-no-opengl"));
}

/// A window that is measured has the size that it asks for, where others fill the screen.
#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn sway_lets_a_measured_window_float() {
    let session = Session::start_on("sway", "sway-float");
    let program = session.readable(&program());
    let mut command = session.command(&program);
    command.args(["lab", "run", "--variant", "fixed", "join-in-click"]);
    let _lab = ChildGuard::start("meanwhile lab", &mut command);
    let floats = || match sway_window(&session, "meanwhile-twin") {
        Some(window) if window["type"] == "floating_con" => Ok(window["geometry"].clone()),
        window => Err(format!("{window:#?}")),
    };
    let size = session::wait_until("a floating window", floats, || session.save_picture());
    assert_eq!(
        (&size["width"], &size["height"]),
        (&340.into(), &300.into())
    );
}

/// These compositors can't be asked for their windows.
fn works_on(compositor: &str) {
    let session = Session::start_on(compositor, &format!("{compositor}-open"));
    let window = start_command(&session, "true");
    window.wait_for_text("1 of 1 item");
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn weston_shows_the_window() {
    works_on("weston");
}

#[test]
#[ignore = "needs a compositor; tests/all.sh runs it"]
fn cage_shows_the_window() {
    works_on("cage");
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn socket_without_a_compositor_gives_way_to_x11() {
    let session = Session::start("stale-wayland");
    let stale = session.home().join("runtime/wayland-7");
    drop(std::os::unix::net::UnixListener::bind(&stale).expect("the home is ours"));
    for name in ["wayland-7", "wayland-8", &stale.to_string_lossy()] {
        let messages = session.home().join("messages");
        let mut command = session.command(&program());
        command.env("WAYLAND_DISPLAY", name);
        command.stderr(File::create(&messages).expect("the home is ours"));
        let program = ChildGuard::start("meanwhile", &mut command);
        let shown = || crate::window::tree_of(&session, program.pid()).map(drop);
        session::wait_until("the window", shown, || session.save_picture());
        let messages = fs::read_to_string(messages).expect("messages are text");
        assert!(
            messages.contains("The window opens on X11: WAYLAND_DISPLAY names"),
            "{messages}"
        );
    }
}
