//! Where results are saved, and what is never overwritten.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use meanwhile::jobs::images::{Format, IfExists, Options, Resize};
use meanwhile::jobs::{Item, Job as _, Step};
use meanwhile::join::{self, JoinError};

use super::{noise, photo, run, run_on, run_one, saved_as, to};
use crate::util::child::in_child_with;
use crate::util::files::{self, folder, name, write};
use crate::util::test_board::PLACES;

#[test]
fn inputs_are_never_overwritten() {
    let folder = folder();
    let root = folder.path();
    let originals: Vec<PathBuf> = ["in/a.png", "in/b.png", "in/c.png"]
        .into_iter()
        .map(|name| saved_as(&noise(9, 9), root, name))
        .collect();
    let before: Vec<_> = originals
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    fs::create_dir(root.join("out")).unwrap();
    fs::hard_link(&originals[0], root.join("out/a.png")).unwrap();
    symlink("../in/b.png", root.join("out/b.png")).unwrap();
    // The result of the third would replace an image that the job has not read yet.
    let later = saved_as(&noise(5, 5), root, "out/c.png");
    let overwrite = Options {
        existing: IfExists::Overwrite,
        greyscale: true,
        ..to(root)
    };
    let inputs: Vec<&Path> = originals.iter().map(PathBuf::as_path).collect();
    let ends = run(&overwrite, &[&inputs[..], &[&later]].concat());
    let over = || Err("over_input".to_owned());
    assert_eq!(
        ends,
        [over(), over(), over(), Err("same_folder".to_owned())]
    );

    symlink("in", root.join("link")).unwrap();
    for to in ["in", "in/../in", "link", "out/../link/."] {
        let options = Options {
            to: root.join(to),
            ..overwrite.clone()
        };
        let ends = run(&options, &inputs[..1]);
        assert_eq!(ends, [Err("same_folder".to_owned())], "{to}");
    }
    let folder_itself = Options {
        to: root.join("link"),
        ..overwrite
    };
    let ends = run(&folder_itself, &[&root.join("in")]);
    assert_eq!(ends, [Err("same_folder".to_owned())]);
    let after: Vec<_> = originals
        .iter()
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert!(before == after);
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    assert_eq!(inode(&originals[0]), inode(&root.join("out/a.png")));
}

#[test]
fn existing_result_is_kept_numbered_or_replaced() {
    let folder = folder();
    let root = folder.path();
    let input = saved_as(&noise(9, 9), root, "in.png");
    let elsewhere = write(root, "elsewhere", "somebody's");
    fs::create_dir(root.join("out")).unwrap();
    symlink("../elsewhere", root.join("out/in.png")).unwrap();
    let with = |existing| Options {
        existing,
        ..to(root)
    };
    assert_eq!(
        run(&with(IfExists::Refuse), &[&input]),
        [Err("exists".to_owned())]
    );
    let numbered = run_one(&with(IfExists::Number), &input);
    assert_eq!(numbered, root.join("out/in-2.png"));
    assert_eq!(
        run_one(&with(IfExists::Number), &input),
        root.join("out/in-3.png")
    );
    // The link is replaced, not its target.
    let replaced = run_one(&with(IfExists::Overwrite), &input);
    assert_eq!(replaced, root.join("out/in.png"));
    assert!(!replaced.is_symlink());
    assert_eq!(fs::read(elsewhere).unwrap(), b"somebody's");
    let names = fs::read_dir(root.join("out")).unwrap().count();
    assert_eq!(names, 3, "a temporary file was left");
}

#[test]
fn images_of_equal_names_never_share_a_result() {
    let folder = folder();
    let root = folder.path();
    let first = saved_as(&noise(9, 9), root, "one/a.png");
    let second = saved_as(&noise(7, 7), root, "two/A.PNG");
    let inputs: [&Path; 2] = [&first, &second];
    for existing in [IfExists::Refuse, IfExists::Overwrite] {
        let options = Options {
            existing,
            to: root.join(existing.title()),
            ..Options::default()
        };
        let ends = run(&options, &inputs);
        assert_eq!(ends[0].as_ref().unwrap().width, 9);
        assert_eq!(ends[1], Err("same_name".to_owned()));
    }
    let options = Options {
        existing: IfExists::Number,
        ..to(root)
    };
    let ends = run(&options, &inputs);
    let written = |index: usize| {
        let saved = ends[index].as_ref().unwrap();
        image::image_dimensions(&saved.saved_to).unwrap().0
    };
    assert_eq!((written(0), written(1)), (9, 7));
}

