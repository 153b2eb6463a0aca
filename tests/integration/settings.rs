//! The settings file survives killed programs and damage.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for a child that it killed"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use meanwhile::app::{State, Store};
use meanwhile::jobs;
use meanwhile::pages::PageChoices;
use meanwhile::pages::freeze_lab::LabChoices;
use meanwhile::pages::settings::ThemeChoice;
use meanwhile::pages::workbench::Choices;
use meanwhile::ui::notices::{Notice, Severity};

use crate::util::child::{killable_folder, start_killable};
use crate::util::files::{folder, run};

/// Much longer than a save takes.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How often a program is killed while it saves.
const KILLS: usize = 200;

/// More folder listings than fit into a save.
const MAX_LISTINGS: usize = 10_000;

/// The settings of the `number`th save. All differ in length, and a save takes more than one write.
fn version(number: u32) -> State {
    State {
        pages: PageChoices {
            choices: Choices {
                timeout_secs: f64::from(number),
                ..Choices::default()
            },
            ..PageChoices::default()
        },
        panes: number.to_string().repeat(10_000 + number as usize),
        ..State::default()
    }
}

/// The number of a version, which must be equal in every byte.
#[track_caller]
fn number_of(state: &State) -> u32 {
    let matches =
        |number: &u32| f64::from(*number).to_bits() == state.pages.choices.timeout_secs.to_bits();
    let number = (1..=86_400).find(matches).expect("one of the versions");
    assert!(*state == version(number), "version {number} was changed");
    number
}

/// The other files in the folder.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is ours");
    entries
        .map(|entry| entry.expect("the folder is ours").path())
        .filter(|path| path.file_name() != Some("settings.json".as_ref()))
        .collect()
}

/// Sets the time of a file to an hour ago.
fn age(path: &Path) {
    let file = fs::File::options().write(true).open(path);
    let hour_ago = SystemTime::now() - Duration::from_hours(1);
    file.and_then(|file| file.set_modified(hour_ago))
        .expect("the file is ours");
}

/// Saves one version after the other and reports each, until it is killed.
fn save_in_a_loop(folder: &Path) {
    let (mut store, state, notice) = Store::open(folder);
    assert_eq!(notice, None);
    for number in number_of(&state) + 1.. {
        store.finish(&version(number), TIMEOUT);
        writeln!(std::io::stderr(), "saved {number}").expect("the parent reads");
    }
}

/// The next version that the child reports, or `None` at its end.
fn next_saved(lines: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<u32> {
    let line = lines.next()?.expect("the child writes text");
    let number = line
        .strip_prefix("saved ")
        .and_then(|number| number.parse().ok());
    Some(number.unwrap_or_else(|| panic!("the child printed: {line}")))
}

/// Lets a child save and kills it: after a report and a varied number of folder listings, or as
/// soon as a temporary file exists. Returns the last version that the child reported.
fn save_and_kill(name: &str, folder: &Path, round: usize) -> Option<u32> {
    let mut child = start_killable(name, folder);
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut last = None;
    for _ in 0..round % 3 {
        last = next_saved(&mut lines);
        assert!(last.is_some(), "the child ended by itself");
    }
    let listings = match round % 4 {
        0 => 0,
        1 => round,
        _ => MAX_LISTINGS,
    };
    for _ in 0..listings {
        let is_running = child.try_wait().expect("it is our child").is_none();
        assert!(is_running, "the child ended by itself");
        if !leftovers(folder).is_empty() {
            break;
        }
    }
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
    while let Some(number) = next_saved(&mut lines) {
        last = Some(number);
    }
    last
}

#[test]
fn settings_survive_200_kills_during_a_save() {
    let name = "settings::settings_survive_200_kills_during_a_save";
    if let Some(folder) = killable_folder(name) {
        return save_in_a_loop(&folder);
    }
    let folder = folder();
    let (mut store, ..) = Store::open(folder.path());
    store.finish(&version(1), TIMEOUT);
    let (mut number, mut cut_short) = (1, 0);
    for round in 0..KILLS {
        let reported = save_and_kill(name, folder.path(), round).unwrap_or(number);
        let (_, state, notice) = Store::open(folder.path());
        assert_eq!(notice, None, "kill {round}");
        let found = number_of(&state);
        assert!(
            (reported..=reported + 1).contains(&found),
            "kill {round}: version {reported} was reported, version {found} is there"
        );
        number = found;
        let left = leftovers(folder.path());
        cut_short += left.len();
        assert!(left.len() <= 1, "kill {round} left {left:?}");
        for path in &left {
            age(path);
        }
    }
    assert!(
        cut_short > KILLS / 10,
        "only {cut_short} saves were cut short"
    );
}

#[test]
fn save_removes_only_files_of_killed_saves() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let (old, young, others) = (
        path(".settings.json.aB3xY9"),
        path(".settings.json.aB3xY8"),
        [
            path(".settings.json.backups"),
            path(".settings.json.a-3xY9"),
            path("settings.json.damaged-1"),
            path(".other.json.aB3xY9"),
        ],
    );
    for file in others.iter().chain([&old, &young]) {
        fs::write(file, "half").unwrap();
        if *file != young {
            age(file);
        }
    }
    let (mut store, ..) = Store::open(folder.path());
    store.finish(&version(1), TIMEOUT);
    assert!(!old.exists(), "its writer is gone");
    assert!(young.exists(), "another program may be about to rename it");
    assert!(
        others.iter().all(|file| file.exists()),
        "they belong to others"
    );
}

