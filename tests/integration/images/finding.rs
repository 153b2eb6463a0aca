//! Which files of folders are images, and where their results go.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use meanwhile::jobs::RunOn;
use meanwhile::jobs::images::{IfExists, Options, Saved};

use super::{noise, photo, run, run_with_notes, saved_as, to};
use crate::util::files::{folder, write};

/// The names of the results below their folder, in the order of the images.
fn names(options: &Options, ends: &[Result<Saved, String>]) -> Vec<String> {
    let name = |end: &Result<Saved, String>| {
        let saved = end.as_ref().unwrap();
        let below = saved.saved_to.strip_prefix(&options.to).unwrap();
        below.to_str().unwrap().to_owned()
    };
    ends.iter().map(name).collect()
}

fn tree(root: &Path) -> PathBuf {
    for name in ["in/1.png", "in/2023/1.png", "in/2024/a/1.png", "more/1.png"] {
        saved_as(&noise(4, 4), root, name);
    }
    root.join("in")
}

#[test]
fn folders_of_the_inputs_are_kept() {
    let folder = folder();
    let (input, options) = (tree(folder.path()), to(folder.path()));
    let ends = run(&options, &[&input]);
    let expected = ["1.png", "2023/1.png", "2024/a/1.png"];
    assert_eq!(names(&options, &ends), expected);
}

#[test]
fn several_inputs_are_saved_below_their_names() {
    let folder = folder();
    let (input, options) = (tree(folder.path()), to(folder.path()));
    let file = saved_as(&noise(4, 4), folder.path(), "x.png");
    let ends = run(&options, &[&input, &folder.path().join("more"), &file]);
    let expected = [
        "in/1.png",
        "in/2023/1.png",
        "in/2024/a/1.png",
        "more/1.png",
        "x.png",
    ];
    assert_eq!(names(&options, &ends), expected);
}

#[test]
fn flat_results_are_numbered() {
    let folder = folder();
    let input = tree(folder.path());
    let options = Options {
        flatten: true,
        existing: IfExists::Number,
        ..to(folder.path())
    };
    let ends = run(&options, &[&input]);
    assert_eq!(names(&options, &ends), ["1.png", "1-2.png", "1-3.png"]);
}

#[test]
fn results_within_an_input_are_never_its_images() {
    let folder = folder();
    let input = tree(folder.path());
    let link = folder.path().join("link");
    symlink(&input, &link).unwrap();
    let options = Options {
        existing: IfExists::Overwrite,
        to: link.join("small"),
        ..Options::default()
    };
    for _ in 0..2 {
        let ends = run(&options, &[&input]);
        let expected = ["1.png", "2023/1.png", "2024/a/1.png"];
        assert_eq!(names(&options, &ends), expected);
    }
}

#[test]
fn result_through_a_linked_folder_is_no_input() {
    let folder = folder();
    let input = tree(folder.path());
    let before = fs::read(input.join("2023/1.png")).unwrap();
    let options = Options {
        existing: IfExists::Overwrite,
        greyscale: true,
        ..to(folder.path())
    };
    fs::create_dir(&options.to).unwrap();
    symlink(input.join("2023"), options.to.join("2023")).unwrap();
    let ends = run(&options, &[&input]);
    assert_eq!(ends[1], Err("same_folder".to_owned()));
    assert!(fs::read(input.join("2023/1.png")).unwrap() == before);
}

#[test]
fn images_that_have_results_are_skipped() {
    let folder = folder();
    let (input, options) = (tree(folder.path()), to(folder.path()));
    let skip = Options {
        existing: IfExists::Skip,
        ..options.clone()
    };
    let (ends, notes) = run_with_notes(RunOn::Pool, &skip, &[&input]);
    assert_eq!((ends.len(), notes.len()), (3, 0));
    fs::remove_file(options.to.join("2023/1.png")).unwrap();
    let (ends, notes) = run_with_notes(RunOn::Pool, &skip, &[&input]);
    assert_eq!(names(&options, &ends), ["2023/1.png"]);
    assert_eq!(notes, ["2 images were left out: their results exist."]);
}

#[test]
fn images_that_cannot_be_read_are_noted() {
    let folder = folder();
    let input = folder.path().join("in");
    saved_as(&photo(8, 8), folder.path(), "in/1.jpg");
    fs::rename(input.join("1.jpg"), input.join("1.JPE")).unwrap();
    for name in ["2.HEIC", "3.heic", "4.avif", "notes.txt"] {
        write(&input, name, "something");
    }
    let options = to(folder.path());
    let (ends, notes) = run_with_notes(RunOn::Pool, &options, &[&input]);
    assert_eq!(names(&options, &ends), ["1.JPE"]);
    let input = input.display();
    let avif = format!("{input}/4.avif was left out: AVIF files can't be read here.");
    let heic =
        format!("2 HEIC files were left out, such as {input}/2.HEIC: they can't be read here.");
    assert_eq!(notes, [avif, heic]);
}

#[test]
fn folder_without_images_is_noted() {
    let folder = folder();
    write(folder.path(), "in/notes.txt", "something");
    let input = folder.path().join("in");
    let (ends, notes) = run_with_notes(RunOn::Pool, &to(folder.path()), &[&input]);
    assert_eq!(ends, []);
    assert_eq!(
        notes,
        [format!("The folder {} has no images.", input.display())]
    );
}
