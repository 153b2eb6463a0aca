//! Formats numbers, sizes, times and names for people.

use std::borrow::Cow;
use std::path::Path;
use std::time::Duration;

const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/// `0 B`, `999 B`, `1.5 KiB`, `12.0 GiB`: bytes in powers of 1024.
pub fn bytes(count: u64) -> String {
    if count < 1024 {
        return format!("{count} B");
    }
    let mut value = to_f64(count);
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `120.0 MiB/s`.
pub fn rate(bytes_per_sec: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates; a negative rate becomes 0"
    )]
    let whole = bytes_per_sec as u64;
    format!("{}/s", bytes(whole))
}

/// `328/s`, `1 066/s`: how often something happens.
pub fn per_sec(rate: f64) -> String {
    format!("{}/s", rounded_count(rate))
}

/// `1 frame/s`, `60 frames/s`: a [`per_sec`] with the noun of what happens.
pub fn plural_per_sec(rate: f64, one: &str, many: &str) -> String {
    let count = rounded_count(rate);
    format!("{count} {}/s", if count == "1" { one } else { many })
}

/// `260 ns`, `80 µs`, `0.4 ms`, `250 ms`, `2.00 s`, `12.5 s`, `1 min 05 s`, `3 h 07 min`: two or
/// three significant digits.
pub fn duration(time: Duration) -> String {
    let (secs, millis) = (time.as_secs_f64(), time.as_secs_f64() * 1e3);
    let whole = (time.saturating_add(Duration::from_millis(500))).as_secs();
    match () {
        // Each bound is where the form before it would round up to the next unit.
        () if time.is_zero() => "0 ms".to_owned(),
        () if millis < 0.000_999_5 => format!("{:.0} ns", millis * 1e6),
        () if millis < 0.0995 => format!("{:.0} µs", millis * 1e3),
        () if millis < 9.95 => format!("{millis:.1} ms"),
        () if millis < 999.5 => format!("{millis:.0} ms"),
        () if secs < 9.995 => format!("{secs:.2} s"),
        () if secs < 59.95 => format!("{secs:.1} s"),
        () if whole < 3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        () => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// A [`duration`] given in milliseconds; `never` if it is infinite. A negative one reads as zero.
pub fn millis(millis: f64) -> String {
    Duration::try_from_secs_f64(millis.max(0.0) / 1e3).map_or_else(|_| "never".to_owned(), duration)
}

/// `20 s`, `3 min`, `2 h`: a time that is only known roughly, rounded up.
pub fn rough(time: Duration) -> String {
    let secs = time.as_secs_f64().ceil();
    match () {
        () if secs <= 90.0 => format!("{:.0} s", (secs / 10.0).ceil() * 10.0),
        () if secs <= 90.0 * 60.0 => format!("{:.0} min", (secs / 60.0).ceil()),
        () => format!("{:.0} h", (secs / 3600.0).ceil()),
    }
}

/// `0 s`, `12 s`, `1 min 05 s`, `3 h 07 min`: whole seconds that have passed, so that it changes once a second at most.
pub fn whole_secs(time: Duration) -> String {
    match time.as_secs() {
        secs @ 0..60 => format!("{secs} s"),
        secs => duration(Duration::from_secs(secs)),
    }
}

/// `2.0 s`: seconds with one decimal, so that a countdown keeps its width.
pub fn countdown(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// `   1.250`: a time in seconds as the first column of a transcript. Its width and its three
/// decimals never change, because the lines of one transcript stand below each other and are
/// compared by their times. It has no unit, for the same in every line would only take room.
pub fn transcript_time(time: Duration) -> String {
    format!("{:>8.3}", time.as_secs_f64())
}

/// `just now`, `5 min ago`, `3 h ago`, `2 d ago`: an age in its largest whole unit, which needs no
/// redraw to stay right.
pub fn age(age: Duration) -> String {
    let mins = age.as_secs() / 60;
    match mins {
        0 => "just now".to_owned(),
        1..60 => format!("{mins} min ago"),
        60..1440 => format!("{} h ago", mins / 60),
        _ => format!("{} d ago", mins / 1440),
    }
}

/// `1.5 s`: a time on an axis with a label every `step` seconds. It has the decimals that tell
/// neighbours apart.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most nine decimals"
)]
pub fn axis_time(secs: f64, step: f64) -> String {
    // The logarithm of a power of ten may come out slightly too large.
    let decimals = (-step.log10() - 1e-9).ceil().clamp(0.0, 9.0) as usize;
    format!("{secs:.decimals$} s")
}

/// `1 234 567`: digits in groups of three.
pub fn count(number: impl TryInto<u128>) -> String {
    let digits = number.try_into().unwrap_or(u128::MAX).to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// `3.2×`, `1 066×`: a quotient of two values; empty if it is not finite.
pub fn ratio(ratio: f64) -> String {
    if !ratio.is_finite() {
        String::new()
    } else if ratio < 9.95 {
        format!("{ratio:.1}×")
    } else {
        format!("{}×", rounded_count(ratio))
    }
}

/// [`count`] of the nearest whole number; 0 for a negative number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; a negative number becomes 0"
)]
pub fn rounded_count(number: f64) -> String {
    count(number.round() as u64)
}

