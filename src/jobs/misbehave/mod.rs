//! The job `misbehave`: it ends the chosen item in the chosen way, to show and to test everything
//! but the happy path.

mod args;
mod fatal;
mod interface;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Item, ItemError, Job, Output, Plan, Step};
use crate::choice::choices;
use crate::join::{Cancelled, Context};

/// The item that misbehaves, its end, and its work before that.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// The end of the chosen item.
    pub end: Misbehaviour,
    /// The chosen item, from 1; 0 chooses every item.
    pub item: usize,
    /// The seconds that an item works before it ends. Invalid values (negative, infinite) count
    /// as 0.
    pub after: f64,
    /// The number of items if no inputs are given.
    pub count: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            end: Misbehaviour::Return,
            item: 1,
            after: 0.0,
            count: 3,
        }
    }
}

/// How the chosen item ends. Every other item works for its time and returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Misbehaviour {
    /// Returns normally.
    #[default]
    Return,
    /// Fails with an error of the job.
    Error,
    /// Panics with a literal.
    PanicStr,
    /// Panics with a formatted text.
    PanicString,
    /// Panics with a payload that is not a text.
    PanicOther,
    /// Panics in a destructor.
    PanicInDrop,
    /// Panics while the job plans, which ends the planning.
    PanicInPlan,
    /// Works for its time without checking for cancellation, then returns.
    IgnoreCancel,
    /// Sleeps for its time, checking for cancellation, then returns; the other items return at
    /// once.
    Sleep,
    /// Prints a line on standard output and aborts. From here on, each would end the program or
    /// block its thread forever, so it needs `--on process`.
    Abort,
    /// Is killed by `SIGSEGV`, as after an access to unmapped memory.
    Segfault,
    /// Recurses until the stack is full.
    StackOverflow,
    /// Allocates memory without end; its worker is limited to a gigabyte.
    Allocate,
    /// Exits with code 7.
    Exit,
    /// Blocks forever and ignores a cancel.
    Block,
    /// Panics in a destructor that runs because of a panic.
    PanicWhileUnwinding,
}

choices!(pub Misbehaviour {
    Return => "Return",
    Error => "Error",
    PanicStr => "Panic with &str",
    PanicString => "Panic with String",
    PanicOther => "Panic with another payload",
    PanicInDrop => "Panic in Drop",
    PanicInPlan => "Panic while planning",
    IgnoreCancel => "Ignore cancel",
    Sleep => "Sleep",
    Abort => "Abort",
    Segfault => "Segmentation fault",
    StackOverflow => "Stack overflow",
    Allocate => "Allocate without end",
    Exit => "Exit",
    Block => "Block forever",
    PanicWhileUnwinding => "Panic while unwinding",
});

impl Misbehaviour {
    /// Whether only an isolated worker may end like this.
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

    fn plan(
        &self,
        inputs: &[PathBuf],
        context: &Context,
        plan: &mut dyn Plan,
    ) -> Result<(), Cancelled> {
        if inputs.is_empty() {
            for number in 1..=self.count {
                context.check()?;
                plan.item(self.plan_item(number, PathBuf::from(format!("item {number}"))));
            }
        } else {
            for (index, input) in inputs.iter().enumerate() {
                context.check()?;
                plan.item(self.plan_item(index + 1, input.clone()));
            }
        }
        Ok(())
    }

    fn items_are_files(&self, has_inputs: bool) -> bool {
        has_inputs
    }

    fn run_item(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        if matches!(item.step, Step::Misbehave) && self.end.needs_isolation() {
            return Err(self.refusal(&item.input));
        }
        self.run_isolated(item, context)
    }

    fn run_isolated(&self, item: &Item, context: &Context) -> Result<Output, ItemError> {
        let is_chosen = matches!(item.step, Step::Misbehave);
        self.work(is_chosen, context)?;
        if is_chosen {
            self.misbehave(&item.input)?;
        }
        Ok(Output::Text {
            text: format!("{} is done", item.input.display()),
        })
    }

    /// Those of a job that ends at once, and all beside one that sleeps: so it can be seen what becomes of
    /// items that share a task.
    fn is_short(&self, _item: &Item) -> bool {
        self.after <= 0.0 || self.end == Misbehaviour::Sleep
    }

    fn address_space_limit(&self) -> Option<u64> {
        (self.end == Misbehaviour::Allocate).then_some(fatal::MAX_ADDRESS_SPACE_BYTES)
    }
}

impl Options {
    fn plan_item(&self, number: usize, input: PathBuf) -> Item {
        let is_chosen = self.item == 0 || self.item == number;
        assert!(
            !(is_chosen && self.end == Misbehaviour::PanicInPlan),
            "simulated panic while planning {}",
            input.display()
        );
        Item {
            input,
            bytes: 0,
            step: if is_chosen {
                Step::Misbehave
            } else {
                Step::Run
            },
        }
    }

    fn refusal(&self, input: &Path) -> ItemError {
        let message = format!(
            "{} was not run: `{}` would end the whole program; run it on processes",
            input.display(),
            self.end.title()
        );
        ItemError::new("needs_isolation", message)
    }

    fn work(&self, is_chosen: bool, context: &Context) -> Result<(), Cancelled> {
        let time = Duration::try_from_secs_f64(self.after).unwrap_or_default();
        match self.end {
            Misbehaviour::IgnoreCancel if is_chosen => sleep(time),
            Misbehaviour::Sleep if !is_chosen => {}
            _ => context.sleep(time)?,
        }
        Ok(())
    }

    fn misbehave(&self, input: &Path) -> Result<(), ItemError> {
        match self.end {
            Misbehaviour::Return
            | Misbehaviour::PanicInPlan
            | Misbehaviour::IgnoreCancel
            | Misbehaviour::Sleep => Ok(()),
            Misbehaviour::Error => {
                let message = format!("{}: simulated failure", input.display());
                Err(ItemError::new("misbehaved", message))
            }
            Misbehaviour::PanicStr => panic!("simulated panic"),
            Misbehaviour::PanicString => {
                panic!("{} misbehaved: a simulated panic", input.display())
            }
            Misbehaviour::PanicOther => std::panic::panic_any(Payload),
            Misbehaviour::PanicInDrop => {
                drop(PanicsInDrop);
                Ok(())
            }
            Misbehaviour::Abort => fatal::abort(input),
            Misbehaviour::Segfault => fatal::segfault(),
            Misbehaviour::StackOverflow => {
                fatal::overflow(0);
                Ok(())
            }
            Misbehaviour::Allocate => fatal::allocate(input),
            Misbehaviour::Exit => fatal::exit(),
            Misbehaviour::Block => fatal::block(),
            Misbehaviour::PanicWhileUnwinding => fatal::panic_while_unwinding(),
        }
    }
}

/// A payload without a message.
struct Payload;

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("simulated panic in a destructor");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the purpose of this job is to waste a worker's time"
)]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
