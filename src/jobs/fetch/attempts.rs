//! Fetches one URL, and retries transient failures.

use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use ureq::http::header;
use url::Url;

use super::exchange::{Exchange, Failure, text};
use super::{Fetched, Options, list, name};
use crate::format;
use crate::jobs::save::{PendingFile, SaveError};
use crate::jobs::{ItemError, job};
use crate::join::Context;

/// The longest pause without a request of the server, and the longest that a server may request.
const MAX_PAUSE: Duration = Duration::from_secs(30);
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

pub(super) fn fetch(
    options: &Options,
    text: &str,
    context: &Context,
) -> Result<Fetched, ItemError> {
    let error = |kind: &str, message: &str| ItemError::new(kind, format!("{text}: {message}."));
    let url = list::parse(text)
        .map_err(|why| error(why.kind(), &format!("not fetched, because {why}")))?;
    for number in 0.. {
        let failure = match attempt(options, &url, context) {
            Ok(fetched) => {
                return Ok(Fetched {
                    tries: number + 1,
                    ..fetched
                });
            }
            Err(failure) => failure,
        };
        let Some(time) = pause_before(number + 1, &failure, options) else {
            let message = match number {
                0 => failure.message,
                _ => format!("{}, after {} attempts", failure.message, number + 1),
            };
            return Err(error(failure.kind, &message));
        };
        job::pause(time, context);
    }
    unreachable!("the last attempt has no pause after it")
}

/// The pause before this retry, from 1; `None` if there is no retry.
fn pause_before(retry: u32, failure: &Failure, options: &Options) -> Option<Duration> {
    if !failure.is_transient || retry > options.retries {
        return None;
    }
    let first = Duration::try_from_secs_f64(options.pause_secs).unwrap_or_default();
    let doubled = first.saturating_mul(2_u32.saturating_pow(retry - 1));
    let ours = doubled.min(MAX_PAUSE).mul_f64(0.5 + random() / 2.0);
    match failure.retry_after {
        Some(theirs) if theirs > MAX_RETRY_AFTER => None,
        Some(theirs) => Some(theirs.max(ours)),
        None => Some(ours),
    }
}

/// A number from 0 to 1, so that requests that failed together are not retried together.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0);
    bits as f64 / u64::MAX as f64
}

fn attempt(options: &Options, url: &Url, context: &Context) -> Result<Fetched, Failure> {
    let started = Instant::now();
    let secs = |secs| Duration::try_from_secs_f64(secs).unwrap_or(Duration::MAX);
    let (connect, timeout) = (secs(options.connect_secs), secs(options.timeout_secs));
    let exchange = Exchange::start(url.clone(), connect, timeout, context)?;
    let head = exchange.head()?;
    check_size(head.len.unwrap_or(0), options)?;
    let name = name::file_name(url);
    let not_saved = |error| not_saved(&options.to.join(&name), error);
    let mut file = options
        .folder()
        .map(|folder| PendingFile::create(folder))
        .transpose()
        .map_err(not_saved)?;
    let mut bytes = 0;
    while let Some(chunk) = exchange.chunk()? {
        bytes += chunk.len() as u64;
        check_size(bytes, options)?;
        if let Some(file) = &mut file {
            file.write_all(&chunk).map_err(not_saved)?;
        }
        context.set_progress(bytes, head.len.unwrap_or(0));
    }
    context.checkpoint();
    context.set_progress(bytes, bytes);
    let saved_to = file
        .map(|file| file.persist_numbered(&options.to, name.as_ref()))
        .transpose()
        .map_err(not_saved)?;
    Ok(Fetched {
        status: head.status,
        bytes,
        content_type: text(&head.headers, header::CONTENT_TYPE),
        content_encoding: text(&head.headers, header::CONTENT_ENCODING),
        secs: started.elapsed().as_secs_f64(),
        tries: 1,
        redirected_to: (head.url != *url).then(|| head.url.into()),
        saved_to,
    })
}

fn check_size(bytes: u64, options: &Options) -> Result<(), Failure> {
    if bytes <= options.limit() {
        return Ok(());
    }
    let message = format!(
        "the response is larger than {}; raise the limit to accept it",
        format::bytes(options.limit())
    );
    Err(Failure::new("too_large", message))
}

fn not_saved(path: &Path, error: io::Error) -> Failure {
    let error = SaveError::from_io(path, error);
    let (kind, text) = (error.kind(), error.to_string());
    let message = format!("not fetched: {}", text.trim_end_matches('.'));
    Failure::new(kind, message)
}
