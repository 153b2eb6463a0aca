//! The settings file: read again as it was saved, whatever happens to the program or to the file.

#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for the child that it killed"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use meanwhile::app::{State, Store};
use meanwhile::pages::workbench::Choices;

use crate::util::child::{killable_folder, start_killable};
use crate::util::files::{folder, run};

/// Far beyond what a save takes.
const LIMIT: Duration = Duration::from_mins(1);

/// How often a program is killed while it saves.
const KILLS: usize = 200;

/// More looks at the folder than a save takes.
const MANY_LOOKS: usize = 10_000;

/// The settings that are saved as the `number`th. No two have the same length, and they are long
/// enough that a save is more than one write.
fn version(number: u32) -> State {
    State {
        choices: Choices {
            timeout_secs: f64::from(number),
            ..Choices::default()
        },
        panes: number.to_string().repeat(10_000 + number as usize),
        ..State::default()
    }
}

/// Which version it is, checked to the last byte.
#[track_caller]
fn number_of(state: &State) -> u32 {
    let is_it = |number: &u32| f64::from(*number).to_bits() == state.choices.timeout_secs.to_bits();
    let number = (1..=86_400).find(is_it).expect("one of the versions");
    assert!(
        *state == version(number),
        "version {number} is not what was saved"
    );
    number
}

/// The names in the folder that are not the settings themselves.
fn leftovers(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is ours");
    entries
        .map(|entry| entry.expect("the folder is ours").path())
        .filter(|path| path.file_name() != Some("settings.json".as_ref()))
        .collect()
}

/// Makes a file look as if an hour had passed since it was written.
fn age(path: &Path) {
    let file = fs::File::options().write(true).open(path);
    let hour_ago = SystemTime::now() - Duration::from_hours(1);
    file.and_then(|file| file.set_modified(hour_ago))
        .expect("the file is ours");
}

/// Saves one version after the other and says so, until it is killed.
fn save_for_ever(folder: &Path) {
    let (mut store, state, notice) = Store::open(folder);
    assert_eq!(notice, None);
    for number in number_of(&state) + 1.. {
        store.finish(&version(number), LIMIT);
        writeln!(std::io::stderr(), "saved {number}").expect("the parent reads");
    }
}

/// Reads what the child says up to the next version that it saved. `None` at its end.
fn next_saved(said: &mut impl Iterator<Item = std::io::Result<String>>) -> Option<u32> {
    let line = said.next()?.expect("the child writes text");
    let number = line
        .strip_prefix("saved ")
        .and_then(|number| number.parse().ok());
    Some(number.unwrap_or_else(|| panic!("the child said: {line}")))
}

/// Lets a child save and kills it: after a report, further on by a varied number of looks at the
/// folder, or as soon as a temporary file is there. Returns the last version that it reported.
fn save_and_kill(name: &str, folder: &Path, round: usize) -> Option<u32> {
    let mut child = start_killable(name, folder);
    let mut said = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut last = None;
    for _ in 0..round % 3 {
        last = next_saved(&mut said);
        assert!(last.is_some(), "the child ended by itself");
    }
    let looks = match round % 4 {
        0 => 0,
        1 => round,
        _ => MANY_LOOKS,
    };
    for _ in 0..looks {
        let is_running = child.try_wait().expect("it is our child").is_none();
        assert!(is_running, "the child ended by itself");
        if !leftovers(folder).is_empty() {
            break;
        }
    }
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
    while let Some(number) = next_saved(&mut said) {
        last = Some(number);
    }
    last
}

#[test]
fn settings_survive_two_hundred_kills_during_a_save() {
    let name = "settings::settings_survive_two_hundred_kills_during_a_save";
    if let Some(folder) = killable_folder(name) {
        return save_for_ever(&folder);
    }
    let folder = folder();
    let (mut store, ..) = Store::open(folder.path());
    store.finish(&version(1), LIMIT);
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
fn a_save_removes_what_killed_saves_left_and_nothing_else() {
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
    store.finish(&version(1), LIMIT);
    assert!(!old.exists(), "nobody writes to it any more");
    assert!(young.exists(), "another program may be about to rename it");
    assert!(others.iter().all(|file| file.exists()), "they are not ours");
}

/// What opening a settings file of these bytes gives: the state, if they were taken without a word.
/// Otherwise the defaults are there with a notice, and the bytes are kept aside.
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
    store.finish(&state, LIMIT);
    fs::read(folder.join("settings.json")).expect("they are saved")
}

#[test]
fn settings_cut_off_anywhere_are_kept_aside_and_said_so() {
    let folder = folder();
    let whole = settings_with_everything(folder.path());
    for length in 0..whole.len() {
        assert_eq!(opened(folder.path(), &whole[..length]), None, "{length}");
    }
    assert!(opened(folder.path(), &whole).is_some());
}

#[test]
fn settings_with_any_bit_flipped_are_kept_aside_or_in_range() {
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
fn settings_without_sense_are_kept_aside() {
    let folder = folder();
    let nested = vec![b'['; 1 << 20];
    for bytes in [&b""[..], b"\0", b"null", b"17", b"\xff\xfe", &nested] {
        assert_eq!(opened(folder.path(), bytes), None);
    }
}

/// Opens the folder's settings, which are to be refused unread for this reason.
#[track_caller]
fn expect_refused(folder: &Path, reason: &str) {
    let (_, state, notice) = Store::open(folder);
    assert_eq!(state, State::default());
    let text = notice.expect("it is said").text;
    assert!(text.contains(reason), "{text}");
    assert!(folder.join("settings.json.damaged-1").exists());
}

#[test]
fn settings_that_would_take_all_memory_are_kept_aside_unread() {
    let folder = folder();
    let file = fs::File::create(folder.path().join("settings.json")).unwrap();
    file.set_len(1 << 40).unwrap();
    expect_refused(folder.path(), "far larger than settings are");
}

#[test]
fn settings_that_would_be_waited_for_are_kept_aside_unread() {
    let folder = folder();
    assert!(run(folder.path(), "mkfifo", &["settings.json".as_ref()]).0);
    expect_refused(folder.path(), "not a regular file");
}
