//! Getting files into the next job.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use meanwhile::app::{DialogAnswer, DialogRequest};
use meanwhile::pages::workbench::command as workbench;

use super::window::{Dropped, Window, file};

const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[test]
fn picked_files_are_hashed_and_shown() {
    let mut window = Window::open();
    assert!(!window.is_enabled("Start"));
    let path = file(window.dir.path(), "abc.txt", b"abc");
    window.click("Add files…");
    window.dialogs.answer(DialogAnswer::Picked(vec![path]));
    window.until("1 input");
    window.choose("Algorithm", "SHA-256");
    window.click("Start");
    window.until(SHA256_OF_ABC);
    window.until("1 of 1 item");
}

#[test]
fn pool_thread_and_process_give_the_same_digest() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    window.type_into("Path", path.to_str().unwrap());
    window.click("Add");
    window.choose("Algorithm", "SHA-256");
    for run_on in ["A thread each", "A process each", "Shared threads"] {
        window.choose("Run on", run_on);
        window.click("Start");
        window.until(SHA256_OF_ABC);
    }
    assert!(window.shows("#3 Checksums"));
}

#[test]
fn list_is_recognised_by_name_and_verdicts_come_first() {
    let dir = tempfile::tempdir().unwrap();
    file(dir.path(), "abc.txt", b"abc");
    let lines = format!("{SHA256_OF_ABC}  abc.txt\n{SHA256_OF_ABC}  gone.txt\nnonsense\n");
    let list = file(dir.path(), "SHA256SUMS", lines.as_bytes());
    let mut window = Window::open_in(dir, &[list]);
    window.choose("Job", "Checksums");
    assert!(window.shows("SHA256SUMS looks like a list"));
    window.choose("Job", "Verify");
    assert!(!window.shows("looks like a list"));
    window.click("Start");
    window.until("2 of 2 items · 1 failed");
    assert!(window.shows(&format!("OK: SHA-256 {SHA256_OF_ABC}")));
    assert!(window.shows("missing: "));
    assert!(window.shows("1 line of "));
    window.click("1 missing");
    window.until("1 of 2 items");
    assert!(!window.shows("OK: "));
    window.click("1 missing");
    window.until("OK: ");
}

#[test]
fn second_click_opens_no_second_dialog() {
    let mut window = Window::open();
    window.click("Add files…");
    assert!(window.shows("dialog open"));
    assert!(!window.is_enabled("Add files…"));
    assert!(!window.is_enabled("Add folder…"));
    window.press_keys_of(workbench::ADD_FILES);
    assert_eq!(window.dialogs.asked(), [DialogRequest::Files]);

    window.dialogs.answer(DialogAnswer::Cancelled);
    window.until_it(|window| window.is_enabled("Add files…"), "the button again");
    assert!(window.shows("0 inputs"));
    assert!(!window.shows("Dismiss"));
}

#[test]
fn typed_path_works_without_file_dialogs() {
    let mut window = Window::open();
    window.click("Add folder…");
    window.dialogs.answer(DialogAnswer::Unavailable);
    window.until("could not show a file dialog");
    window.click("Dismiss");
    assert!(!window.shows("could not show a file dialog"));

    let path = file(window.dir.path(), "typed.txt", b"abc");
    window.type_into("Path", path.to_str().unwrap());
    window.click("Add");
    window.until("1 input");
    assert!(window.shows("typed.txt"));
}

#[test]
fn file_uri_is_taken_as_its_path() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "a b%.txt", b"abc");
    let folder = path.parent().unwrap().display();
    window.type_into("Path", &format!("file://{folder}/a%20b%25.txt"));
    window.click("Add");
    window.until("1 input");
    assert!(window.shows(path.to_str().unwrap()));

    window.type_into("Path", "file://another.host/c.txt");
    window.click("Add");
    window.until("2 inputs");
    assert!(window.shows("file:/another.host/c.txt"), "as it was typed");
}

#[test]
fn name_with_a_line_break_is_shown_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "one\ntwo", b"abc");
    let mut window = Window::open_in(dir, &[path]);
    window.until("1 input");
    assert!(window.shows(r"one\ntwo"));
    window.choose("Algorithm", "SHA-256");
    window.click("Start");
    window.until(SHA256_OF_ABC);
    window.open_details(SHA256_OF_ABC);
    window.until("Copy path");
    // The input, its row and the details of that.
    assert_eq!(window.texts_with(r"one\ntwo").len(), 3);
}

