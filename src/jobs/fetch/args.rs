use std::path::{Path, PathBuf};
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
    /// The longest time in which nothing arrives.
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
    /// Leave out URLs whose file is there.
    #[arg(long, requires = "to", conflicts_with = "server_names")]
    skip_existing: bool,
    /// Save under the name that the server gives (Content-Disposition) [default: only for URLs with a ?].
    #[arg(long, requires = "to")]
    server_names: bool,
    /// Lists of URLs, one a line, and folders with such lists; - is standard input. What begins with http:// or https:// is a URL itself.
    files: Vec<PathBuf>,
}

const LISTS: &str = "\
In a list, empty lines and lines that begin with # are ignored. Only http and https URLs are fetched.
A digest that the response must have follows its URL: https://HOST/FILE sha256:DIGITS

The proxy comes from http_proxy, https_proxy, all_proxy and no_proxy in the environment, as curl reads
them. A SOCKS proxy counts for all URLs, whichever variable names it.

Responses are saved as they were sent: nothing is unpacked. What arrived of one that breaks or is
cancelled stays in DIR as NAME.XXXXXXXX.part, with a second file .part.json, if the server can send the
rest. The same command goes on from there. Delete both to begin again.

Each fetched URL is a line on stdout: status, bytes, seconds, content type, URL and file, separated by
tabs. The status of a skipped one is -.";

impl FetchArgs {
    pub(super) fn split(self) -> (Options, Arguments) {
        let (typed, lists): (Vec<_>, Vec<_>) =
            self.files.into_iter().partition(|file| is_url(file));
        let typed = typed.iter().map(|url| url.to_string_lossy().into_owned());
        let urls: Vec<_> = self.url.into_iter().chain(typed).collect();
        let options = Options {
            urls: urls.join("\n"),
            to: self.to.unwrap_or_default(),
            connect_secs: self.connect_timeout.as_secs_f64(),
            timeout_secs: self.timeout.as_secs_f64(),
            retries: self.retries,
            pause_secs: self.pause.as_secs_f64(),
            limit_mib: self.limit,
            skip_existing: self.skip_existing,
            server_names: self.server_names,
            ..Options::default()
        };
        let arguments = Arguments {
            inputs: lists,
            output: None,
        };
        (options, arguments)
    }
}

fn is_url(file: &Path) -> bool {
    let name = file.as_os_str().as_encoded_bytes().to_ascii_lowercase();
    name.starts_with(b"http://") || name.starts_with(b"https://")
}
