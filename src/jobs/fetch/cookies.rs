//! The cookies of a run.

use std::sync::Arc;

use cookie_store::{CookieStore, RawCookie};
use parking_lot::Mutex;
use ureq::http::{HeaderMap, header};
use url::Url;

/// The cookies that servers have set, in memory. A clone has none of them, so that no run sees those of
/// another.
#[derive(Debug, Default)]
pub struct Cookies(Arc<Mutex<CookieStore>>);

impl Cookies {
    /// The same cookies, for another thread.
    pub(super) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// Keeps those that a response of the URL sets.
    pub(super) fn keep(&self, url: &Url, headers: &HeaderMap) {
        let set = headers.get_all(header::SET_COOKIE).into_iter();
        let texts = set.filter_map(|value| value.to_str().ok());
        let cookies = texts.filter_map(|text| RawCookie::parse(text.to_owned()).ok());
        self.0.lock().store_response_cookies(cookies, url);
    }

    /// The value of the header `Cookie` of a request; `None` if there are no cookies for the URL.
    pub(super) fn header(&self, url: &Url) -> Option<String> {
        let cookies = self.0.lock();
        let pairs = cookies.get_request_values(url);
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

impl Clone for Cookies {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// They are no option, so options with other cookies are the same.
impl PartialEq for Cookies {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}
