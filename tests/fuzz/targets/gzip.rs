//! Compressed traces: whole ones are read as if they were not, others break off or are damaged.
#![no_main]

use std::io::Write as _;

use arbitrary::Arbitrary;
use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use meanwhile_fuzz::{Document, check_read, read, written};

#[derive(Arbitrary, Debug)]
struct Input {
    document: Document,
    is_array: bool,
    level: u8,
    /// A file may have several members, one after the other.
    split: Option<u16>,
    damage: Damage,
}

#[derive(Arbitrary, Debug)]
enum Damage {
    None,
    Cut(u16),
    Byte(u16, u8),
    More(Vec<u8>),
}

fn compress(text: &[u8], level: u8) -> Vec<u8> {
    let level = Compression::new(u32::from(level % 10));
    let mut gzip = GzEncoder::new(Vec::new(), level);
    gzip.write_all(text).expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

fuzz_target!(|input: Input| {
    let text = if input.is_array {
        input.document.as_array().text
    } else {
        input.document.as_object().text
    };
    let text = text.as_bytes();
    let split = usize::from(input.split.unwrap_or(0)) % (text.len() + 1);
    let mut bytes = Vec::new();
    if input.split.is_some() {
        bytes.extend(compress(&text[..split], input.level));
    }
    bytes.extend(compress(&text[split..], input.level));
    match input.damage {
        Damage::None => {
            let plain = read(text).map(|plain| (written(&plain.trace), plain.notes));
            let gzip = read(&bytes).map(|gzip| (written(&gzip.trace), gzip.notes));
            assert_eq!(plain, gzip, "a compressed trace is read as any other");
            return;
        }
        Damage::Cut(cut) => bytes.truncate(bytes.len().saturating_sub(usize::from(cut))),
        Damage::Byte(at, byte) => {
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
        }
        Damage::More(more) => bytes.extend(more),
    }
    if let Some(found) = read(&bytes) {
        check_read(&found);
    }
});
