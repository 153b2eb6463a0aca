//! The words of a command, with placeholders for the path of a file or a part of it.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::choice::choices;
use crate::jobs::os_text::os_string;

/// One word of a command.
///
/// `{}` stands for the path, `{name}` for its last part, `{stem}` for the name without its extension,
/// `{dir}` for the folder. Doubled braces around one of these are literal: `{{}}` is the text `{}`,
/// and `{{{}}}` a path in braces. All other braces are text, so programs for `awk` and `jq` need no
/// change.
///
/// A word with one file is one argument, whatever the file is called: it is never split, quoted or
/// decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(OsString),
    Part(Part),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Path,
    Name,
    Stem,
    Dir,
}

impl Template {
    /// Parses a word. Every text is valid.
    pub fn new(word: &OsStr) -> Self {
        let word = word.as_encoded_bytes();
        let mut reader = Reader::default();
        let mut at = 0;
        while at < word.len() {
            at += reader.read(&word[at..]);
        }
        reader.end_text();
        Self(reader.pieces)
    }

    /// A word in which braces have no meaning.
    pub fn literal(word: impl Into<OsString>) -> Self {
        Self(vec![Piece::Text(word.into())])
    }

    /// Whether it has a placeholder.
    pub fn takes_file(&self) -> bool {
        let mut pieces = self.0.iter();
        pieces.any(|piece| matches!(piece, Piece::Part(_)))
    }

    /// The word with `file` in place of the placeholders.
    pub fn fill(&self, file: &Path) -> OsString {
        let mut word = OsString::new();
        for piece in &self.0 {
            word.push(match piece {
                Piece::Text(text) => text,
                Piece::Part(part) => part.of(file),
            });
        }
        word
    }
}

/// Writes the template as the user wrote it; bytes that are not UTF-8 are replaced.
impl std::fmt::Display for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => write!(f, "{}", text.display()),
            Piece::Part(part) => write!(f, "{{{}}}", part.title()),
        })
    }
}

choices!(Part {
    Path => "",
    Name => "name",
    Stem => "stem",
    Dir => "dir",
});

impl Part {
    fn of(self, file: &Path) -> &OsStr {
        let whole = file.as_os_str();
        match self {
            Self::Path => whole,
            Self::Name => file.file_name().unwrap_or(whole),
            Self::Stem => file.file_stem().unwrap_or(whole),
            Self::Dir => match file.parent() {
                Some(dir) if dir.as_os_str().is_empty() => OsStr::new("."),
                Some(dir) => dir.as_os_str(),
                None => whole,
            },
        }
    }
}

#[derive(Default)]
struct Reader {
    pieces: Vec<Piece>,
    text: Vec<u8>,
}

impl Reader {
    /// Reads the first piece of `rest`. Returns its length in bytes.
    fn read(&mut self, rest: &[u8]) -> usize {
        let opened = count(rest, b'{');
        if opened == 0 {
            self.text.push(rest[0]);
            return 1;
        }
        let inner = &rest[opened..];
        let found = Part::ALL.into_iter().find_map(|part| {
            let closed = count(inner.strip_prefix(part.title().as_bytes())?, b'}');
            (closed > 0).then_some((part, closed))
        });
        let Some((part, closed)) = found else {
            self.text.extend(&rest[..opened]);
            return opened;
        };
        let depth = opened.min(closed);
        // Unmatched braces are text, on the outside.
        self.repeat(b'{', opened - depth + depth / 2);
        if depth % 2 == 1 {
            self.end_text();
            self.pieces.push(Piece::Part(part));
        } else {
            self.text.extend(part.title().as_bytes());
        }
        self.repeat(b'}', depth / 2);
        opened + part.title().len() + depth
    }

    fn repeat(&mut self, byte: u8, count: usize) {
        self.text.extend(std::iter::repeat_n(byte, count));
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            let text = os_string(std::mem::take(&mut self.text));
            self.pieces.push(Piece::Text(text));
        }
    }
}

fn count(bytes: &[u8], byte: u8) -> usize {
    bytes.iter().take_while(|&&other| other == byte).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(word: &str, file: &str) -> String {
        let filled = Template::new(word.as_ref()).fill(file.as_ref());
        filled.into_string().unwrap()
    }

    #[test]
    fn placeholders_stand_for_parts_of_a_path() {
        for (file, name, stem, dir) in [
            ("/a/b.tar.gz", "b.tar.gz", "b.tar", "/a"),
            ("b.txt", "b.txt", "b", "."),
            ("/b", "b", "b", "/"),
            ("/", "/", "/", "/"),
            ("a/..", "a/..", "a/..", "a"),
            (".hidden", ".hidden", ".hidden", "."),
        ] {
            assert_eq!(fill("{}", file), file);
            assert_eq!(fill("{name}", file), name);
            assert_eq!(fill("{stem}", file), stem);
            assert_eq!(fill("{dir}", file), dir);
        }
    }

    #[test]
    fn word_may_have_several_placeholders() {
        assert_eq!(
            fill("--out={dir}/{stem}.webp", "/a/b.png"),
            "--out=/a/b.webp"
        );
        assert_eq!(fill("{}{}", "a"), "aa");
        assert_eq!(fill("{}:{}", "{name}"), "{name}:{name}");
    }

    #[test]
    fn doubled_braces_are_literal() {
        for (word, filled) in [
            ("{{}}", "{}"),
            ("{{name}}", "{name}"),
            ("{{{}}}", "{f}"),
            ("{{{{}}}}", "{{}}"),
            ("{{{{{}}}}}", "{{f}}"),
            ("{{}", "{f"),
            ("{}}", "f}"),
            ("{{{}}", "{{}"),
        ] {
            assert_eq!(fill(word, "f"), filled, "{word}");
        }
    }

    #[test]
    fn every_other_brace_is_text() {
        for word in [
            "{",
            "}",
            "{print $1}",
            "{if(x){y}}",
            "{{.Id}}",
            "{ }",
            "{Name}",
            "{name",
            "",
        ] {
            assert_eq!(fill(word, "f"), word);
            assert!(!Template::new(word.as_ref()).takes_file());
        }
    }
}
