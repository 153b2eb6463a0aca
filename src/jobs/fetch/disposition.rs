//! The file name in the header `Content-Disposition`.

use percent_encoding::percent_decode_str;
use ureq::http::{HeaderMap, header};

use super::name;

/// The name that the server gives the response, without folders and [harmless](name::harmless).
pub(super) fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_DISPOSITION)?.as_bytes();
    let name = of_value(&text(value))?;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    name::harmless(last)
}

/// The value as UTF-8 or, if it is none, as Latin-1.
fn text(value: &[u8]) -> String {
    String::from_utf8(value.to_owned())
        .unwrap_or_else(|_no_utf8| value.iter().copied().map(char::from).collect())
}

/// `filename*`, which has its charset, before `filename`.
fn of_value(value: &str) -> Option<String> {
    let parameters = parameters(value);
    let of = |wanted: &str| {
        let found = parameters.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value)
    };
    let encoded = of("filename*").and_then(|value| decoded(value));
    encoded.or_else(|| of("filename").cloned())
}

/// The names in lower case and the values of the parameters after the type.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([';', ' ', '\t']).to_ascii_lowercase();
        let (value, after) = parameter_value(after.trim_start());
        parameters.push((name, value));
        rest = after;
    }
    parameters
}

/// The value at the start, in quotes or up to the next semicolon, and the rest.
fn parameter_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        return (value.trim().to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    (value, "")
}

/// The text of a value such as `UTF-8'en'%e2%82%ac`.
fn decoded(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Vec<u8> = percent_decode_str(text).collect();
    match charset.to_ascii_lowercase().as_str() {
        "utf-8" => String::from_utf8(bytes).ok(),
        "iso-8859-1" => Some(bytes.into_iter().map(char::from).collect()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(value: &[u8]) -> Option<String> {
        let value = header::HeaderValue::from_bytes(value).unwrap();
        file_name(&HeaderMap::from_iter([(
            header::CONTENT_DISPOSITION,
            value,
        )]))
    }

    #[test]
    fn server_name_is_read_in_each_form() {
        for (value, name) in [
            (
                &br#"attachment; filename="report-7.pdf""#[..],
                "report-7.pdf",
            ),
            (b"attachment; filename=report-7.pdf", "report-7.pdf"),
            (b"inline;FileName = a.txt ; size=3", "a.txt"),
            (
                br#"attachment; filename="a \"b\"; c.txt"; x=y"#,
                "a _b_; c.txt",
            ),
            (
                b"attachment; filename=old.txt; filename*=UTF-8''na%c3%afve.txt",
                "na\u{ef}ve.txt",
            ),
            (
                b"attachment; filename*=iso-8859-1'de'f%fcr.txt",
                "f\u{fc}r.txt",
            ),
            (
                b"attachment; filename*=koi8-r''%d7; filename=b.txt",
                "b.txt",
            ),
            (b"attachment; filename=\"f\xc3\xbcr.txt\"", "f\u{fc}r.txt"),
            (b"attachment; filename=\"f\xfcr.txt\"", "f\u{fc}r.txt"),
            (b"attachment; filename=\"no end", "no end"),
        ] {
            assert_eq!(name_of(value).as_deref(), Some(name), "{}", text(value));
        }
    }

    #[test]
    fn server_name_never_leads_out_of_the_folder() {
        for (value, name) in [
            (&b"attachment; filename=\"/etc/passwd\""[..], Some("passwd")),
            (b"attachment; filename=\"..\\\\..\\\\a.exe\"", Some("a.exe")),
            (
                b"attachment; filename*=UTF-8''..%2f..%2f.bashrc",
                Some("bashrc"),
            ),
            (b"attachment; filename=\"..\"", None),
            (b"attachment; filename=", None),
            (b"attachment", None),
            (b"filename=a", None),
            (b"", None),
        ] {
            assert_eq!(name_of(value).as_deref(), name, "{}", text(value));
        }
    }
}
