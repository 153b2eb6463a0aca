//! The macro that makes one of all jobs.

/// Declares the modules of the jobs, and makes the list of them and the enums of their options, steps
/// and results.
///
/// A line is the variant of `Options` and the folder of the job, then in `step(…)` the variant of
/// `Step` that only this job plans, and in `output(…)` the variant of `Output` that only this job
/// returns, if there are any.
macro_rules! catalogue {
    ($(
        $(#[$doc:meta])*
        $variant:ident: $module:ident
            $(step($($step:tt)+))? $(output($output:ident($result:ty)))?,
    )+) => {
        $(pub mod $module;)+

        /// The default options of every job, in the order in which the window offers them.
        pub fn catalogue() -> Vec<Options> {
            vec![$(Options::$variant($module::Options::default())),+]
        }

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

        /// The work on an item.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Step {
            /// Run the job on the input.
            Run,
            /// Nothing can be done: the item ends with this error.
            Fail(ItemError),
            $($($($step)+,)?)+
        }

        /// The result of an item that returned.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(untagged)]
        pub enum Output {
            $($($output($result),)?)+
            Text {
                text: String,
            },
        }

        impl Output {
            fn of_job(&self) -> &dyn JobOutput {
                match self {
                    $($(Self::$output(result) => result,)?)+
                    Self::Text { text } => text,
                }
            }
        }
    };
}
pub(super) use catalogue;