/// Opens a settings file with these bytes. Returns the state if they were accepted. Otherwise there
/// must be the defaults, a notice, and a copy of the bytes.
fn opened(folder: &Path, bytes: &[u8]) -> Option<State> {
    let path = folder.join("settings.json");
    fs::write(&path, bytes).expect("the folder is ours");
    let (_, state, notice) = Store::open(folder);
    let Some(notice) = notice else {
        assert!(leftovers(folder).is_empty());
        return Some(state);
    };
    assert_eq!(state, State::default());
    let aside = folder.join("settings.json.damaged-1");
    assert!(
        notice.text.contains(aside.to_str().expect("a plain name")),
        "{notice:?}"
    );
    assert_eq!(fs::read(&aside).expect("it is kept"), bytes);
    assert!(!path.exists());
    fs::remove_file(aside).expect("the folder is ours");
    None
}

fn settings_with_everything(folder: &Path) -> Vec<u8> {
    let (mut store, ..) = Store::open(folder);
    let state = State {
        window: Some(meanwhile::app::WindowPlace {
            position: Some([10.5, 20.0]),
            size: [1180.0, 780.0],
            maximized: false,
        }),
        panes: "({})".to_owned(),
        ..version(3)
    };
    store.finish(&state, TIMEOUT);
    fs::read(folder.join("settings.json")).expect("they are saved")
}

#[test]
fn settings_cut_off_anywhere_are_moved_aside() {
    let folder = folder();
    let whole = settings_with_everything(folder.path());
    for length in 0..whole.len() {
        assert_eq!(opened(folder.path(), &whole[..length]), None, "{length}");
    }
    assert!(opened(folder.path(), &whole).is_some());
}

#[test]
fn settings_with_flipped_bits_are_sane_or_moved_aside() {
    let folder = folder();
    let whole = settings_with_everything(folder.path());
    let mut refused = 0;
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match opened(folder.path(), &bytes) {
            Some(state) => assert_eq!(state, state.clone().sanitized(), "bit {bit}"),
            None => refused += 1,
        }
    }
    assert!(refused > 0);
}

#[test]
fn meaningless_settings_are_moved_aside() {
    let folder = folder();
    let nested = vec![b'['; 1 << 20];
    for bytes in [&b""[..], b"\0", b"null", b"17", b"\xff\xfe", &nested] {
        assert_eq!(opened(folder.path(), bytes), None);
    }
}

/// Opens the settings, which must be refused unread for this reason.
#[track_caller]
fn expect_refused(folder: &Path, reason: &str) {
    let (_, state, notice) = Store::open(folder);
    assert_eq!(state, State::default());
    let Notice { severity, text, .. } = notice.expect("there is a notice");
    assert_eq!(severity, Severity::Warning);
    assert!(text.contains(reason), "{text}");
    assert!(folder.join("settings.json.damaged-1").exists());
}