#[test]
fn dropped_and_given_files_are_inputs_once() {
    let dir = tempfile::tempdir().unwrap();
    let given = file(dir.path(), "given.txt", b"1");
    let dropped = file(dir.path(), "dropped.txt", b"2");
    let mut window = Window::open_in(dir, std::slice::from_ref(&given));
    window.until("1 input");
    let input = window.harness.input_mut();
    input.dropped_files.push(Arc::new(Dropped(dropped)));
    input.dropped_files.push(Arc::new(Dropped(given)));
    window.until("2 inputs");
    window.click("Clear");
    window.until("0 inputs");
}

#[test]
fn checksum_list_is_saved_where_the_dialog_says() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    window.type_into("Path", path.to_str().unwrap());
    window.click("Add");
    window.choose("Algorithm", "SHA-256");
    window.click("Start");
    window.until(SHA256_OF_ABC);
    window.until("1 of 1 item");
    let list = window.dir.path().join("list");
    window.click("Save list…");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![list.clone()]));
    window.until("1 checksum was saved to");
    let text = std::fs::read_to_string(list).unwrap();
    assert_eq!(text, format!("{SHA256_OF_ABC}  abc.txt\n"));
}

#[test]
fn saved_list_never_replaces_an_input() {
    let file = saved_over_an_input("Save list…", b"abc", "is a file that this job has read");
    assert_eq!(file, b"abc");
}

#[test]
fn saved_report_never_replaces_an_input() {
    let file = saved_over_an_input("Save report…", b"abc", "is a file that this job has read");
    assert_eq!(file, b"abc");
}

#[test]
fn saved_report_never_replaces_a_list() {
    let dir = tempfile::tempdir().expect("a folder for the test");
    file(dir.path(), "abc.txt", b"abc");
    let text = format!("{SHA256_OF_ABC}  abc.txt\n");
    let list = file(dir.path(), "SHA256SUMS", text.as_bytes());
    let mut window = Window::open_in(dir, std::slice::from_ref(&list));
    window.click("Start");
    window.until("1 of 1 item");
    window.click("Save report…");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![list.clone()]));
    window.until("is a file that this job has read");
    assert_eq!(std::fs::read_to_string(list).expect("it is there"), text);
}

#[test]
fn saved_list_replaces_an_older_one() {
    let list = format!("{SHA256_OF_ABC}  abc.txt\n");
    let file = saved_over_an_input("Save list…", list.as_bytes(), "0 checksums were saved");
    assert_eq!(file, b"");
}

/// Has a window read a file with `content` and save to another name of that file, until it says `until`.
/// Returns what the file has then.
fn saved_over_an_input(button: &str, content: &[u8], until: &str) -> Vec<u8> {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", content);
    let link = window.dir.path().join("link");
    std::fs::hard_link(&path, &link).expect("links are made");
    window.type_into("Path", path.to_str().expect("the path is text"));
    window.click("Add");
    window.choose("Algorithm", "SHA-256");
    window.click("Start");
    window.until("1 of 1 item");
    window.click(button);
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![link.clone()]));
    window.until(until);
    std::fs::read(link).expect("it is there")
}

#[test]
fn list_of_an_audit_is_picked_in_a_dialog() {
    let mut window = Window::open();
    let list = file(window.dir.path(), "SHA256SUMS", b"");
    window.choose("Job", "Audit");
    window.click("Choose…");
    let asked = DialogRequest::File {
        title: "List".to_owned(),
    };
    assert_eq!(window.dialogs.asked(), [asked]);
    // Whatever happens to the form while the dialog is open, the answer belongs to its row.
    window.choose("Job", "Images");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![list.clone()]));
    window.choose("Job", "Audit");
    window.until_it(
        |window| window.named("List").value().as_deref() == list.to_str(),
        "the list",
    );
    window.choose("Job", "Images");
    assert_eq!(window.named("Save to").value().as_deref(), Some(""));
}

#[test]
fn first_list_of_an_audit_needs_no_older_one() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    window.type_into("Path", path.to_str().unwrap());
    window.click("Add");
    window.choose("Job", "Audit");
    assert!(!window.is_enabled("Start"));
    window.click("Make a list");
    window.choose("Algorithm", "SHA-256");
    window.click("Start");
    window.until("1 of 1 item");
    window.click("Save list…");
    let list = window.dir.path().join("list");
    window
        .dialogs
        .answer(DialogAnswer::Picked(vec![list.clone()]));
    window.until("1 checksum was saved");
    let text = std::fs::read_to_string(list).unwrap();
    assert!(
        text.contains(&format!("{SHA256_OF_ABC}  abc.txt\n")),
        "{text}"
    );
}

