//! The user guide in the window, and what its pages may say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, ViewportCommand};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use meanwhile::pages::commands::{CLOSE_GUIDE, HELP};
use meanwhile::pages::{TITLES, command_table};

use super::window::{Window, file, with_a_long_job};

/// A page that is read while one works is short.
const MOST_WORDS: usize = 250;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/guide")
}

/// The pages of the guide, by their file names.
fn pages() -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder()).expect("the guide is there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let pages = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages
        .map(|path| {
            let name = path.file_name().expect("a file has a name");
            let text = fs::read_to_string(&path).expect("a page is text");
            (name.to_string_lossy().into_owned(), text)
        })
        .collect()
}

/// The title of a page of the guide.
fn title(text: &str) -> &str {
    let first = text.lines().next().expect("a page has a title");
    first.strip_prefix("# ").expect("it is a heading")
}

/// Where the links and pictures of a text lead.
fn links(text: &str) -> Vec<&str> {
    let parts = text.split("](").skip(1);
    let ends = parts.map(|part| part.split_once(')').expect("a link has an end").0);
    ends.collect()
}

#[test]
fn each_page_has_its_page_of_the_guide() {
    for page in TITLES {
        let mut window = Window::open();
        window.click(page);
        window.press_keys_of(HELP);
        let title = format!("Guide to the {page}");
        assert!(window.shows(&title), "{title}\n{}", window.texts());
        assert!(
            pages()
                .values()
                .any(|text| text.starts_with(&format!("# {title}\n")))
        );
    }
}

#[test]
fn escape_gives_the_keyboard_back() {
    let mut window = Window::open();
    window.named("Path").focus();
    window.step();
    window.press_keys_of(HELP);
    assert!(window.named("Close the guide").is_focused());
    window.press_keys_of(CLOSE_GUIDE);
    assert!(!window.shows("Guide to"));
    window.step();
    assert!(window.named("Path").is_focused());
}

#[test]
fn guide_has_a_name_and_headings_for_screen_readers() {
    let mut window = Window::open();
    window.click("Help");
    let nodes = window.harness.root().children_recursive();
    let nodes: Vec<_> = nodes
        .map(|node| {
            let node = node.accesskit_node();
            (node.role(), node.label().or_else(|| node.value()))
        })
        .collect();
    let has = |role, name: &str| {
        let mut nodes = nodes.iter();
        nodes.any(|(its, text)| *its == role && text.as_deref() == Some(name))
    };
    assert!(has(Role::Dialog, "Guide to the Workbench"), "{nodes:?}");
    assert!(has(Role::Heading, "A job in three steps"), "{nodes:?}");
    let picture = "A job that runs: its card, its buttons and its panes";
    assert!(has(Role::Image, picture), "{nodes:?}");
    assert!(has(Role::Link, "Lessons"), "{nodes:?}");
}

#[test]
fn tab_reaches_the_links_and_enter_follows_one() {
    let mut window = Window::open();
    window.click("Help");
    let is_at_link = |window: &Window| {
        let mut links = window.harness.query_all_by_label("Joining and waiting");
        links.any(|link| link.is_focused())
    };
    for _ in 0..10 {
        if is_at_link(&window) {
            break;
        }
        window.press(Modifiers::NONE, Key::Tab);
    }
    assert!(is_at_link(&window), "{}", window.texts());
    window.press(Modifiers::NONE, Key::Enter);
    window.step();
    assert!(
        window.shows("Guide to joining and waiting"),
        "{}",
        window.texts()
    );
    assert!(!window.shows("Guide to the Workbench"));
    assert!(window.named("Close the guide").is_focused());
}

#[test]
fn keys_scroll_the_guide_to_its_end_and_back() {
    let mut window = Window::open();
    window.harness.set_size([640.0, 400.0].into());
    window.click("Help");
    let heading = |window: &Window| {
        let heading = window.harness.get_by_label("A job in three steps");
        heading.rect().top()
    };
    let begin = heading(&window);
    for key in [Key::ArrowDown, Key::PageDown, Key::End] {
        let before = heading(&window);
        window.press(Modifiers::NONE, key);
        window.until_it(|window| heading(window) < before, "scrolling down");
        window.harness.run_steps(30);
    }
    let end = window.harness.get_by_label("Go on reading").rect();
    assert!(window.named("Close the guide").rect().top() > end.bottom());
    window.press(Modifiers::NONE, Key::Home);
    window.until_it(|window| (heading(window) - begin).abs() < 1.0, "the begin");
}

