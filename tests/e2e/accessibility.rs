//! What a screen reader finds and says.

use crate::session::Session;
use crate::window::{Announcements, Node, Tree, Window};

const PAGES: [&str; 4] = ["Workbench", "Lessons", "Freeze Lab", "Settings"];

/// Starts a job with one file and waits for its end.
fn window_with_an_ended_job(session: &Session) -> (Window<'_>, Announcements) {
    let file = session.home().join("abc.txt");
    std::fs::write(&file, b"abc").expect("the home is ours");
    let window = Window::open(session, &[file.to_str().expect("plain text")]);
    let announcements = Announcements::of(&window);
    window.press("push button", "Start");
    window.wait_for_text("1 of 1 item");
    (window, announcements)
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn whatever_takes_the_keyboard_has_a_name() {
    let session = Session::start("names");
    let (window, _announcements) = window_with_an_ended_job(&session);
    for page in PAGES {
        window.press("page tab", page);
        window.wait_for(&format!("{page} to be the one selected tab"), |tree| {
            let tabs = with_state(tree, "selected").filter(|node| node.role == "page tab");
            let of_pages = tabs.filter(|tab| PAGES.contains(&tab.name.as_str()));
            let selected: Vec<_> = of_pages.map(|tab| &tab.name).collect();
            (selected == [page]).then_some(())
        });
        let tree = window.tree().expect("it is open");
        let mut frames = tree.nodes.iter().filter(|node| node.role == "frame");
        assert!(frames.all(|frame| frame.name.contains("Meanwhile")));
        let nameless: Vec<_> = with_state(&tree, "focusable")
            .filter(|node| node.name.is_empty())
            .map(|node| &node.role)
            .collect();
        assert!(nameless.is_empty(), "{page}: {nameless:?}\n{tree}");
        for combo_box in tree.nodes.iter().filter(|node| node.role == "combo box") {
            assert!(!combo_box.description.is_empty(), "{}", combo_box.name);
        }
    }
}

fn with_state<'a>(tree: &'a Tree, state: &'a str) -> impl Iterator<Item = &'a Node> {
    let nodes = tree.nodes.iter();
    nodes.filter(move |node| node.states.iter().any(|has| has == state))
}

#[test]
#[ignore = "needs a screen; tests/all.sh runs it"]
fn end_of_a_job_and_messages_are_said() {
    let session = Session::start("announcements");
    let (window, announcements) = window_with_an_ended_job(&session);
    announcements.wait_for("#1 Checksums: 1 of 1 item");
    window.press("push button", "Copy report");
    announcements.wait_for("The report is on the clipboard.");
    // The end is said on other pages, too.
    window.press("push button", "Run again");
    window.press("page tab", "Settings");
    announcements.wait_for("#2 Checksums: 1 of 1 item");
}
