use std::path::PathBuf;
use std::time::Duration;

use super::Options;
use crate::jobs::{Arguments, duration};

/// Fetch URLs, and save the responses or only measure them.
#[derive(Debug, clap::Args)]
#[command(after_help = LISTS)]
pub(super) struct FetchArgs {
    /// A URL; may be given more than once.
    #[arg(long, value_name = "URL")]
    url: Vec<String>,
    /// The folder to save the results in, created if missing [default: none].
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// Connection timeout.
    #[arg(long, value_name = "TIME", default_value = "10", value_parser = duration)]
    connect_timeout: Duration,
    /// Timeout of each attempt, from start to end.
    #[arg(long, value_name = "TIME", default_value = "120", value_parser = duration)]
    timeout: Duration,
    /// How often a failed attempt is retried.
    #[arg(long, value_name = "N", default_value_t = Options::default().retries)]
    retries: u32,
    /// The pause before the first retry, which doubles with each one.
    #[arg(long, value_name = "TIME", default_value = "0.5", value_parser = duration)]
    pause: Duration,
    /// Largest response accepted.
    #[arg(long, value_name = "MIB", default_value_t = Options::default().limit_mib)]
    limit: u64,
    /// Lists of URLs, one a line.
    files: Vec<PathBuf>,
}

const LISTS: &str = "\
In a list, empty lines and lines that begin with # are ignored. Only http and https URLs are fetched.

The proxy comes from http_proxy, https_proxy, all_proxy and no_proxy in the environment, as curl reads
them. A SOCKS proxy counts for all URLs, whichever variable names it.

Responses are saved as they were sent: nothing is unpacked.

Each fetched URL is a line on stdout: status, bytes, seconds, content type, URL and file, separated by
tabs.";

impl FetchArgs {
    pub(super) fn split(self) -> (Options, Arguments) {
        let options = Options {
            urls: self.url.join("\n"),
            to: self.to.unwrap_or_default(),
            connect_secs: self.connect_timeout.as_secs_f64(),
            timeout_secs: self.timeout.as_secs_f64(),
            retries: self.retries,
            pause_secs: self.pause.as_secs_f64(),
            limit_mib: self.limit,
        };
        let arguments = Arguments {
            inputs: self.files,
            output: None,
        };
        (options, arguments)
    }
}
