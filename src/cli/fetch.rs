//! The arguments of `meanwhile run fetch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CommonArgs, seconds};
use crate::jobs::fetch::Options;

#[derive(Debug, Args)]
#[command(after_help = LINES)]
pub(super) struct FetchArgs {
    /// A URL; may be given more than once.
    #[arg(long, value_name = "URL")]
    url: Vec<String>,
    /// The folder that the results are saved in, made where it is not there [default: none].
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    /// How long a connection may take to come about.
    #[arg(long, value_name = "SECS", default_value = "10", value_parser = seconds)]
    connect_timeout: Duration,
    /// How long one try may take from beginning to end.
    #[arg(long, value_name = "SECS", default_value = "120", value_parser = seconds)]
    timeout: Duration,
    /// How often a try that failed is repeated.
    #[arg(long, value_name = "N", default_value_t = Options::default().retries)]
    retries: u32,
    /// The pause before the first repetition, which doubles with each one.
    #[arg(long, value_name = "SECS", default_value = "0.5", value_parser = seconds)]
    pause: Duration,
    /// The most of one answer.
    #[arg(long, value_name = "MIB", default_value_t = Options::default().limit_mib)]
    limit: u64,
    #[command(flatten)]
    pub(super) common: CommonArgs,
    /// Lists of URLs, one a line.
    pub(super) files: Vec<PathBuf>,
}

const LINES: &str = "\
In a list, empty lines and lines that begin with # say nothing. Only http and https are fetched; the
proxy is that of the environment.

Each URL that came is a line on stdout: status, bytes, seconds, content type, URL and file, with tabs
between them.";

impl FetchArgs {
    pub(super) fn options(&self) -> Options {
        Options {
            urls: self.url.join("\n"),
            to: self.to.clone().unwrap_or_default(),
            connect_secs: self.connect_timeout.as_secs_f64(),
            timeout_secs: self.timeout.as_secs_f64(),
            retries: self.retries,
            pause_secs: self.pause.as_secs_f64(),
            limit_mib: self.limit,
        }
    }
}