fn title_bottom(window: &Window) -> f32 {
    let titles = window.harness.query_all_by_label_contains("Guide to");
    // The dialog has the name of its title, but no place.
    let mut titles = titles.filter(|node| node.accesskit_node().role() == Role::Label);
    let title = titles.next().expect("the guide is open");
    title.rect().bottom()
}

#[test]
fn guide_opens_at_its_begin_in_any_window() {
    for (page, picture) in [
        ("Workbench", "A job that runs"),
        ("Freeze Lab", "The report"),
    ] {
        let mut window = Window::open();
        window.click(page);
        for size in [[760.0, 480.0], [2560.0, 1440.0], [640.0, 400.0]] {
            window.harness.set_size(size.into());
            window.step();
            window.press_keys_of(HELP);
            window.harness.run_steps(30);
            let top = title_bottom(&window);
            let picture = window.harness.get_by_label_contains(picture).rect();
            assert!(picture.top() > top, "{page} in {size:?}");
            window.press_keys_of(CLOSE_GUIDE);
        }
    }
}

#[test]
fn no_page_shortcut_works_behind_the_guide() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    let input = file(dir.path(), "abc.txt", b"abc");
    let mut window = Window::open_in(dir, &[input]);
    window.press_keys_of(HELP);
    window.press(Modifiers::COMMAND, Key::O);
    window.press(Modifiers::COMMAND, Key::Comma);
    assert!(window.shows("Guide to the Workbench"));
    // It is also the key of the button that has the keyboard.
    window.press(Modifiers::COMMAND, Key::Enter);
    assert!(window.shows("1 input"), "{}", window.texts());
    assert!(!window.shows("#1"));
    assert!(window.dialogs.asked().is_empty());
}

#[test]
fn close_question_comes_before_the_guide() {
    let mut window = with_a_long_job();
    window.press_keys_of(HELP);
    assert!(!window.ask_to_close());
    assert!(window.shows("Work is still running") && !window.shows("Guide to"));
    window.press(Modifiers::NONE, Key::Escape);
    assert!(!window.shows("Work is still running"), "{}", window.texts());
    assert!(window.shows("Guide to the Workbench"));
    assert!(!window.has_sent(&ViewportCommand::Close));
}

#[test]
fn pages_are_short_and_their_links_lead_on() {
    let pages = pages();
    assert!(pages.len() > TITLES.len());
    let mut pictures = 0;
    for (name, text) in &pages {
        let words = text.split_whitespace().count();
        assert!(words <= MOST_WORDS, "{name} has {words} words");
        assert!(title(text).starts_with("Guide to "), "{name}");
        for link in links(text) {
            if Path::new(link).extension().is_some_and(|end| end == "md") {
                assert!(pages.contains_key(link), "{name}: {link}");
                assert_ne!(link, name, "it is there already");
            } else {
                pictures += 1;
                assert!(folder().join(link).is_file(), "{name}: {link}");
            }
        }
    }
    assert!(pictures > 3, "{pictures}");
    for name in pages.keys() {
        let mut others = pages.iter().filter(|(other, _)| *other != name);
        let is_linked = others.any(|(_, text)| links(text).contains(&name.as_str()));
        assert!(is_linked, "no page leads to {name}");
    }
}

/// All that the source has between quotation marks.
fn source_texts() -> String {
    let mut texts = String::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the source is there") {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                texts += &fs::read_to_string(&path).expect("the source is text");
            }
        }
    }
    texts
}

#[test]
fn words_of_the_window_in_the_guide_are_in_it() {
    let source = source_texts();
    let mut found = 0;
    for (name, text) in pages() {
        for word in text.split('`').skip(1).step_by(2) {
            let is_command = command_table().any(|row| row.text == word);
            let is_there = is_command || source.contains(&format!("\"{word}\""));
            assert!(is_there, "{name}: the window has no {word}");
            found += 1;
        }
    }
    assert!(found > 50, "{found}");
}
