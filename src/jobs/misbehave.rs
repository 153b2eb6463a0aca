//! A job that ends in the way one chooses, on the item one chooses: to see, and to test,
//! everything but the happy path.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Item, ItemError, Job, Output, Step};
use crate::join::Context;

/// How often an item that sleeps asks whether it was cancelled.
const SLICE: Duration = Duration::from_millis(10);

/// Who misbehaves, how, and after how much work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// How the chosen item ends.
    pub end: End,
    /// The chosen item, from 1; 0 chooses every item.
    pub item: usize,
    /// How long an item works before it ends, in seconds. What is no time (negative, infinite)
    /// counts as none.
    pub after: f64,
    /// How many items there are where no inputs are given.
    pub count: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            end: End::Return,
            item: 1,
            after: 0.0,
            count: 3,
        }
    }
}

/// How the chosen item ends. Every other item works for its time and returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Returns, as it should.
    #[default]
    Return,
    /// Fails with an error of the job.
    Error,
    /// Panics with a literal.
    PanicStr,
    /// Panics with a formatted text.
    PanicString,
    /// Panics with something that is not a text.
    PanicOther,
    /// Panics in a destructor.
    PanicInDrop,
    /// Panics before it is an item: while the job plans, which ends the planning.
    PanicInPlan,
    /// Works for its time without asking whether it was cancelled, then returns.
    IgnoreCancel,
    /// Sleeps for its time, asking whether it was cancelled, then returns; the other items return
    /// at once.
    Sleep,
}

impl End {
    /// Every way to end, in the order in which a person is offered them.
    pub const ALL: [Self; 9] = [
        Self::Return,
        Self::Error,
        Self::PanicStr,
        Self::PanicString,
        Self::PanicOther,
        Self::PanicInDrop,
        Self::PanicInPlan,
        Self::IgnoreCancel,
        Self::Sleep,
    ];

    /// The name on screen, such as `Panic with &str`.
    pub fn title(self) -> &'static str {
        match self {
            Self::Return => "Return",
            Self::Error => "Error",
            Self::PanicStr => "Panic with &str",
            Self::PanicString => "Panic with String",
            Self::PanicOther => "Panic with another payload",
            Self::PanicInDrop => "Panic in Drop",
            Self::PanicInPlan => "Panic while planning",
            Self::IgnoreCancel => "Ignore cancel",
            Self::Sleep => "Sleep",
        }
    }
}

impl Job for Options {
    fn id(&self) -> &'static str {
        "misbehave"
    }

    fn title(&self) -> &'static str {
        "Misbehave"
    }

    fn plan(&self, inputs: &[PathBuf], context: &Context, found: &mut dyn FnMut(Item)) {
        if inputs.is_empty() {
            for number in 1..=self.count {
                context.checkpoint();
                found(self.plan_item(number, PathBuf::from(format!("item {number}"))));
            }
        } else {
            for (index, input) in inputs.iter().enumerate() {
                context.checkpoint();
                found(self.plan_item(index + 1, input.clone()));
            }
        }
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let chosen = matches!(item.step, Step::Misbehave);
        self.work(chosen, context);
        if chosen {
            self.misbehave(&item.input)?;
        }
        Ok(Output::Text {
            text: format!("{} is done", item.input.display()),
        })
    }
}

impl Options {
    fn plan_item(&self, number: usize, input: PathBuf) -> Item {
        let chosen = self.item == 0 || self.item == number;
        assert!(
            !(chosen && self.end == End::PanicInPlan),
            "{} misbehaved while it was planned, as it was told to",
            input.display()
        );
        Item {
            input,
            bytes: 0,
            step: if chosen { Step::Misbehave } else { Step::Run },
        }
    }

    fn work(&self, chosen: bool, context: &Context) {
        let time = Duration::try_from_secs_f64(self.after).unwrap_or_default();
        match self.end {
            End::IgnoreCancel if chosen => sleep(time),
            End::Sleep if !chosen => {}
            _ => sleep_unless_cancelled(time, context),
        }
    }

    fn misbehave(&self, input: &Path) -> Result<(), ItemError> {
        match self.end {
            End::Return | End::PanicInPlan | End::IgnoreCancel | End::Sleep => Ok(()),
            End::Error => Err(ItemError {
                kind: "misbehaved".to_owned(),
                message: format!("{} failed, as it was told to", input.display()),
            }),
            End::PanicStr => panic!("misbehaved, as it was told to"),
            End::PanicString => panic!("{} misbehaved, as it was told to", input.display()),
            End::PanicOther => std::panic::panic_any(Payload),
            End::PanicInDrop => {
                drop(PanicsInDrop);
                Ok(())
            }
        }
    }
}

/// A payload that tells nothing.
struct Payload;

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("misbehaved while being dropped, as it was told to");
    }
}

fn sleep_unless_cancelled(time: Duration, context: &Context) {
    let start = Instant::now();
    loop {
        context.checkpoint();
        let left = time.saturating_sub(start.elapsed());
        if left.is_zero() {
            return;
        }
        sleep(left.min(SLICE));
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this job is made to waste time on a worker"
)]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
