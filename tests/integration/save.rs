//! Atomic saving: all of the new file or all of the old one.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::Path;

use meanwhile::jobs::save::{SaveError, save};

use crate::util::child::in_child_with;
use crate::util::files::{OBEY_PERMISSIONS, folder, write};

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the test's folder can be read");
    entries
        .map(|entry| {
            entry
                .expect("its entries can be read")
                .file_name()
                .display()
                .to_string()
        })
        .collect()
}

fn mode_of(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("the file exists");
    metadata.permissions().mode() & 0o7777
}

#[test]
fn saved_file_leaves_no_temporary_file() {
    let folder = folder();
    let path = folder.path().join("list");
    save(&path, b"first").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"first");
    save(&path, b"second").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"second");
    assert_eq!(names_in(folder.path()), ["list"]);
}

#[test]
fn full_disk_leaves_the_old_file() {
    // A limit on file sizes really stops the write, and needs no disk to fill.
    let test = "save::full_disk_leaves_the_old_file";
    in_child_with("trap '' XFSZ; ulimit -f 8", test, || {
        let folder = folder();
        let path = write(folder.path(), "list", "the old list");
        let error = save(&path, &vec![b'x'; 1024 * 1024]).unwrap_err();
        assert!(matches!(error, SaveError::Refused { .. }), "{error}");
        assert!(
            error.to_string().contains("list can't be saved: "),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"the old list");
        assert_eq!(names_in(folder.path()), ["list"]);
    });
}

#[test]
fn unwritable_folder_leaves_the_old_file() {
    let test = "save::unwritable_folder_leaves_the_old_file";
    in_child_with(OBEY_PERMISSIONS, test, || {
        let folder = folder();
        let path = write(folder.path(), "list", "the old list");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
        let outcome = save(&path, b"new");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(
            matches!(outcome, Err(SaveError::Refused { .. })),
            "{outcome:?}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"the old list");
    });
}

#[test]
fn missing_folder_is_an_error() {
    let folder = folder();
    let outcome = save(&folder.path().join("nowhere/list"), b"");
    assert!(
        matches!(outcome, Err(SaveError::NoFolder { .. })),
        "{outcome:?}"
    );
}

#[test]
fn folders_and_devices_are_never_replaced() {
    let folder = folder();
    for path in [
        folder.path(),
        Path::new("/dev/null"),
        Path::new("/dev/full"),
    ] {
        let outcome = save(path, b"x");
        assert!(
            matches!(outcome, Err(SaveError::NotAFile { .. })),
            "{outcome:?}"
        );
    }
}

#[test]
fn links_and_permissions_are_kept() {
    let folder = folder();
    let real = write(folder.path(), "real", "old");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    let link = folder.path().join("link");
    symlink("real", &link).unwrap();
    save(&link, b"new").unwrap();
    assert!(link.is_symlink());
    assert_eq!(fs::read(&real).unwrap(), b"new");
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o777,
        0o640
    );
}

#[test]
fn new_file_has_the_usual_permissions() {
    let folder = folder();
    let usual = write(folder.path(), "usual", "");
    let path = folder.path().join("list");
    save(&path, b"new").unwrap();
    assert_eq!(mode_of(&path), mode_of(&usual));
}

#[test]
fn link_to_missing_file_creates_that_file() {
    let folder = folder();
    let root = folder.path();
    let usual = write(root, "usual", "");
    fs::create_dir(root.join("deep")).unwrap();
    symlink("deep/link", root.join("link")).unwrap();
    symlink("../real", root.join("deep/link")).unwrap();
    save(&root.join("link"), b"new").unwrap();
    assert!(root.join("link").is_symlink() && root.join("deep/link").is_symlink());
    let real = root.join("real");
    assert!(!real.is_symlink());
    assert_eq!(fs::read(&real).unwrap(), b"new");
    assert_eq!(mode_of(&real), mode_of(&usual));
}

#[test]
fn link_that_leads_nowhere_is_kept_with_an_error() {
    let folder = folder();
    let root = folder.path();
    symlink("missing/real", root.join("link")).unwrap();
    let error = save(&root.join("link"), b"new").unwrap_err();
    assert!(matches!(error, SaveError::NoFolder { .. }), "{error}");
    assert!(error.to_string().contains("missing/real"), "{error}");
    symlink("loop", root.join("loop")).unwrap();
    let error = save(&root.join("loop"), b"new").unwrap_err();
    assert!(matches!(error, SaveError::Refused { .. }), "{error}");
    assert!(root.join("link").is_symlink() && root.join("loop").is_symlink());
    assert_eq!(fs::read_dir(root).unwrap().count(), 2);
}

#[test]
fn owner_of_a_replaced_file_is_kept() {
    if !nix::unistd::geteuid().is_root() {
        // Only root can have a file of somebody else to replace.
        return;
    }
    let folder = folder();
    let path = write(folder.path(), "list", "old");
    chown(&path, Some(12_345), Some(23_456)).unwrap();
    save(&path, b"new").unwrap();
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!((metadata.uid(), metadata.gid()), (12_345, 23_456));
}
