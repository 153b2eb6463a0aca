//! Fetches one URL, and retries transient failures.

use std::error::Error;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, header};
use url::Url;

use super::digest::Digest;
use super::exchange::{BodyError, Exchange, broken};
use super::part::Part;
use super::range::Known;
use super::received::Received;
use super::request::{Failure, Head, Question, STALE, text};
use super::{Fetched, Options, Request, disposition, list, name};
use crate::format;
use crate::jobs::ItemError;
use crate::jobs::save::{SaveError, numbered};
use crate::jobs::text::shown;
use crate::join::Context;

/// The longest pause without a request of the server, and the longest that a server may request.
const MAX_PAUSE: Duration = Duration::from_secs(30);
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);

pub(super) fn fetch(
    options: &Options,
    text: &str,
    request: &Request,
    context: &Context,
) -> Result<Fetched, ItemError> {
    let error = |kind: &str, message: &str| ItemError::new(kind, format!("{text}: {message}."));
    let url = list::parse(text)
        .map_err(|why| error(why.kind(), &format!("not fetched, because {why}")))?;
    let target = Target {
        options,
        request,
        name: name::file_name(&url),
        url,
    };
    if options.skip_existing
        && let Some(present) = target.present(context)
    {
        return present.map_err(|failure| error(failure.kind, &failure.message));
    }
    for number in 0.. {
        let failure = match target.attempt(context) {
            Ok(fetched) => {
                return Ok(Fetched {
                    tries: number + 1,
                    ..fetched
                });
            }
            Err(failure) => failure,
        };
        let Some(time) = pause_before(number + 1, &failure, options) else {
            return Err(error(failure.kind, &final_message(&failure, number + 1)));
        };
        context.sleep(time)?;
    }
    unreachable!("the last attempt has no pause after it")
}

fn final_message(failure: &Failure, attempts: u32) -> String {
    let message = &failure.message;
    let attempts = match attempts {
        1 => String::new(),
        _ => format!(", after {attempts} attempts"),
    };
    let kept = failure.kept.as_ref().map(|(path, len)| {
        let (len, path) = (format::bytes(*len), path.display());
        format!("; the first {len} are in {path}, and the next run goes on from there")
    });
    format!("{message}{attempts}{}", kept.unwrap_or_default())
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

/// A URL and what becomes of its response.
struct Target<'a> {
    options: &'a Options,
    request: &'a Request,
    url: Url,
    /// The file name of the result, unless the server says another.
    name: String,
}

