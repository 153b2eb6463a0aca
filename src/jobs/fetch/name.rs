//! The file name of a result: harmless in any folder, on any system.

use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;
use percent_encoding::percent_decode_str;
use url::Url;

use crate::format::is_disruptive;

/// Leaves room for a number and for the name of a temporary file.
const MAX_LEN: usize = 200;

/// A longer suffix is not an extension.
const MAX_EXTENSION_LEN: usize = 16;

/// Windows ignores these at the end of a name.
const ENDS: [char; 2] = ['.', ' '];

/// The name for a URL without one.
const DEFAULT_NAME: &str = "index.html";

/// The last segment of the URL's path, decoded and [harmless].
pub(super) fn file_name(url: &Url) -> String {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let decoded = percent_decode_str(last).decode_utf8_lossy();
    harmless(&decoded).unwrap_or_else(|| DEFAULT_NAME.to_owned())
}

/// The name without characters that have a meaning in a path, hide the file, are invisible or disturb the
/// text around them. Never the name of a device. `None` if nothing is left.
pub(super) fn harmless(name: &str) -> Option<String> {
    let harmless: String = name
        .chars()
        .map(|c| if is_harmful(c) { '_' } else { c })
        .collect();
    let visible = harmless.trim().trim_start_matches('.');
    let name = shortened(visible.trim_end_matches(ENDS));
    let name = name.trim_end_matches(ENDS);
    if name.is_empty() {
        return None;
    }
    let prefix = if is_device(name) { "_" } else { "" };
    Some(format!("{prefix}{name}"))
}

fn is_harmful(c: char) -> bool {
    let is_invisible =
        || CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::Format;
    is_disruptive(c) || r#"/\:*?"<>|"#.contains(c) || is_invisible()
}

/// Whether Windows takes a file of this name for a device, whatever its extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    let port = ["COM", "LPT"]
        .into_iter()
        .find_map(|port| stem.strip_prefix(port));
    let mut number = port.unwrap_or_default().chars();
    match (number.next(), number.next()) {
        (Some('0'..='9' | '¹' | '²' | '³'), None) => true,
        _ => ["AUX", "CON", "CONIN$", "CONOUT$", "NUL", "PRN"].contains(&&*stem),
    }
}

/// Shortens the name to [`MAX_LEN`] bytes, before the extension.
fn shortened(name: &str) -> String {
    if name.len() <= MAX_LEN {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.len() <= MAX_EXTENSION_LEN {
        extension
    } else {
        ""
    };
    let stem = &name[..name.floor_char_boundary(MAX_LEN - extension.len())];
    format!("{stem}{extension}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(url: &str) -> String {
        file_name(&Url::parse(url).unwrap())
    }

    #[test]
    fn name_is_last_segment_decoded() {
        assert_eq!(name_of("http://h/a/b.txt?c=d/e#f/g"), "b.txt");
        assert_eq!(name_of("http://h/a%20b%C3%A9.txt"), "a bé.txt");
        assert_eq!(name_of("http://h/100%25"), "100%");
        assert_eq!(name_of("http://h/a%2"), "a%2");
        assert_eq!(name_of("http://h/a/"), "index.html");
        assert_eq!(name_of("http://h"), "index.html");
    }

    #[test]
    fn name_never_leaves_its_folder_or_is_hidden() {
        assert_eq!(name_of("http://h/..%2f..%2fetc%2fpasswd"), "_.._etc_passwd");
        assert_eq!(name_of("http://h/%2e%2e"), "index.html");
        assert_eq!(name_of("http://h/.%00.ssh"), "_.ssh");
        assert_eq!(name_of("http://h/.bashrc"), "bashrc");
        assert_eq!(name_of("http://h/%5cc:"), "_c_");
        assert_eq!(name_of("http://h/a%0ab%e2%80%ae"), "a_b_");
        assert_eq!(name_of("http://h/%ff"), "\u{fffd}");
    }

    #[test]
    fn name_is_no_device_of_windows() {
        for name in [
            "CON",
            "nul.txt",
            "Com1.tar.gz",
            "lpt%C2%B2",
            "AUX%20.txt",
            "conin$",
        ] {
            let name = name_of(&format!("http://h/{name}"));
            assert!(name.starts_with('_'), "{name}");
        }
        for name in ["console", "COM", "com10", "null.txt", "a.con"] {
            assert_eq!(name_of(&format!("http://h/{name}")), name);
        }
    }

    #[test]
    fn name_has_no_invisible_character() {
        for c in [
            '\u{ad}',
            '\u{61c}',
            '\u{180e}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2064}',
            '\u{2069}',
            '\u{206f}',
            '\u{feff}',
            '\u{fff9}',
            '\u{e0041}',
        ] {
            assert_eq!(name_of(&format!("http://h/a{c}b")), "a_b", "{c:?}");
        }
    }

    #[test]
    fn long_name_keeps_its_extension() {
        let name = name_of(&format!("http://h/{}.tar", "é".repeat(300)));
        assert!(name.len() <= MAX_LEN && name.ends_with("é.tar"), "{name}");
        let name = name_of(&format!("http://h/a.{}", "b".repeat(300)));
        assert_eq!(name.len(), MAX_LEN);
        let name = name_of(&format!(
            "http://h/{}.%20{}",
            "a".repeat(198),
            "b".repeat(99)
        ));
        assert_eq!(name, "a".repeat(198));
    }
}