/// Some file systems take a letter with an accent for the letter followed by that accent.
#[test]
fn composed_and_decomposed_names_are_the_same() {
    let folder = folder();
    let root = folder.path();
    let composed = saved_as(&noise(9, 9), root, "one/caf\u{e9}.png");
    let decomposed = saved_as(&noise(7, 7), root, "two/CAFE\u{301}.png");
    let ends = run(&to(root), &[&composed, &decomposed]);
    assert_eq!(ends[0].as_ref().unwrap().width, 9);
    assert_eq!(ends[1], Err("same_name".to_owned()));
}

#[test]
fn names_that_are_not_utf8_are_not_the_same() {
    let folder = folder();
    let root = folder.path();
    let image = saved_as(&noise(9, 9), root, "image.png");
    let inputs = [name(b"\xfe.png"), name(b"\xff.png")].map(|name| root.join(name));
    for input in &inputs {
        fs::copy(&image, input).unwrap();
    }
    let ends = run(&to(root), &[&inputs[0], &inputs[1]]);
    assert!(ends.iter().all(Result::is_ok), "{ends:?}");
}

#[test]
fn folder_of_results_is_not_walked() {
    let folder = folder();
    let root = folder.path();
    saved_as(&photo(8, 8), root, "a.png");
    saved_as(&photo(8, 8), root, "deep/er/b.jpg");
    write(root, "notes.txt", "no image");
    let (made, _) = files::run(root, "mkfifo", &[OsStr::new("pipe")]);
    assert!(made);
    let options = to(root);
    for ends in [
        [true, true],
        // The results exist now.
        [false, false],
    ] {
        let found = run(&options, &[root]);
        assert_eq!(found.iter().map(Result::is_ok).collect::<Vec<_>>(), ends);
    }
}

#[test]
fn images_are_edited_on_every_executor() {
    for place in PLACES {
        let folder = folder();
        let input = saved_as(&photo(8, 8), folder.path(), "in.png");
        let options = Options {
            to: folder.path().join(name(b"\xff out")),
            ..Options::default()
        };
        let ends = run_on(place, &options, &[&input]);
        let saved = ends[0].as_ref().unwrap();
        assert_eq!(saved.saved_to, options.to.join("in.png"), "{place:?}");
        assert_eq!(fs::metadata(&saved.saved_to).unwrap().len(), saved.bytes);
    }
}

#[test]
fn cancelled_image_is_not_saved() {
    let folder = folder();
    let input = saved_as(&photo(8, 8), folder.path(), "in.png");
    let options = to(folder.path());
    fs::create_dir(&options.to).unwrap();
    let out = options.to.clone();
    let task = join::spawn("image", move |context| {
        while !context.is_cancelled() {
            std::thread::yield_now();
        }
        let item = Item {
            input,
            bytes: 0,
            step: Step::Run,
        };
        options.run_item(&item, context)
    });
    let task = task.unwrap();
    task.cancel();
    assert!(matches!(task.join(), Err(JoinError::Cancelled)));
    assert_eq!(fs::read_dir(out).unwrap().count(), 0);
}

#[test]
fn unwritable_folder_fails() {
    let test = "images::saving::unwritable_folder_fails";
    in_child_with(files::OBEY_PERMISSIONS, test, || {
        let folder = folder();
        let input = saved_as(&photo(8, 8), folder.path(), "in.png");
        let options = to(folder.path());
        fs::create_dir(&options.to).unwrap();
        fs::set_permissions(&options.to, fs::Permissions::from_mode(0o500)).unwrap();
        assert_eq!(run(&options, &[&input]), [Err("not_saved".to_owned())]);
        let file = Options {
            to: input.clone(),
            ..options
        };
        assert_eq!(run(&file, &[&input]), [Err("no_folder".to_owned())]);
    });
}

#[test]
fn full_disk_leaves_no_partial_result() {
    let test = "images::saving::full_disk_leaves_no_partial_result";
    // A limit on the length of files acts like a full disk.
    in_child_with("trap '' XFSZ; ulimit -f 1", test, || {
        let folder = folder();
        let small = saved_as(&photo(4, 4), folder.path(), "small.png");
        let options = Options {
            format: Format::Bmp,
            resize: Resize::Exact,
            width: 100,
            height: 100,
            ..to(folder.path())
        };
        assert_eq!(run(&options, &[&small]), [Err("not_saved".to_owned())]);
        assert_eq!(fs::read_dir(&options.to).unwrap().count(), 0);
    });
}