impl Target<'_> {
    /// What there is to say if the result exists already; `None` if it does not.
    fn present(&self, context: &Context) -> Option<Result<Fetched, Failure>> {
        let folder = self.options.folder()?;
        let path = folder.join(numbered(self.name.as_ref(), self.request.number));
        let metadata = path.metadata().ok().filter(std::fs::Metadata::is_file)?;
        if let Some(digest) = &self.request.digest
            && let Err(failure) = check_present(&path, digest, context)
        {
            return Some(Err(failure));
        }
        Some(Ok(Fetched {
            bytes: metadata.len(),
            digest: self.request.digest.clone(),
            saved_to: Some(path),
            ..Fetched::default()
        }))
    }

    /// Goes on with the part of an earlier attempt, if there is one; asks for the whole if that no longer
    /// fits.
    fn attempt(&self, context: &Context) -> Result<Fetched, Failure> {
        let folder = self.options.folder();
        let part = folder.and_then(|folder| Part::find(folder, &self.name, &self.url));
        let len = part.as_ref().map_or(0, Part::len);
        match self.exchange(part, context) {
            Err(failure) if failure.kind == STALE => Ok(Fetched {
                discarded: len,
                ..self.exchange(None, context)?
            }),
            ended => ended,
        }
    }

    fn exchange(&self, part: Option<Part>, context: &Context) -> Result<Fetched, Failure> {
        let started = Instant::now();
        let kept = part
            .as_ref()
            .map(|part| (part.path().to_owned(), part.len()));
        let keeping = |failure: Failure| Failure {
            kept: kept.clone(),
            ..failure
        };
        let exchange = Exchange::start(self.question(part.as_ref()), context).map_err(&keeping)?;
        let head = match exchange.head() {
            Ok(head) => head,
            Err(failure) => {
                if failure.kind == STALE
                    && let Some(part) = part
                {
                    part.remove();
                }
                return Err(keeping(failure));
            }
        };
        let answer = self.begin(part, &head, context)?;
        self.check_size(answer.len.unwrap_or(0)).map_err(&keeping)?;
        let Answer {
            resumed_from,
            discarded,
            ..
        } = answer;
        let received = self.receive(&exchange, answer, context)?;
        context.checkpoint();
        let bytes = received.len();
        context.set_progress(bytes, bytes);
        let name = self.result_name(&head.headers);
        let saved_to = received
            .save(&self.options.to, &name, self.request.number)
            .map_err(|error| self.not_saved(&name, error))?;
        Ok(Fetched {
            status: Some(head.status),
            bytes,
            content_type: text(&head.headers, header::CONTENT_TYPE),
            content_encoding: text(&head.headers, header::CONTENT_ENCODING),
            digest: self.request.digest.clone(),
            secs: started.elapsed().as_secs_f64(),
            tries: 1,
            resumed_from,
            discarded,
            redirected_to: (head.url != self.url).then(|| head.url.into()),
            saved_to,
        })
    }

    fn question(&self, part: Option<&Part>) -> Question {
        let secs = |secs| Duration::try_from_secs_f64(secs).unwrap_or(Duration::MAX);
        Question {
            url: self.url.clone(),
            connect: secs(self.options.connect_secs),
            idle: secs(self.options.timeout_secs),
            rest: part.map(Part::resume),
            cookies: self.options.cookies.share(),
        }
    }

    /// Finds the place for the bytes that follow the head.
    fn begin(&self, part: Option<Part>, head: &Head, context: &Context) -> Result<Answer, Failure> {
        let digest = self.request.digest.as_ref();
        let not_saved = |error| self.not_saved(&self.name, error);
        let Some(part) = part else {
            if head.status == 206 {
                let message = "the server sent a part, although the whole was asked for";
                return Err(Failure::new("partial", message));
            }
            let known = Known::of(&head.headers, head.len);
            let folder = self.options.folder();
            let received = Received::none(folder, &self.name, &self.url, known, digest);
            return Ok(Answer {
                received: received.map_err(not_saved)?,
                len: head.len,
                resumed_from: 0,
                discarded: 0,
            });
        };
        let from = part.len();
        if head.status == 206 {
            let Some(known) = part.resume().fits(&head.headers) else {
                part.remove();
                return Err(Failure::new(STALE, "the server sent another part"));
            };
            return Ok(Answer {
                received: Received::part(part, digest, context).map_err(not_saved)?,
                len: known.len,
                resumed_from: from,
                discarded: 0,
            });
        }
        part.remove();
        Ok(Answer {
            discarded: from,
            ..self.begin(None, head, context)?
        })
    }

    /// Takes the body. What has arrived of one that fails is kept if another attempt can go on with it.
    fn receive(
        &self,
        exchange: &Exchange<'_>,
        answer: Answer,
        context: &Context,
    ) -> Result<Received, Failure> {
        let Answer {
            received,
            len,
            resumed_from,
            ..
        } = answer;
        let progress = |bytes| context.set_progress(bytes, len.unwrap_or(0));
        let (result, received) = exchange.body(received, self.options.limit(), progress);
        let result = result.map_err(|error| match error {
            BodyError::Failed(failure) => failure,
            BodyError::TooLarge => self.too_large(),
            BodyError::NotSaved(error) => self.not_saved(&self.name, error),
        });
        let Some(mut received) = received else {
            return Err(result.err().unwrap_or_else(broken));
        };
        let is_resumed = resumed_from > 0;
        let completed =
            result.and_then(|()| self.complete(&mut received, len, is_resumed, context));
        match completed {
            Ok(()) => Ok(received),
            Err(failure) => Err(gave_up(received, failure)),
        }
    }

    /// Fails unless all of the response is there, as it should be.
    fn complete(
        &self,
        received: &mut Received,
        len: Option<u64>,
        is_resumed: bool,
        context: &Context,
    ) -> Result<(), Failure> {
        if len.is_some_and(|len| len != received.len()) {
            return Err(Failure::transient("cut_short", "the response ended early"));
        }
        self.check_digest(received, is_resumed)?;
        let synced = received.sync(context);
        synced.map_err(|error| self.not_saved(&self.name, error))
    }

    /// Fails unless the response has the digest that is expected.
    fn check_digest(&self, received: &mut Received, is_resumed: bool) -> Result<(), Failure> {
        let (Some(expected), Some(found)) = (&self.request.digest, received.digest()) else {
            return Ok(());
        };
        if found == expected.digits {
            return Ok(());
        }
        let algorithm = expected.algorithm;
        let message = format!("expected {expected}, but the response has {algorithm} {found}");
        Err(Failure {
            // What was kept may have been damaged since, or be of another response.
            is_transient: is_resumed,
            ..Failure::new("mismatch", message)
        })
    }

    fn result_name(&self, headers: &HeaderMap) -> String {
        let Options {
            server_names,
            skip_existing,
            ..
        } = *self.options;
        // The path before a query names a program of the server, such as `download.php?id=7`.
        let is_of_program = self.url.query().is_some() && !skip_existing;
        let wanted = server_names || is_of_program;
        let named = wanted.then(|| disposition::file_name(headers)).flatten();
        named.unwrap_or_else(|| self.name.clone())
    }

    fn check_size(&self, bytes: u64) -> Result<(), Failure> {
        if bytes <= self.options.limit() {
            return Ok(());
        }
        Err(self.too_large())
    }

    fn too_large(&self) -> Failure {
        let limit = format::bytes(self.options.limit());
        let message = format!("the response is larger than {limit}; raise the limit to accept it");
        Failure::new("too_large", message)
    }

    fn not_saved(&self, name: &str, error: io::Error) -> Failure {
        let error = SaveError::from_io(&self.options.to.join(name), error);
        not_fetched(error.kind(), &error)
    }
}