#[test]
fn list_is_verified_line_by_line() {
    let mut window = Window::open();
    let dir = window.dir.path();
    let good = file(dir, "good.txt", b"abc");
    let bad = file(dir, "bad.txt", b"changed");
    let lines = [&good, &bad, &dir.join("gone.txt")]
        .map(|path| format!("{SHA256_OF_ABC}  {}\n", path.display()));
    let list = file(dir, "SHA256SUMS", lines.concat().as_bytes());
    window.type_into("Path", list.to_str().unwrap());
    window.click("Add");
    window.choose("Job", "Verify");
    window.click("Start");
    window.until("3 of 3 items · 2 failed");
}

#[test]
fn many_inputs_come_in_over_several_frames() {
    let mut window = Window::open();
    for number in (0..100_000).chain(0..100_000) {
        let path = PathBuf::from(format!("/nowhere/{number}"));
        let dropped = &mut window.harness.input_mut().dropped_files;
        dropped.push(Arc::new(Dropped(path)));
    }
    window.step();
    assert!(!window.is_enabled("Start"), "the frame did not wait");
    window.until("100 000 inputs");
    window.until_it(|window| window.is_enabled("Start"), "the end of arrivals");
    window.until("100 000 not there");
    window.click("Clear");
    window.until("0 inputs");
    assert!(!window.shows("not there"));
}

#[test]
fn input_that_is_not_there_is_marked_at_once() {
    let mut window = Window::open();
    let path = file(window.dir.path(), "abc.txt", b"abc");
    let gone = window.dir.path().join("gone.txt");
    for path in [&gone, &path] {
        window.type_into("Path", path.to_str().unwrap());
        window.click("Add");
    }
    window.until("1 not there");
    let gone = gone.display();
    window.until(&format!("{gone} is not there"));
    window.click(&format!("Remove {gone}"));
    assert!(!window.shows("not there"));
    assert!(window.shows("1 input"));
}

#[test]
fn typed_pattern_stands_for_what_it_matches() {
    let mut window = Window::open();
    for name in ["a.wav", "b.wav", "c.txt"] {
        file(window.dir.path(), name, b"abc");
    }
    let dir = window.dir.path().display().to_string();
    window.type_into("Path", &format!("{dir}/*.wav"));
    window.click("Add");
    window.until(&format!("{dir}/*.wav: a pattern"));
    window.type_into("Path", &format!("{dir}/*.flac"));
    window.click("Add");
    window.until(&format!("nothing matches {dir}/*.flac"));
    window.until("1 not there");
    window.click("Start");
    window.until("3 of 3 items · 1 failed");
    window.until("*.wav stands for 2 paths.");
}

#[test]
fn recent_inputs_are_added_again() {
    let mut window = Window::open();
    let kept = file(window.dir.path(), "kept.txt", b"abc");
    let gone = file(window.dir.path(), "gone.txt", b"abc");
    assert!(!window.is_enabled("Recent"));
    for path in [&kept, &gone] {
        window.type_into("Path", path.to_str().unwrap());
        window.click("Add");
    }
    std::fs::remove_file(&gone).unwrap();
    let mut window = window.reopen();
    assert!(window.shows("0 inputs"));
    window.click("Recent");
    window.until(&format!("{} is not there", gone.display()));
    window.click(&format!("Add {}", kept.display()));
    window.until("1 input");
    window.click("Recent");
    window.click("Clear recent");
    window.until_it(|window| !window.is_enabled("Recent"), "no recent inputs");
}

#[test]
fn results_go_where_the_form_says_in_full() {
    let dir = tempfile::tempdir().unwrap();
    let image = file(dir.path(), "a.pgm", b"P5 1 1 255\nx");
    let out = dir.path().join("out");
    // From the folder of this program, as a relative path.
    let here = std::env::current_dir().unwrap();
    let up: std::path::PathBuf = here.ancestors().skip(1).map(|_| "..").collect();
    let relative = up.join(out.strip_prefix("/").unwrap());
    let mut window = Window::open_in(dir, &[image]);
    window.choose("Job", "Images");
    window.type_into("Save to", relative.to_str().unwrap());
    let full = std::path::absolute(&relative).unwrap();
    window.until(&format!("Results go to {}", full.display()));
    window.click("Start");
    window.until("1 of 1 item");
    window.until(&format!("{}", full.join("a.pgm").display()));
    assert!(out.join("a.pgm").exists());
}

