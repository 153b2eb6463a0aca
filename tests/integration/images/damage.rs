//! Images of which a part is missing.

use std::fs;

use meanwhile::jobs::images::{Damaged, Options};

use super::{photo, run, run_one, saved_as, to};
use crate::util::files::{folder, write};

#[test]
fn jpeg_without_its_end_is_damaged() {
    let folder = folder();
    let whole = fs::read(saved_as(&photo(320, 240), folder.path(), "whole.jpg")).unwrap();
    let mut inputs = Vec::new();
    for percent in [30, 50, 60, 90, 95, 97, 99] {
        let len = whole.len() * percent / 100;
        let name = format!("cut{percent}.jpg");
        inputs.push(write(folder.path(), &name, &whole[..len]));
        let mut zeros = whole.clone();
        zeros[len..].fill(0);
        let name = format!("zeros{percent}.jpg");
        inputs.push(write(folder.path(), &name, zeros));
    }
    let without_end = &whole[..whole.len() - 2];
    inputs.push(write(folder.path(), "without-end.jpg", without_end));
    let mut options = to(folder.path());
    for size in ["100%", "40%", "10%"] {
        options.set_size(size.parse().unwrap());
        for input in &inputs {
            let ends = run(&options, &[input]);
            assert_eq!(ends, [Err("damaged".to_owned())], "{input:?}, {size}");
        }
    }
    assert_eq!(fs::read_dir(&options.to).unwrap().count(), 0);
}

#[test]
fn jpeg_with_a_hole_is_damaged() {
    let folder = folder();
    let mut bytes = fs::read(saved_as(&photo(320, 240), folder.path(), "whole.jpg")).unwrap();
    let middle = bytes.len() / 2;
    bytes.splice(middle..middle + 200, [0xff, 0xd8]);
    let input = write(folder.path(), "hole.jpg", bytes);
    let mut options = to(folder.path());
    for size in ["100%", "10%"] {
        options.set_size(size.parse().unwrap());
        let ends = run(&options, &[&input]);
        assert_eq!(ends, [Err("damaged".to_owned())], "{size}");
    }
}

#[test]
fn damaged_image_is_kept_on_request() {
    let folder = folder();
    let whole = fs::read(saved_as(&photo(320, 240), folder.path(), "whole.jpg")).unwrap();
    let input = write(folder.path(), "cut.jpg", &whole[..whole.len() / 2]);
    let options = Options {
        damaged: Damaged::Keep,
        ..to(folder.path())
    };
    let ends = run(&options, &[&input]);
    let saved = ends[0].as_ref().unwrap();
    assert_eq!((saved.width, saved.height), (320, 240));
    assert_eq!(saved.remarks, ["it is damaged: its end is missing"]);
}

#[test]
fn bytes_after_the_end_of_a_jpeg_are_no_damage() {
    let folder = folder();
    let whole = fs::read(saved_as(&photo(32, 24), folder.path(), "whole.jpg")).unwrap();
    let input = write(
        folder.path(),
        "longer.jpg",
        [&whole[..], &[0; 500], b"more"].concat(),
    );
    run_one(&to(folder.path()), &input);
}
