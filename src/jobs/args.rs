//! Parsers that the command-line arguments and the fields of several jobs share.

use std::time::Duration;

/// The units of a duration, the longest first, in seconds.
const UNITS: [(&str, f64); 6] = [
    ("d", 86_400.0),
    ("h", 3_600.0),
    ("min", 60.0),
    ("m", 60.0),
    ("s", 1.0),
    ("ms", 0.001),
];

/// Parses a number of seconds such as `90` or `0.5`, or numbers with units such as `5m` or `1h30m`. The
/// units are `d`, `h`, `m` or `min`, `s` and `ms`, the longest first.
///
/// # Errors
/// It is neither, or too long. The sentence shows what is expected.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let secs = text.trim().parse().ok().or_else(|| sum_of_parts(text));
    let duration = secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok());
    duration.ok_or_else(|| "expected seconds, or a time such as `90s`, `5m` or `1h30m`".to_owned())
}

/// Parses a [`duration`], rounded up to whole seconds.
pub(crate) fn whole_seconds(text: &str) -> Result<u64, String> {
    let duration = duration(text)?;
    Ok(duration.as_secs() + u64::from(duration.subsec_nanos() > 0))
}

fn sum_of_parts(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut shortest = f64::INFINITY;
    let mut sum = 0.0;
    while !rest.is_empty() {
        let (number, after) = split_at_end_of(rest, |c| c.is_ascii_digit() || c == '.');
        let (unit, after) = split_at_end_of(after.trim_start(), |c| c.is_ascii_alphabetic());
        let (_, secs) = UNITS.into_iter().find(|(name, _)| *name == unit)?;
        if secs >= shortest {
            return None;
        }
        sum += number.parse::<f64>().ok()? * secs;
        shortest = secs;
        rest = after.trim_start();
    }
    shortest.is_finite().then_some(sum)
}

/// Splits after the characters at the start for which `is_part` holds.
fn split_at_end_of(text: &str, is_part: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_has_seconds_or_units() {
        for (text, secs) in [
            ("90", 90.0),
            ("0.5", 0.5),
            ("0", 0.0),
            ("250ms", 0.25),
            ("1.5s", 1.5),
            ("5m", 300.0),
            ("5 min 30 s", 330.0),
            ("1h30m", 5_400.0),
            ("1d12h", 129_600.0),
            (" 2h ", 7_200.0),
        ] {
            let expected = Duration::from_secs_f64(secs);
            assert_eq!(duration(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn wrong_duration_has_a_sentence() {
        for text in [
            "", " ", "m", "5x", "5m3", "1m1h", "1m2m", "-1", "nan", "inf", "1e30", "1..5s", "5M",
        ] {
            let problem = duration(text).unwrap_err();
            assert!(problem.contains("such as"), "{text}: {problem}");
        }
    }

    #[test]
    fn whole_seconds_are_rounded_up() {
        assert_eq!(whole_seconds("1.2s"), Ok(2));
        assert_eq!(whole_seconds("1m"), Ok(60));
        assert_eq!(whole_seconds("0"), Ok(0));
    }
}
