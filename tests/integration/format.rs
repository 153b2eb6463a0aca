//! Numbers, sizes, times and names as users read them.

use std::path::Path;
use std::time::Duration;

use meanwhile::format::{
    age, axis_time, backtrace, bytes, count, countdown, duration, millis, one_line, open_share,
    path, per_sec, plural, plural_per_sec, rate, ratio, rough, share, source_place,
    transcript_time, whole_secs,
};

#[test]
fn bytes_change_unit_at_1024() {
    assert_eq!(bytes(0), "0 B");
    assert_eq!(bytes(1023), "1023 B");
    assert_eq!(bytes(1024), "1.0 KiB");
    assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
    assert_eq!(bytes(u64::MAX), "16384.0 PiB");
}

#[test]
fn rough_times_are_rounded_up() {
    let text = |secs| rough(Duration::from_secs_f64(secs));
    for (secs, expected) in [
        (0.0, "0 s"),
        (0.2, "10 s"),
        (20.0, "20 s"),
        (90.0, "90 s"),
        (90.1, "2 min"),
        (180.0, "3 min"),
        (181.0, "4 min"),
        (5_400.0, "90 min"),
        (5_401.0, "2 h"),
    ] {
        assert_eq!(text(secs), expected, "{secs}");
    }
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
    // These would reorder or break the text around them.
    assert_eq!(
        one_line("a\u{202e}gpj.exe\u{2028}b\u{61c}"),
        r"a\u{202e}gpj.exe\u{2028}b\u{61c}"
    );
    assert_eq!((share(3, 4), share(0, 0)), (0.75, 0.0));
    assert_eq!((open_share(3, 4), open_share(4, 4)), (0.75, 0.99));
}

#[test]
fn ratios_have_a_decimal_below_ten() {
    let ratios = [0.5, 9.94, 9.95, 1_066.4, f64::INFINITY, f64::NAN];
    let expected = ["0.5×", "9.9×", "10×", "1 066×", "", ""];
    assert_eq!(ratios.map(ratio), expected);
}

#[test]
fn source_place_names_no_folder_of_a_machine() {
    for (place, shown) in [
        ("src/jobs/save.rs:10:5", "src/jobs/save.rs:10:5"),
        (
            "/root/.cargo/registry/src/index.crates.io-1949cf8c/tiff-0.11.3/src/decoder/ifd.rs:30:5",
            "tiff-0.11.3/src/decoder/ifd.rs:30:5",
        ),
        (
            r"C:\Users\me\.cargo\registry\src\index.crates.io-1949cf8c\png-0.18.0\src\lib.rs:1:2",
            "png-0.18.0/src/lib.rs:1:2",
        ),
        (
            "/rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/core/src/option.rs:9:1",
            "library/core/src/option.rs:9:1",
        ),
        (
            "/home/me/src/.cargo/git/checkouts/egui-12ab/34cd/crates/egui/src/ui.rs:7:7",
            "egui/src/ui.rs:7:7",
        ),
        ("/home/me/target/out/made.rs:3:3", "made.rs:3:3"),
    ] {
        assert_eq!(source_place(place), shown);
    }
    let shown = backtrace("   1: f\n             at /home/me/x/src/lib.rs:1:1\n   2: g\n");
    assert_eq!(
        shown,
        "   1: f\n             at x/src/lib.rs:1:1\n   2: g\n"
    );
}

#[test]
fn whole_seconds_have_passed() {
    let texts = [0, 999, 12_900, 59_999, 65_000, 11_220_000]
        .map(|millis| whole_secs(Duration::from_millis(millis)));
    let expected = ["0 s", "0 s", "12 s", "59 s", "1 min 05 s", "3 h 07 min"];
    assert_eq!(texts, expected);
}
