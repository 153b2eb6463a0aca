#!/usr/bin/env bash
# tiff 0.11.3: no image with a palette can be read, although there is a `ColorType::Palette`.
#
# `ColorType` has the variant `Palette`, and `PhotometricInterpretation` has `RGBPalette`. The decoder never
# returns the first: for the second, `colortype` and `read_image` return `InterpretationWithBits`. The
# indexes themselves are no problem. A file that differs in one word alone, which calls them grey, is read,
# and `find_tag` finds its colours. The same holds for Lab colours (8), which can be called RGB.
#
# Meanwhile changes that word while it reads: src/jobs/images/relabel.rs.
#
# Seen with Rust 1.95 on x86_64 Linux:
#
#     colours called a palette: Err(UnsupportedError(InterpretationWithBits(RGBPalette, [8])))
#     pixels called a palette: Err(UnsupportedError(InterpretationWithBits(RGBPalette, [8])))
#     colours called grey: Ok(Gray(8))
#     pixels called grey: Ok(U8([7, 9, 0]))
#     entries of the palette: 768
#
# Prints these lines and exits with 0; exits with 1 when tiff does something else. Needs cargo and a
# network.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"

cat >"$folder/Cargo.toml" <<'EOF'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
tiff = { version = "=0.11.3", default-features = false }

[workspace]
EOF

cat >"$folder/src/main.rs" <<'EOF'
use std::io::Cursor;

use tiff::decoder::Decoder;
use tiff::encoder::{colortype, TiffEncoder};
use tiff::tags::Tag;

/// Three pixels that are the colours 7, 9 and 0 of a palette, or three greys.
fn image(interpretation: u16) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    let mut image = encoder.new_image::<colortype::Gray8>(3, 1).unwrap();
    let tags = image.encoder();
    tags.write_tag(Tag::PhotometricInterpretation, interpretation).unwrap();
    tags.write_tag(Tag::ColorMap, &[500u16; 768][..]).unwrap();
    image.write_data(&[7, 9, 0]).unwrap();
    bytes.into_inner()
}

fn main() {
    for (name, interpretation) in [("a palette", 3), ("grey", 1)] {
        let mut decoder = Decoder::new(Cursor::new(image(interpretation))).unwrap();
        println!("colours called {name}: {:?}", decoder.colortype());
        println!("pixels called {name}: {:?}", decoder.read_image());
    }
    let mut decoder = Decoder::new(Cursor::new(image(1))).unwrap();
    let palette = decoder.get_tag_u16_vec(Tag::ColorMap).unwrap();
    println!("entries of the palette: {}", palette.len());
}
EOF

cargo build --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target"
output=$("$folder/target/debug/finding")
expected='colours called a palette: Err(UnsupportedError(InterpretationWithBits(RGBPalette, [8])))
pixels called a palette: Err(UnsupportedError(InterpretationWithBits(RGBPalette, [8])))
colours called grey: Ok(Gray(8))
pixels called grey: Ok(U8([7, 9, 0]))
entries of the palette: 768'
echo "$output"
if [[ "$output" != "$expected" ]]; then
    printf 'CHANGED. Expected:\n%s\n' "$expected"
    exit 1
fi
