//! The test vectors that NIST and the authors of BLAKE3 published, verified by the program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::Value;

use crate::util::files::{folder, write};

/// The files of one algorithm of NIST: the tag of its digests, their folder, the start of their names, and
/// the number of messages.
const NIST: [(&str, &str, &str, usize); 11] = [
    ("SHA1", "SHA1", "SHA1", 129),
    ("SHA224", "SHA2", "SHA224", 129),
    ("SHA256", "SHA2", "SHA256", 129),
    ("SHA384", "SHA2", "SHA384", 257),
    ("SHA512", "SHA2", "SHA512", 257),
    ("SHA512-224", "SHA2", "SHA512_224", 257),
    ("SHA512-256", "SHA2", "SHA512_256", 257),
    ("SHA3-224", "SHA3", "SHA3_224", 245),
    ("SHA3-256", "SHA3", "SHA3_256", 237),
    ("SHA3-384", "SHA3", "SHA3_384", 205),
    ("SHA3-512", "SHA3", "SHA3_512", 173),
];

/// A way to write a line: of an algorithm, a file and its digest.
type Form = fn(tag: &str, name: &str, digest: &[u8]) -> String;

const FORMS: [Form; 4] = [plain, tagged, tagged_base64, prefixed];

/// The algorithm is named by the name of the list alone.
fn plain(_tag: &str, name: &str, digest: &[u8]) -> String {
    format!("{}  {name}\n", hex(digest))
}

fn tagged(tag: &str, name: &str, digest: &[u8]) -> String {
    format!("{tag} ({name}) = {}\n", hex(digest).to_ascii_uppercase())
}

fn tagged_base64(tag: &str, name: &str, digest: &[u8]) -> String {
    format!("{tag} ({name}) = {}\n", BASE64_STANDARD.encode(digest))
}

fn prefixed(tag: &str, name: &str, digest: &[u8]) -> String {
    format!("{}:{}  {name}\n", tag.to_ascii_lowercase(), hex(digest))
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

fn from_hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .expect("digits")
}

/// Writes a list of the digests in this form, and asserts that the program finds all files intact; then one
/// with a bit of each digest changed, and asserts that all differ.
#[track_caller]
fn assert_verified(folder: &Path, tag: &str, digests: &[(String, Vec<u8>)], form: Form) {
    for is_changed in [false, true] {
        let line = |(number, (name, digest)): (usize, &(String, Vec<u8>))| {
            let mut digest = digest.clone();
            if is_changed {
                let bit = number % (digest.len() * 8);
                digest[bit / 8] ^= 1 << (bit % 8);
            }
            form(tag, name, &digest)
        };
        let text: String = digests.iter().enumerate().map(line).collect();
        let list = write(folder, format!("{tag}SUMS"), text);
        let expected = if is_changed { "mismatch" } else { "returned" };
        let states = states(&list);
        let wrong = states.iter().position(|state| state != expected);
        assert_eq!(wrong, None, "{}: {states:?}", list.display());
        assert_eq!(states.len(), digests.len(), "{}", list.display());
    }
}

/// Verifies the list. Returns, for each item, what its state or the kind of its error is.
fn states(list: &Path) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_meanwhile"))
        .args(["run", "verify", "--priority", "normal", "--format", "json"])
        .arg(list)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let json: Value = serde_json::from_slice(&output.stdout).expect("stdout is JSON");
    let items = json["items"].as_array().expect("items are a list");
    let state = |item: &Value| {
        let word = item["error"]["kind"].as_str().or(item["state"].as_str());
        word.expect("a state is a word").to_owned()
    };
    items.iter().map(state).collect()
}

fn vectors() -> PathBuf {
    std::env::var_os("MEANWHILE_TEST_VECTORS")
        .expect("the folder of the vectors; run tests/all.sh vectors")
        .into()
}

/// The messages of a file of NIST, each with its digest.
fn messages(file: &Path) -> Vec<(Vec<u8>, Vec<u8>)> {
    let text = fs::read_to_string(file).expect("a file of vectors");
    let values = |key: &str| {
        let values: Vec<String> = text
            .lines()
            .filter_map(|line| Some(line.strip_prefix(key)?.trim().to_owned()))
            .collect();
        values
    };
    let (bits, messages, digests) = (values("Len = "), values("Msg = "), values("MD = "));
    assert_eq!((bits.len(), messages.len()), (digests.len(), digests.len()));
    let message = |(bits, message): (&String, &String)| {
        let mut message = from_hex(message);
        // An empty message has a digit all the same.
        message.truncate(bits.parse::<usize>().expect("a number") / 8);
        message
    };
    let messages = bits.iter().zip(&messages).map(message);
    messages
        .zip(digests.iter().map(|digest| from_hex(digest)))
        .collect()
}

#[test]
#[ignore = "needs the vectors; tests/all.sh runs it"]
fn vectors_of_nist_verify_in_every_form() {
    for (tag, place, start, count) in NIST {
        let folder = folder();
        let mut digests = Vec::new();
        for end in ["ShortMsg", "LongMsg"] {
            let file = vectors().join(format!("hashes/{place}/{start}{end}.rsp"));
            for (message, digest) in messages(&file) {
                let name = digests.len().to_string();
                write(folder.path(), &name, message);
                digests.push((name, digest));
            }
        }
        assert_eq!(digests.len(), count, "{tag}");
        for form in FORMS {
            assert_verified(folder.path(), tag, &digests, form);
        }
    }
}

#[test]
#[ignore = "needs the vectors; tests/all.sh runs it"]
fn vectors_of_blake3_verify_at_every_length() {
    let text = fs::read(vectors().join("blake3.json")).expect("a file of vectors");
    let vectors: Value = serde_json::from_slice(&text).expect("JSON");
    let cases = vectors["cases"].as_array().expect("a list");
    assert_eq!(cases.len(), 22);
    let folder = folder();
    let mut outputs = Vec::new();
    for case in cases {
        let len = case["input_len"].as_u64().expect("a number");
        let message: Vec<u8> = (0..len).map(|at| (at % 251) as u8).collect();
        let output = from_hex(case["hash"].as_str().expect("digits"));
        assert_eq!(output.len(), 131);
        write(folder.path(), len.to_string(), message);
        outputs.push((len.to_string(), output));
    }
    // One that no name tells is at least sixteen bytes long.
    let lengths = |least: usize| {
        let cut = move |(name, output): &(String, Vec<u8>)| {
            let (name, output) = (name.clone(), output.clone());
            (least..=output.len()).map(move |len| (name.clone(), output[..len].to_vec()))
        };
        outputs.iter().flat_map(cut).collect::<Vec<_>>()
    };
    for (form, least) in [(plain as Form, 16), (tagged, 1), (prefixed, 1)] {
        let digests = lengths(least);
        assert_eq!(digests.len(), 22 * (132 - least));
        assert_verified(folder.path(), "BLAKE3", &digests, form);
    }
    assert_verified(folder.path(), "BLAKE3", &outputs, tagged_base64);
}
