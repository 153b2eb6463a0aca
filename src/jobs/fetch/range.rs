//! What a response says about itself that lets a later request ask for its rest.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use ureq::http::{HeaderMap, header};

/// A server that changed a file twice within this time may have given both the same date.
const DATE_PRECISION: Duration = Duration::from_secs(1);

/// What identifies a response, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    /// Its entity tag or, where it has none, the date of its last change; as the server wrote them.
    pub(super) validator: String,
    /// The length of the whole, if it is known.
    pub(super) len: Option<u64>,
}

impl Known {
    /// `None` if the server says too little to ask for the rest later, or that it sends no parts.
    pub(super) fn of(headers: &HeaderMap, len: Option<u64>) -> Option<Self> {
        if value(headers, header::ACCEPT_RANGES) == Some("none") {
            return None;
        }
        let validator = validator(headers)?.to_owned();
        Some(Self { validator, len })
    }
}

/// A request for the rest of a response.
#[derive(Clone, Debug)]
pub(super) struct Resume {
    /// The number of bytes that are there.
    pub(super) from: u64,
    pub(super) known: Known,
}

impl Resume {
    /// What is known of the whole if these headers are those of the rest that was asked for; `None` if they
    /// are of something else.
    pub(super) fn fits(&self, headers: &HeaderMap) -> Option<Known> {
        let (from, len) = content_range(headers)?;
        let is_same_len = len.is_none() || self.known.len.is_none() || len == self.known.len;
        let validator = self.known.validator.clone();
        let is_same_tag = match value(headers, header::ETAG) {
            Some(tag) if validator.starts_with('"') => tag == validator,
            _ => true,
        };
        let len = len.or(self.known.len);
        (from == self.from && is_same_len && is_same_tag).then_some(Known { validator, len })
    }
}

/// What `If-Range` may hold: a strong entity tag, else a date of a change that was not just now.
fn validator(headers: &HeaderMap) -> Option<&str> {
    if let Some(tag) = value(headers, header::ETAG).filter(|tag| tag.starts_with('"')) {
        return Some(tag);
    }
    let changed = value(headers, header::LAST_MODIFIED)?;
    let sent = date(headers, header::DATE)?;
    let age = sent.duration_since(httpdate::parse_http_date(changed).ok()?);
    (age.ok()? > DATE_PRECISION).then_some(changed)
}

/// The first byte and the length of the whole, of a header such as `bytes 5-9/10` or `bytes 5-9/*`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let range = value(headers, header::CONTENT_RANGE)?.strip_prefix("bytes ")?;
    let (range, whole) = range.split_once('/')?;
    let (from, _) = range.split_once('-')?;
    let whole = match whole {
        "*" => None,
        whole => Some(whole.parse().ok()?),
    };
    Some((from.trim().parse().ok()?, whole))
}

pub(super) fn date(headers: &HeaderMap, name: header::HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(value(headers, name)?).ok()
}

fn value(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn headers(pairs: &[(header::HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter().cloned();
        pairs
            .map(|(name, value)| (name, value.parse().unwrap()))
            .collect()
    }

    fn validator_of(pairs: &[(header::HeaderName, &str)]) -> Option<String> {
        Some(Known::of(&headers(pairs), None)?.validator)
    }

    #[test]
    fn strong_tag_or_old_date_identifies_a_response() {
        let (tag, changed) = (header::ETAG, header::LAST_MODIFIED);
        let now = (header::DATE, "Sun, 06 Nov 1994 08:49:38 GMT");
        let later = (header::DATE, "Sun, 06 Nov 1994 08:49:39 GMT");
        let old = (changed, LONG_AGO);
        assert_eq!(
            validator_of(&[(tag.clone(), "\"a\""), old.clone(), later.clone()]).as_deref(),
            Some("\"a\"")
        );
        assert_eq!(
            validator_of(&[(tag.clone(), "W/\"a\""), old.clone(), later.clone()]).as_deref(),
            Some(LONG_AGO)
        );
        assert_eq!(validator_of(&[(tag, "W/\"a\"")]), None);
        assert_eq!(validator_of(&[old.clone(), now]), None);
        assert_eq!(validator_of(std::slice::from_ref(&old)), None);
        assert_eq!(
            validator_of(&[old, later, (header::ACCEPT_RANGES, "none")]),
            None
        );
        assert_eq!(validator_of(&[]), None);
    }

    #[test]
    fn rest_must_follow_and_be_of_the_same_whole() {
        let resume = Resume {
            from: 5,
            known: Known {
                validator: "\"a\"".to_owned(),
                len: Some(10),
            },
        };
        let len = |range, tag| {
            let headers = headers(&[(header::CONTENT_RANGE, range), (header::ETAG, tag)]);
            resume.fits(&headers).map(|known| known.len)
        };
        for range in ["bytes 5-9/10", "bytes 5-7/*"] {
            assert_eq!(len(range, "\"a\""), Some(Some(10)));
        }
        for range in [
            "bytes 4-9/10",
            "bytes 5-9/11",
            "lines 5-9/10",
            "bytes */10",
            "bytes 5/10",
        ] {
            assert_eq!(len(range, "\"a\""), None, "{range}");
        }
        assert_eq!(len("bytes 5-9/10", "\"b\""), None);
        assert_eq!(resume.fits(&headers(&[])), None);
    }
}
