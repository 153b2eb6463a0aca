//! A job that ends in the way one chooses, on the item one chooses: to see, and to test,
//! everything but the happy path.

mod fatal;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Item, ItemError, Job, Output, Step};
use crate::join::Context;

/// How often an item that sleeps asks whether it was cancelled.
const SLICE: Duration = Duration::from_millis(10);

/// Who misbehaves, how, and after how much work.
///
/// ```
/// use meanwhile::jobs::misbehave::{End, Options};
/// use meanwhile::jobs::{Job as _, Step};
/// use meanwhile::join;
///
/// let options = Options { end: End::Error, item: 2, ..Options::default() };
/// let task = join::spawn("plan", move |context| {
///     let mut misbehaving = Vec::new();
///     options.plan(&[], context, &mut |item| misbehaving.push(item.step == Step::Misbehave));
///     misbehaving
/// })?;
/// assert_eq!(*task.join()?, [false, true, false]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
///
/// ```
/// use meanwhile::jobs::misbehave::End;
///
/// let titles: Vec<_> = End::ALL.iter().map(|end| end.title()).collect();
/// assert_eq!(titles[..2], ["Return", "Error"]);
/// ```
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
    /// Aborts, and says so on standard output before. This and what follows ends the process, or would keep its thread for ever, so it is
    /// refused anywhere but in an isolated worker.
    Abort,
    /// Is killed by `SIGSEGV`, as after an access to memory that is not there.
    Segfault,
    /// Calls itself until the stack is full.
    StackOverflow,
    /// Allocates memory without end; its worker gets a gigabyte.
    Allocate,
    /// Exits with code 7.
    Exit,
    /// Blocks for ever, deaf to a cancel.
    Block,
    /// Panics in a destructor that runs because of a panic.
    PanicWhileUnwinding,
}

impl End {
    /// Every way to end, in the order in which a person is offered them.
    pub const ALL: [Self; 16] = [
        Self::Return,
        Self::Error,
        Self::PanicStr,
        Self::PanicString,
        Self::PanicOther,
        Self::PanicInDrop,
        Self::PanicInPlan,
        Self::IgnoreCancel,
        Self::Sleep,
        Self::Abort,
        Self::Segfault,
        Self::StackOverflow,
        Self::Allocate,
        Self::Exit,
        Self::Block,
        Self::PanicWhileUnwinding,
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
            Self::Abort => "Abort",
            Self::Segfault => "Segmentation fault",
            Self::StackOverflow => "Stack overflow",
            Self::Allocate => "Allocate without end",
            Self::Exit => "Exit",
            Self::Block => "Block for ever",
            Self::PanicWhileUnwinding => "Panic while unwinding",
        }
    }

    /// Whether only an isolated worker may end like that.
    pub fn needs_isolation(self) -> bool {
        matches!(
            self,
            Self::Abort
                | Self::Segfault
                | Self::StackOverflow
                | Self::Allocate
                | Self::Exit
                | Self::Block
                | Self::PanicWhileUnwinding
        )
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
        if matches!(item.step, Step::Misbehave) && self.end.needs_isolation() {
            return Err(self.refusal(&item.input));
        }
        self.run_isolated(item, context)
    }

    fn run_isolated(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let chosen = matches!(item.step, Step::Misbehave);
        self.work(chosen, context);
        if chosen {
            self.misbehave(&item.input)?;
        }
        Ok(Output::Text {
            text: format!("{} is done", item.input.display()),
        })
    }

    fn address_space_limit(&self) -> Option<u64> {
        (self.end == End::Allocate).then_some(fatal::ADDRESS_SPACE)
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

    fn refusal(&self, input: &Path) -> ItemError {
        ItemError {
            kind: "needs_isolation".to_owned(),
            message: format!(
                "{} did not do it, because this end (`{}`) would take the whole program along; run it \
                 on processes",
                input.display(),
                self.end.title()
            ),
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
            End::Abort => fatal::abort(input),
            End::Segfault => fatal::segfault(),
            End::StackOverflow => {
                fatal::overflow(0);
                Ok(())
            }
            End::Allocate => fatal::allocate(input),
            End::Exit => fatal::exit(),
            End::Block => fatal::block(),
            End::PanicWhileUnwinding => fatal::panic_while_unwinding(),
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
