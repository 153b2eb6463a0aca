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
pub(crate) fn age(age: Duration) -> String {
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
pub(crate) fn axis_time(secs: f64, step: f64) -> String {
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

/// A text in one line: control characters are escaped as in source code.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let mut line = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line.into()
}

/// A path in one line.
pub fn path(path: &Path) -> String {
    one_line(&path.to_string_lossy()).into_owned()
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

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn to_f64(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_change_unit_at_1024() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn durations_have_two_or_three_digits() {
        assert_eq!(duration(Duration::from_nanos(260)), "260 ns");
        assert_eq!(duration(Duration::from_micros(80)), "80 µs");
        assert_eq!(duration(Duration::from_micros(420)), "0.4 ms");
        assert_eq!(duration(Duration::from_millis(250)), "250 ms");
        assert_eq!(duration(Duration::from_micros(9_960)), "10 ms");
        assert_eq!(duration(Duration::from_micros(999_600)), "1.00 s");
        assert_eq!(duration(Duration::from_secs(2)), "2.00 s");
        assert_eq!(duration(Duration::from_millis(59_960)), "1 min 00 s");
        assert_eq!(duration(Duration::from_secs(65)), "1 min 05 s");
        assert_eq!(duration(Duration::from_mins(187)), "3 h 07 min");
    }

    #[test]
    fn ages_change_unit_at_whole_hours_and_days() {
        let ages = [59, 60, 3_599, 3_600, 86_399, 86_400];
        let texts = ages.map(|secs| age(Duration::from_secs(secs)));
        let expected = [
            "just now",
            "1 min ago",
            "59 min ago",
            "1 h ago",
            "23 h ago",
            "1 d ago",
        ];
        assert_eq!(texts, expected);
    }

    #[test]
    fn axis_times_have_the_decimals_of_their_step() {
        let steps = [10.0, 1.0, 0.5, 0.1, 0.02, 0.001, 0.000_05];
        let texts = steps.map(|step| axis_time(3.0 * step, step));
        let expected = ["30", "3", "1.5", "0.3", "0.06", "0.003", "0.00015"];
        assert_eq!(texts, expected.map(|figure| format!("{figure} s")));
    }

    #[test]
    fn counts_are_grouped_in_threes() {
        assert_eq!(count(7_u32), "7");
        assert_eq!(count(2_003_u32), "2 003");
        assert_eq!(count(1_234_567_u32), "1 234 567");
    }

    #[test]
    fn special_values_have_a_text() {
        assert_eq!(
            (rate(2_097_152.0), rate(-1.0)),
            ("2.0 MiB/s".into(), "0 B/s".into())
        );
        assert_eq!(
            (millis(5.72), millis(f64::INFINITY)),
            ("5.7 ms".into(), "never".into())
        );
        assert_eq!(countdown(Duration::from_millis(65_040)), "65.0 s");
        assert_eq!(transcript_time(Duration::from_millis(1_250)), "   1.250");
        assert_eq!(
            (per_sec(1_066.4), plural_per_sec(1.2, "frame", "frames")),
            ("1 066/s".into(), "1 frame/s".into())
        );
        assert_eq!(
            (plural(1, "file", "files"), plural(2, "file", "files")),
            ("1 file".into(), "2 files".into())
        );
        assert_eq!(
            one_line("a name\nwith two lines"),
            r"a name\nwith two lines"
        );
        assert_eq!(path(Path::new("/tmp/a\tb")), r"/tmp/a\tb");
        assert_eq!((share(3, 4), share(0, 0)), (0.75, 0.0));
    }

    #[test]
    fn ratios_have_a_decimal_below_ten() {
        let ratios = [0.5, 9.94, 9.95, 1_066.4, f64::INFINITY, f64::NAN];
        let expected = ["0.5×", "9.9×", "10×", "1 066×", "", ""];
        assert_eq!(ratios.map(ratio), expected);
    }
}