#[test]
fn huge_settings_are_moved_aside_unread() {
    let folder = folder();
    let file = fs::File::create(folder.path().join("settings.json")).unwrap();
    file.set_len(1 << 40).unwrap();
    expect_refused(folder.path(), "too large for a settings file");
}

#[test]
fn settings_in_a_fifo_are_moved_aside_unread() {
    let folder = folder();
    assert!(run(folder.path(), "mkfifo", &["settings.json".as_ref()]).0);
    expect_refused(folder.path(), "not a regular file");
}

#[test]
fn edited_choices_are_sanitized() {
    let edited = Choices {
        chosen: 99,
        timeout_secs: f64::NAN,
        ..Choices::default()
    };
    let choices = edited.sanitized();
    assert_eq!(choices.options(), jobs::catalogue().last().unwrap());
    let default = Choices::default().timeout_secs;
    assert!(choices.timeout_secs.total_cmp(&default).is_eq());
    let lab = LabChoices {
        secs: f64::NAN,
        repeat: 0,
        ..LabChoices::default()
    };
    assert_eq!(lab.sanitized(), LabChoices::default());
}

#[test]
fn choices_of_a_version_with_fewer_jobs_are_kept() {
    let last = Choices::default().jobs.pop().unwrap();
    let older = Choices {
        jobs: vec![last.clone()],
        ..Choices::default()
    };
    assert_eq!(*older.sanitized().options(), last);
}

#[test]
fn file_has_the_choices_of_each_page_by_name() {
    let file = serde_json::to_value(State::default()).unwrap();
    for name in ["choices", "lab", "lessons", "settings"] {
        assert!(file[name].is_object(), "{name} in {file:#}");
    }
    let edited = r#"{ "version": 1, "settings": { "theme": "dark" } }"#;
    let state: State = serde_json::from_str(edited).unwrap();
    assert_eq!(state.pages.settings.theme, ThemeChoice::Dark);
    assert_eq!(state.pages.choices, Choices::default());
}

#[test]
fn saved_state_is_read_again() {
    let dir = folder();
    let (mut store, mut state, notice) = Store::open(dir.path());
    assert_eq!(notice, None);
    state.pages.settings.theme = ThemeChoice::Dark;
    state.pages.choices.timeout_secs = 7.5;
    store.finish(&state, TIMEOUT);

    let (_, read, notice) = Store::open(dir.path());
    assert_eq!(notice, None);
    assert_eq!(read, state);
}

#[test]
fn damaged_file_is_moved_aside_under_a_free_name() {
    let dir = folder();
    for number in 1..=2 {
        fs::write(dir.path().join("settings.json"), b"{ \"version\": 1, ").unwrap();
        let (_, state, notice) = Store::open(dir.path());
        assert_eq!(state, State::default());
        let aside = dir.path().join(format!("settings.json.damaged-{number}"));
        assert!(notice.unwrap().text.contains(aside.to_str().unwrap()));
        assert_eq!(fs::read(aside).unwrap(), b"{ \"version\": 1, ");
    }
}

#[test]
fn file_of_a_newer_version_is_moved_aside() {
    let dir = folder();
    fs::write(dir.path().join("settings.json"), br#"{"version": 99}"#).unwrap();
    let (_, state, notice) = Store::open(dir.path());
    assert_eq!(state, State::default());
    assert!(notice.unwrap().text.contains("newer version"));
    assert!(!dir.path().join("settings.json").exists());
}

#[test]
fn values_out_of_range_are_corrected() {
    let dir = folder();
    let text = br#"{"version":1,"choices":{"workers":0,"chosen":77,"timeout_secs":-3.0},
        "settings":{"zoom":900.0},"window":{"position":null,"size":[1.0,1e30],"maximized":false}}"#;
    fs::write(dir.path().join("settings.json"), text).unwrap();
    let (_, state, notice) = Store::open(dir.path());
    assert_eq!(notice, None);
    assert_eq!(state.pages.choices.workers, 1);
    assert_eq!(
        state.pages.choices.chosen,
        state.pages.choices.jobs.len() - 1
    );
    assert!(state.pages.choices.timeout_secs > 0.0);
    assert!((state.pages.settings.zoom - 1.0).abs() < 1e-6);
    assert_eq!(state.window, None);
}