#[test]
fn preview_of_a_command_has_the_first_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(dir.path(), "it's.wav", b"");
    let folder = dir.path().display().to_string();
    let mut window = Window::open_in(dir, &[path]);
    window.choose("Job", "Command");
    window.type_into("Command line", "flac -o {stem}.flac {}");
    window.until(&format!("flac -o \"it's.flac\" \"{folder}/it's.wav\""));
    window.until(&format!(
        "Working directory: {}",
        std::env::current_dir().unwrap().display()
    ));
}

#[test]
fn choices_are_saved_when_they_are_made() {
    let mut window = Window::open();
    let settings = window.dir.path().join("settings.json");
    window.type_into("Path", "/nowhere/else");
    window.click("Add");
    let is_saved = |text: &str| {
        std::fs::read_to_string(&settings).is_ok_and(|settings| settings.contains(text))
    };
    window.until_it(
        |_| is_saved("/nowhere/else"),
        "the recent input in the file",
    );
    window.click("Lessons");
    window.click("join");
    window.set("Speed", 20.0);
    window.click("Run");
    let is_done = |_: &Window| {
        let text = std::fs::read_to_string(&settings).unwrap_or_default();
        let state: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        state["lessons"]["done"][0] == "join"
    };
    window.until_it(is_done, "the progress in the file");
}

#[test]
#[cfg(target_os = "linux")]
fn files_of_another_start_join_the_inputs() {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use meanwhile::app::instance::{Start, start};
    use meanwhile::join;

    let runtime = tempfile::tempdir().unwrap();
    std::fs::set_permissions(runtime.path(), Permissions::from_mode(0o700)).unwrap();
    let Start::First(instance) = start(runtime.path(), "test", Vec::new()) else {
        panic!("it is the first");
    };
    let dir = tempfile::tempdir().unwrap();
    let list = file(dir.path(), "SHA256SUMS", b"");
    let mut window = Window::open_with_instance(dir, instance);
    window.click("Settings");
    for (files, shown) in [
        (vec![list.clone()], "1 input"),
        (Vec::new(), "1 input"),
        (vec![list, "/nowhere".into()], "2 inputs"),
    ] {
        let at = runtime.path().to_owned();
        let again = join::spawn_owned("again", move |_| start(&at, "test", files)).unwrap();
        window.until_it(|_| again.is_finished(), "the answer");
        let again = again
            .join_timeout_into(std::time::Duration::ZERO)
            .unwrap()
            .unwrap();
        assert!(matches!(again, Start::Handed), "{again:?}");
        window.until(shown);
    }
    assert_eq!(window.named("Job").value().as_deref(), Some("Verify"));
    assert!(!window.shows("#1"), "nothing is started");
    window.close();
    let later = start(runtime.path(), "test", Vec::new());
    assert!(matches!(later, Start::First(_)), "{later:?}");
}

#[test]
fn cut_name_keeps_its_flags_and_accents_whole() {
    // Each is more than one char.
    let letters = [
        "\u{1f1e8}\u{1f1ed}",
        "e\u{301}\u{323}",
        "\u{1f469}\u{200d}\u{1f680}",
    ];
    let name = letters.concat().repeat(40) + ".txt";
    let mut window = Window::open();
    // The fonts of the tests have no flags.
    let policy = egui::MissingGlyphPolicy::Tofu;
    window.harness.ctx.set_missing_glyph_policy(policy);
    let dropped = Arc::new(Dropped(PathBuf::from(format!("/folder/{name}"))));
    window.harness.input_mut().dropped_files.push(dropped);
    window.until("1 input");
    window.step();
    let texts = window.harness.output().shapes.iter().filter_map(|clipped| {
        let egui::Shape::Text(text) = &clipped.shape else {
            return None;
        };
        Some(text.galley.text().to_owned())
    });
    let cut: Vec<_> = texts
        .filter(|text| text.contains("…") && text.contains(letters[1]))
        .collect();
    assert!(!cut.is_empty(), "no name is cut");
    for text in cut {
        let (begin, end) = text.split_once('…').expect("it is cut");
        let starts = || letters.iter().any(|letter| end.starts_with(letter));
        assert!(
            letters.iter().any(|letter| begin.ends_with(letter)),
            "{begin}"
        );
        assert!(end == ".txt" || ".txt".ends_with(end) || starts(), "{end}");
    }
}