/// Fails unless the file that is there has the digest.
fn check_present(path: &Path, digest: &Digest, context: &Context) -> Result<(), Failure> {
    let found = digest
        .of_file(path, context)
        .map_err(|error| not_fetched(error.kind(), &error))?;
    if found == digest.digits {
        return Ok(());
    }
    let message = format!(
        "not fetched: {} does not match: expected {digest}, the file has {found}",
        shown(path)
    );
    Err(Failure::new("mismatch", message))
}

/// A failure whose reason is a sentence of its own.
fn not_fetched(kind: &'static str, reason: &dyn Error) -> Failure {
    let reason = reason.to_string();
    let message = format!("not fetched: {}", reason.trim_end_matches('.'));
    Failure::new(kind, message)
}

/// Keeps what another attempt can go on with.
fn gave_up(received: Received, failure: Failure) -> Failure {
    if received.is_damaged() || ["mismatch", "too_large"].contains(&failure.kind) {
        received.discard();
        return failure;
    }
    let kept = received.kept();
    Failure {
        kept: kept.map(|(path, len)| (path.to_owned(), len)),
        ..failure
    }
}

/// The place for the bytes of a response, and what is known about these.
struct Answer {
    received: Received,
    /// The length of the whole, if it is known.
    len: Option<u64>,
    resumed_from: u64,
    discarded: u64,
}
