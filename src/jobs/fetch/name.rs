//! What the result of a URL is called: a name that is harmless wherever it is saved.

use url::Url;

/// Room for a number behind it and a hidden name beside it.
const MAX_LEN: usize = 200;

/// A longer extension is none.
const MAX_EXTENSION_LEN: usize = 16;

/// For a URL that ends in no name.
const NAMELESS: &str = "index.html";

/// The last part of the URL's path, decoded, without anything that has a meaning in a path, that
/// hides the file or that disturbs the text around it.
pub(super) fn file_name(url: &Url) -> String {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let decoded = String::from_utf8_lossy(&decode(last)).into_owned();
    let harmless: String = decoded
        .chars()
        .map(|c| if is_harmful(c) { '_' } else { c })
        .collect();
    let visible = harmless.trim().trim_start_matches('.');
    let name = visible.trim_end_matches(['.', ' ']);
    if name.is_empty() {
        return NAMELESS.to_owned();
    }
    shortened(name)
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || r#"/\:*?"<>|"#.contains(c)
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let byte = match (first, after) {
            (b'%', [high, low, after @ ..]) => byte(*high, *low).inspect(|_| rest = after),
            _ => None,
        };
        decoded.push(byte.unwrap_or(*first));
    }
    decoded
}

fn byte(high: u8, low: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// At most [`MAX_LEN`] bytes; what goes is in the middle, before the extension.
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
    fn the_last_part_of_the_path_is_decoded() {
        assert_eq!(name_of("http://h/a/b.txt?c=d/e#f/g"), "b.txt");
        assert_eq!(name_of("http://h/a%20b%C3%A9.txt"), "a bé.txt");
        assert_eq!(name_of("http://h/100%25"), "100%");
        assert_eq!(name_of("http://h/a%2"), "a%2");
        assert_eq!(name_of("http://h/a/"), "index.html");
        assert_eq!(name_of("http://h"), "index.html");
    }

    #[test]
    fn no_name_leads_out_of_its_folder_or_hides() {
        assert_eq!(name_of("http://h/..%2f..%2fetc%2fpasswd"), "_.._etc_passwd");
        assert_eq!(name_of("http://h/%2e%2e"), "index.html");
        assert_eq!(name_of("http://h/.%00.ssh"), "_.ssh");
        assert_eq!(name_of("http://h/.bashrc"), "bashrc");
        assert_eq!(name_of("http://h/%5cc:"), "_c_");
        assert_eq!(name_of("http://h/a%0ab%e2%80%ae"), "a_b_");
        assert_eq!(name_of("http://h/%ff"), "\u{fffd}");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = name_of(&format!("http://h/{}.tar", "é".repeat(300)));
        assert!(name.len() <= MAX_LEN && name.ends_with("é.tar"), "{name}");
        let name = name_of(&format!("http://h/a.{}", "b".repeat(300)));
        assert_eq!(name.len(), MAX_LEN);
    }
}
