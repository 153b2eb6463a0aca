//! Running processes that something else has started, as jobs of the window.

use eframe::egui::{Key, Modifiers};

use super::parent::Parent;
use super::sleeper::Sleeper;
use super::window::Window;

/// Chooses the process in the dialog.
fn choose(pid: &str, window: &mut Window) {
    window.click("Add running process…");
    window.until("Name or number");
    window.type_into("Name or number", pid);
    let row = format!("{pid}  ");
    window.until(&row);
    assert!(!window.is_enabled("Add process"));
    window.click_part(&row);
    window.click("Add process");
    window.until_it(|window| window.is_enabled("Kill"), "the process is watched");
}

#[test]
fn chosen_process_is_a_job_with_its_code() {
    let mut parent = Parent::hold("exit 7");
    let mut window = Window::open();
    choose(&parent.pid, &mut window);
    assert!(window.shows("#1 Running process"));
    assert!(!window.shows("Name or number"));
    window.click("Joining");
    window.click("Join");
    window.until("without a deadline");
    parent.release();
    window.until(&format!("sh ({}) exited with code 7", parent.pid));
    window.until("joined after");
}

#[test]
fn enter_takes_the_process_whose_number_was_typed() {
    let parent = Parent::hold("exit 0");
    let mut window = Window::open();
    window.click("Add running process…");
    window.until("started ");
    window.type_into("Name or number", "no process has this name");
    window.press(Modifiers::NONE, Key::Enter);
    assert!(window.shows("Name or number"));
    window.press(Modifiers::COMMAND, Key::A);
    window.type_into("Name or number", &parent.pid);
    window.press(Modifiers::NONE, Key::Enter);
    window.until("#1 Running process");
    assert!(!window.shows("Name or number"));
}

#[test]
fn join_of_a_chosen_process_says_what_it_waits_for() {
    let parent = Parent::hold("exit 0");
    let mut window = Window::open();
    choose(&parent.pid, &mut window);
    window.click("Joining");
    window.set("Timeout (s)", 0.1);
    window.click("Join with timeout");
    window.until("still running after ");
    window.until("reads from a pipe");
}

#[test]
fn chosen_process_ends_only_after_a_question() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let sleeper = Sleeper::new(dir.path());
    let mut parent = Parent::hold(&format!("{} & wait", sleeper.command()));
    let mut window = Window::open();
    choose(&parent.pid, &mut window);
    for command in ["Cancel", "Terminate", "Kill", "End process tree"] {
        window.click(command);
        window.until("Something else has started sh (");
        window.click("Leave it alone");
        assert!(!window.shows("Something else has started sh ("));
        assert!(window.is_enabled("Kill"));
    }
    assert!(parent.runs());
    parent.release();
    window.until_it(|_| !sleeper.running().is_empty(), "the tree");
    window.click("Cancel");
    window.click("End it");
    window.until("was killed by signal 15 (SIGTERM)");
    window.until_it(|_| sleeper.running().is_empty(), "the end of the tree");
}

#[test]
fn chosen_process_is_left_when_nobody_waits() {
    let parent = Parent::hold("exit 0");
    let mut window = Window::open();
    choose(&parent.pid, &mut window);
    window.click("Cancel");
    window.click("Wait no longer");
    window.until("1 of 1 item · 1 cancelled");
    assert!(parent.runs());
    // The window closes over it without a question, and leaves it.
    choose(&parent.pid, &mut window);
    assert!(window.ask_to_close());
    drop(window.close());
    assert!(parent.runs());
}

#[test]
fn list_of_processes_is_filtered_and_closed() {
    let mut window = Window::open();
    window.click("Add running process…");
    window.until("Name or number");
    window.type_into("Name or number", "no process has this name");
    window.until("No process of yours has such a name or number.");
    window.click("Close");
    assert!(!window.shows("Name or number"));
}
