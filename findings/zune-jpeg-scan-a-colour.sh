#!/usr/bin/env bash
# zune-jpeg 0.5.15: a baseline JPEG with a scan for each colour is decoded to a wrong image, without an error.
#
# A JPEG may store its three colours in one scan or in three. Where the colours have half the resolution, as
# they mostly have, zune-jpeg reads one scan right and puts three together wrongly: `decode` returns `Ok`,
# in strict mode too. libjpeg-turbo, which writes such files with `cjpeg -scans`, reads both to the same pixels.
# Progressive files and those of full resolution are read right. Users of the crate `image` get the same.
#
# Meanwhile looks at the layout first, and reads such a file with another decoder:
# src/jobs/images/jpeg_layout.rs.
#
# Seen with Rust 1.95 on x86_64 Linux, and cjpeg of libjpeg-turbo 2.1.5:
#
#     colours at half resolution, one scan: as djpeg reads it
#     colours at half resolution, a scan for each: another image
#     colours at full resolution, one scan: as djpeg reads it
#     colours at full resolution, a scan for each: as djpeg reads it
#
# "Another image" is one whose mean difference is over 8 of 255 levels; the others are below 2. Prints these
# lines and exits with 0; exits with 1 when zune-jpeg does something else. Needs cargo, a network, and
# cjpeg and djpeg (Debian has them in libjpeg-turbo-progs).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"

cat >"$folder/Cargo.toml" <<'EOT'
[package]
name = "finding"
version = "0.0.0"
edition = "2021"

[dependencies]
zune-core = "=0.5.3"
zune-jpeg = "=0.5.15"

[workspace]
EOT

cat >"$folder/src/main.rs" <<'EOT'
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// The pixels of a PPM file with a header of three lines.
fn pixels(ppm: &[u8]) -> &[u8] {
    let end = ppm.iter().enumerate().filter(|(_, &byte)| byte == b'\n').nth(2).unwrap().0;
    &ppm[end + 1..]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (jpeg, ppm) = (arguments.next().unwrap(), arguments.next().unwrap());
    let options = DecoderOptions::default().set_strict_mode(true);
    let jpeg = std::fs::read(jpeg).unwrap();
    let decoded = JpegDecoder::new_with_options(ZCursor::new(&jpeg), options).decode().unwrap();
    let ppm = std::fs::read(ppm).unwrap();
    let right = pixels(&ppm);
    assert_eq!(decoded.len(), right.len());
    let difference: u64 = decoded.iter().zip(right).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    let mean = difference as f64 / right.len() as f64;
    println!("{}", if mean < 2.0 { "as djpeg reads it" } else if mean > 8.0 { "another image" } else { "between" });
}
EOT

# A picture with smooth colours.
python3 - "$folder/picture.ppm" <<'EOT'
import math, sys
size = 96
rows = bytearray()
for y in range(size):
    for x in range(size):
        rows += bytes(int(127 + 120 * math.sin(x / a + y / b)) for a, b in ((17, 29), (23, 13), (31, 19)))
open(sys.argv[1], "wb").write(b"P6\n%d %d\n255\n" % (size, size) + rows)
EOT
printf '0;\n1;\n2;\n' >"$folder/scans"

cargo build --quiet --manifest-path "$folder/Cargo.toml" --target-dir "$folder/target"
output=$(
    for sample in 2x2 1x1; do
        for scans in one each; do
            options=(-quality 90 -sample "$sample")
            name="one scan"
            if [[ $scans == each ]]; then
                options+=(-scans "$folder/scans")
                name="a scan for each"
            fi
            cjpeg "${options[@]}" -outfile "$folder/picture.jpg" "$folder/picture.ppm"
            djpeg -outfile "$folder/right.ppm" "$folder/picture.jpg"
            [[ $sample == 2x2 ]] && resolution=half || resolution=full
            echo "colours at $resolution resolution, $name: $("$folder/target/debug/finding" "$folder/picture.jpg" "$folder/right.ppm")"
        done
    done
)
expected='colours at half resolution, one scan: as djpeg reads it
colours at half resolution, a scan for each: another image
colours at full resolution, one scan: as djpeg reads it
colours at full resolution, a scan for each: as djpeg reads it'
echo "$output"
if [[ "$output" != "$expected" ]]; then
    printf 'CHANGED. Expected:\n%s\n' "$expected"
    exit 1
fi
