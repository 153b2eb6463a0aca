//! What the names of lists say.

use std::path::Path;

use meanwhile::jobs::checksum::is_likely_list;

#[test]
fn names_of_lists_are_recognised() {
    for name in [
        "SHA256SUMS",
        "sha512sums.txt",
        "b3sums",
        "B2SUMS",
        "CHECKSUM",
        "checksums.blake3",
        "checksums.txt",
        "disk.iso.md5",
        "disk.iso.SHA256",
        "disk.iso.sha1sum",
        "disk.iso.b3",
        "disk.iso.sha256.txt",
        "disk.sfv",
        "md5sum.txt",
        "MD5SUM",
        "SHA256SUM",
        "sha256sum.txt",
        "SHASUMS256.txt",
        "SHASUMS256.txt.asc",
        "checksums-sha256.txt",
        "manifest-sha256.txt",
        "tagmanifest-md5.txt",
        "Fedora-Workstation-42-1.1-x86_64-CHECKSUM",
        "Fedora-Server-1.14-x86_64-CHECKSUM",
        "CHECKSUM.SHA256-FreeBSD-14.1-RELEASE-amd64",
        "sha256sums.txt.asc",
        "source.mtree",
    ] {
        assert!(
            is_likely_list(&Path::new("/some/where").join(name)),
            "{name}"
        );
    }
}

#[test]
fn names_of_other_files_are_not_lists() {
    for name in [
        "",
        "/",
        "disk.iso",
        "md5",
        "sum",
        "sums",
        "consumer.txt",
        "sha256.rs",
        "notes.txt",
        "manifest.json",
        "resum",
        "disk-sha256.iso",
        "checksum.c",
    ] {
        assert!(!is_likely_list(Path::new(name)), "{name}");
    }
}
