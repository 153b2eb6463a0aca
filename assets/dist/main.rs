//! Writes the folder `share` of a package: man pages, completions for shells, icons in all sizes, the
//! desktop entry, and the kinds of files that Meanwhile opens. Or prints what is new in a version.
//!
//! `assets/dist.sh` calls it. The programs themselves are not among what it writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use clap_complete::Shell;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

const CHANGELOG: &str = include_str!("../../CHANGELOG.md");

const ICON: &str = include_str!("../meanwhile.svg");

/// The sizes of icons that desktops look for, in pixels.
const ICON_SIZES: [u32; 9] = [16, 22, 24, 32, 48, 64, 128, 256, 512];

/// The files that are packaged as they are.
const FILES: [(&str, &[u8]); 4] = [
    (
        "applications/meanwhile.desktop",
        include_bytes!("../meanwhile.desktop"),
    ),
    ("icons/hicolor/scalable/apps/meanwhile.svg", ICON.as_bytes()),
    (
        "metainfo/io.github.meanwhile.metainfo.xml",
        include_bytes!("../io.github.meanwhile.metainfo.xml"),
    ),
    (
        "mime/packages/meanwhile.xml",
        include_bytes!("../meanwhile-mime.xml"),
    ),
];

/// Where each shell looks for the completions of installed programs.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/meanwhile"),
    (Shell::Fish, "fish/vendor_completions.d/meanwhile.fish"),
    (Shell::Zsh, "zsh/vendor-completions/_meanwhile"),
];

/// Writes what a package of Meanwhile has beside its programs.
#[derive(clap::Parser)]
enum Arguments {
    /// Write the folder `share` of a package.
    Share { folder: PathBuf },
    /// Print what a version brings, as Markdown.
    Notes { version: String },
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for the terminal"
)]
fn main() -> ExitCode {
    let done = match Arguments::parse() {
        Arguments::Share { folder } => write_share(&folder),
        Arguments::Notes { version } => notes(&version).map(|notes| println!("{notes}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// What the changelog says of this version.
fn notes(version: &str) -> anyhow::Result<&'static str> {
    let changelog = parse_changelog::parse(CHANGELOG).context("CHANGELOG.md can't be read")?;
    let release = changelog.get(version);
    let release =
        release.with_context(|| format!("CHANGELOG.md has no version {version}; add it"))?;
    Ok(release.notes)
}

fn write_share(share: &Path) -> anyhow::Result<()> {
    for (name, content) in FILES {
        write(&share.join(name), content)?;
    }
    let icon = Tree::from_str(ICON, &Options::default()).context("The icon can't be read")?;
    for size in ICON_SIZES {
        let name = format!("icons/hicolor/{size}x{size}/apps/meanwhile.png");
        write(&share.join(name), &drawn(&icon, size)?)?;
    }
    for (shell, name) in COMPLETIONS {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut command(), "meanwhile", &mut script);
        write(&share.join(name), &script)?;
    }
    write_man_pages(&share.join("man/man1"))
}

/// The icon as a PNG of this many pixels on each side.
fn drawn(icon: &Tree, size: u32) -> anyhow::Result<Vec<u8>> {
    let mut pixels = Pixmap::new(size, size).context("An icon has no size")?;
    let size = icon.size();
    let scale = Transform::from_scale(
        pixels.width() as f32 / size.width(),
        pixels.height() as f32 / size.height(),
    );
    resvg::render(icon, scale, &mut pixels.as_mut());
    pixels.encode_png().context("An icon can't be written")
}

/// One page for each command, such as `meanwhile-run-checksum.1`.
fn write_man_pages(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    clap_mangen::generate_to(command(), folder)
        .with_context(|| format!("The man pages can't be written to {}", folder.display()))
}

/// The command line without what only the program itself uses.
fn command() -> clap::Command {
    meanwhile::cli::command().disable_help_subcommand(true)
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("A file is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("{} can't be made", folder.display()))?;
    fs::write(path, content).with_context(|| format!("{} can't be written", path.display()))
}
