//! All jobs, one line each.

use serde::{Deserialize, Serialize};

use super::{JobInterface, checksum, command, fetch, images, misbehave};

macro_rules! catalogue {
    ($($(#[$doc:meta])* $variant:ident: $module:ident),+ $(,)?) => {
        /// The options of each job of the catalogue; the variant is the choice of the job.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "job", rename_all = "snake_case")]
        pub enum Options {
            $($(#[$doc])* $variant($module::Options),)+
        }

        impl Options {
            /// The job that these options configure.
            pub fn job(&self) -> &dyn JobInterface {
                match self {
                    $(Self::$variant(options) => options,)+
                }
            }

            /// The same, to change its options.
            pub fn job_mut(&mut self) -> &mut dyn JobInterface {
                match self {
                    $(Self::$variant(options) => options,)+
                }
            }
        }

        /// The default options of every job, in the order in which the window offers them.
        pub fn catalogue() -> Vec<Options> {
            vec![$(Options::$variant($module::Options::default())),+]
        }
    };
}

catalogue! {
    /// Compute or verify checksums.
    Checksum: checksum,
    /// Run a program, once or once for each file.
    Command: command,
    /// Fetch URLs.
    Fetch: fetch,
    /// Edit images and save them to another folder.
    Images: images,
    /// End one item or all in a chosen way, such as a panic or a crash.
    Misbehave: misbehave,
}