/// `1 file`, `2 files`: a count with its noun.
pub fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A text in one line: characters that break or reorder it are escaped as in source code.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(is_disruptive) {
        return text.into();
    }
    let mut line = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_disruptive(character) {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.into()
}

/// A line of comma-separated values, as RFC 4180 defines it, with its end.
pub fn csv_line<'a>(fields: impl IntoIterator<Item = Cow<'a, str>>) -> String {
    let mut line = String::new();
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            line.push(',');
        }
        if field.contains([',', '"', '\n', '\r']) {
            line.push('"');
            line += &field.replace('"', "\"\"");
            line.push('"');
        } else {
            line += &field;
        }
    }
    line + "\r\n"
}

/// A text that others have chosen, such as the name of a file, as a field of a [`csv_line`]: one that a spreadsheet would
/// take for a formula gets an apostrophe in front, as OWASP recommends ("CSV Injection").
pub fn csv_text(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}").into()
    } else {
        text.into()
    }
}

/// Whether a character breaks or reorders the text around it.
pub(crate) fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A path in one line.
pub fn path(path: &Path) -> String {
    one_line(&path.to_string_lossy()).into_owned()
}

/// `tiff-0.11.3/src/decoder/ifd.rs:30:5`: a place in a source file, without the folders of the machine
/// that built the program.
pub fn source_place(place: &str) -> String {
    let place = place.replace('\\', "/");
    let is_absolute = place.starts_with('/') || place.get(1..3) == Some(":/");
    if !is_absolute {
        return place;
    }
    let after = |mark: &str| place.find(mark).map(|at| &place[at + mark.len()..]);
    // Below these are the name of a registry, or the hash of a compiler.
    if let Some(rest) = after("/registry/src/").or_else(|| after("/rustc/")) {
        return rest
            .split_once('/')
            .map_or(rest, |(_, rest)| rest)
            .to_owned();
    }
    let folder_of_package = |at: usize| place[..at].rfind('/').map_or(0, |slash| slash + 1);
    let start = match place.rfind("/src/") {
        Some(at) => folder_of_package(at),
        None => place.rfind('/').map_or(0, |slash| slash + 1),
    };
    place[start..].to_owned()
}

/// A backtrace with each place as a [`source_place`].
pub fn backtrace(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let place = line.trim_start();
        let indent = &line[..line.len() - place.len()];
        match place.strip_prefix("at ") {
            Some(place) => format!("{indent}at {}\n", source_place(place)),
            None => format!("{line}\n"),
        }
    });
    lines.collect()
}

/// `done` of `total`, between 0 and 1; 0 if `total` is 0.
pub fn share(done: u64, total: u64) -> f32 {
    if total == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a width on screen")]
    let share = (to_f64(done) / to_f64(total)) as f32;
    share.clamp(0.0, 1.0)
}

/// A [`share`] of what has not ended, and so is not shown as 100 %.
pub fn open_share(done: u64, total: u64) -> f32 {
    share(done, total).min(0.99)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn to_f64(number: u64) -> f64 {
    number as f64
}
