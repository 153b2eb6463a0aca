//! What a package has beside the programs, as `meanwhile-dist` writes it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use meanwhile::jobs::checksum;
use serde_json::Value;
use tempfile::TempDir;

fn share() -> TempDir {
    let share = tempfile::tempdir().expect("a folder for the test");
    let dist = Command::new(env!("CARGO_BIN_EXE_meanwhile-dist"))
        .arg("share")
        .arg(share.path())
        .status();
    assert!(dist.expect("it starts").success());
    share
}

fn notes(version: &str) -> Output {
    let dist = Command::new(env!("CARGO_BIN_EXE_meanwhile-dist"))
        .args(["notes", version])
        .output();
    dist.expect("it starts")
}

fn asset(name: &str) -> Vec<u8> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(name);
    fs::read(&assets).unwrap_or_else(|error| panic!("{}: {error}", assets.display()))
}

/// The values of an attribute, such as `pattern="…"`, in the order of the file.
fn attributes<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    let values = xml.split(&start).skip(1);
    values.filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn each_command_has_a_page_with_its_exit_codes() {
    let share = share();
    let page = |name: &str| {
        let path = share.path().join(format!("man/man1/{name}.1"));
        let page = fs::read_to_string(&path);
        page.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let mut commands = vec![("meanwhile".to_owned(), meanwhile::cli::command())];
    while let Some((name, command)) = commands.pop() {
        if command.is_hide_set() {
            continue;
        }
        let has_codes = page(&name).contains("Exit codes");
        assert!(has_codes || command.has_subcommands(), "{name}");
        let below = command.get_subcommands();
        commands.extend(below.map(|it| (format!("{name}-{}", it.get_name()), it.clone())));
    }
}

#[test]
fn completions_know_the_commands_and_no_hidden_one() {
    let share = share();
    for name in [
        "bash-completion/completions/meanwhile",
        "fish/vendor_completions.d/meanwhile.fish",
        "zsh/vendor-completions/_meanwhile",
    ] {
        let script = fs::read_to_string(share.path().join(name)).expect(name);
        for word in ["run", "checksum", "--join-timeout", "why", "new-window"] {
            assert!(
                script.contains(word.trim_start_matches("--")),
                "{name}: {word}"
            );
        }
        for hidden in ["lesson-child", "twin"] {
            assert!(!script.contains(hidden), "{name}: {hidden}");
        }
    }
}

#[test]
fn icons_of_all_sizes_are_those_of_the_window() {
    let share = share();
    for size in [16, 22, 24, 32, 48, 64, 128, 256, 512] {
        let name = format!("icons/hicolor/{size}x{size}/apps/meanwhile.png");
        let icon = fs::read(share.path().join(&name)).expect(&name);
        let sides = [&icon[16..20], &icon[20..24]];
        let sides = sides.map(|side| u32::from_be_bytes(side.try_into().expect("four bytes")));
        assert_eq!(sides, [size; 2]);
        let is_of_the_window = icon == asset("meanwhile.png");
        assert_eq!(is_of_the_window, size == 256, "{name}");
    }
}

#[test]
fn desktop_opens_what_the_program_takes_for_lists() {
    let share = share();
    let read = |name: &str| fs::read_to_string(share.path().join(name)).expect(name);
    let kinds = read("mime/packages/meanwhile.xml");
    let patterns = attributes(&kinds, "pattern");
    assert!(patterns.len() > 20, "{patterns:?}");
    for pattern in patterns {
        let name = pattern.replace('*', "disk.iso");
        assert!(checksum::is_likely_list(name.as_ref()), "{name}");
    }
    let kind = attributes(&kinds, "type")[0].to_owned();
    let entry = read("applications/meanwhile.desktop");
    assert!(entry.contains(&format!("\nMimeType={kind};\n")), "{entry}");
    // A folder is opened by the file manager.
    assert!(!entry.contains("inode/directory"), "{entry}");
}

#[test]
fn notes_are_of_one_version_alone() {
    let first = notes("0.1.0");
    assert!(first.status.success(), "{first:?}");
    let first = String::from_utf8(first.stdout).expect("it is text");
    assert!(
        first.starts_with("### Added\n- **The join library**"),
        "{first}"
    );
    assert!(!first.contains("\n## "), "{first}");
    assert!(!first.contains("Unreleased"), "{first}");
    let none = notes("0.0.7");
    assert_eq!(none.status.code(), Some(1));
    let message = String::from_utf8_lossy(&none.stderr);
    assert_eq!(message, "CHANGELOG.md has no version 0.0.7; add it\n");
}

#[test]
fn newest_release_has_one_version_and_one_date() {
    let metainfo = asset("io.github.meanwhile.metainfo.xml");
    let metainfo = String::from_utf8(metainfo).expect("it is text");
    let releases = metainfo
        .split_once("<releases>")
        .expect("it has releases")
        .1;
    let version = attributes(releases, "version")[0];
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let date = attributes(releases, "date")[0];
    let changelog = String::from_utf8(asset("../CHANGELOG.md")).expect("it is text");
    let mut headings = changelog.lines().filter_map(|it| it.strip_prefix("## "));
    let newest = headings.find(|heading| *heading != "Unreleased");
    assert_eq!(newest, Some(&*format!("{version} - {date}")));
}

/// The packages of others in the programs for Linux, such as `egui 0.37.0`.
fn packages_inside() -> BTreeSet<String> {
    let tree = Command::new(env!("CARGO"))
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .args([
            "tree",
            "--locked",
            "-p",
            "meanwhile",
            "-p",
            "meanwhile-supervise",
        ])
        .args(["--edges", "normal,no-proc-macro", "--prefix", "none"])
        .args(["--format", "{p}", "--target", "x86_64-unknown-linux-gnu"])
        .output()
        .expect("it starts");
    assert!(tree.status.success(), "{tree:?}");
    let tree = String::from_utf8(tree.stdout).expect("it is text");
    let lines = tree.lines().filter(|line| !line.starts_with("meanwhile"));
    let package = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        Some(format!("{name} {}", words.next()?.trim_start_matches('v')))
    };
    lines.filter_map(package).collect()
}

/// A file that `assets/dist.sh` has made.
fn made(name: &str) -> String {
    let dist = std::env::var_os("MEANWHILE_TEST_DIST").expect("the folder that dist.sh has filled");
    let path = Path::new(&dist).join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
#[ignore = "needs the packages; tests/all.sh runs it"]
fn each_package_inside_has_its_licence_text() {
    let licences = made("share/doc/meanwhile/third-party-licences.txt");
    let texts: Vec<_> = licences.split(&"#".repeat(79)).skip(1).collect();
    assert!(texts.iter().all(|text| text.len() > 300), "one is empty");
    let packages = packages_inside();
    assert!(packages.len() > 300, "{packages:?}");
    for package in packages {
        let line = format!("\n    {package} (");
        assert!(texts.iter().any(|text| text.contains(&line)), "{package}");
    }
    for font in ["SIL Open Font License 1.1", "Ubuntu Font Licence v1.0"] {
        let is_font = |text: &&&str| text.contains(font) && text.contains("epaint_default_fonts");
        assert_eq!(texts.iter().filter(is_font).count(), 1, "{font}");
    }
}

#[test]
#[ignore = "needs the packages; tests/all.sh runs it"]
fn bill_of_materials_has_each_package_inside() {
    let version = env!("CARGO_PKG_VERSION");
    let bill: Value =
        serde_json::from_str(&made(&format!("meanwhile-{version}.cdx.json"))).expect("it is JSON");
    let components = bill["components"].as_array().expect("it has components");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let listed: BTreeSet<_> = components
        .iter()
        .map(|component| {
            format!(
                "{} {}",
                text(&component["name"]),
                text(&component["version"])
            )
        })
        .collect();
    let missing: Vec<_> = packages_inside().difference(&listed).cloned().collect();
    assert_eq!(missing, [""; 0]);
}
