//! The program in its window, found and worked by role and name as a screen reader does.

use std::fmt;
use std::process::ExitStatus;

use serde::Deserialize;

use crate::owned::Owned;
use crate::session::{Session, wait_until};

/// Beside the PATH's python3 there may be one without the accessibility bindings; Debian's has them.
const PYTHON: &str = "/usr/bin/python3";
const ATSPI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/atspi.py");

/// The running program.
pub(crate) struct Window<'s> {
    session: &'s Session,
    program: Owned,
}

impl<'s> Window<'s> {
    /// Starts the program with `files` on its command line and waits for its window.
    pub(crate) fn open(session: &'s Session, files: &[&str]) -> Self {
        let mut command = session.command(env!("CARGO_BIN_EXE_meanwhile"));
        let program = Owned::start("meanwhile", command.args(files));
        let window = Self { session, program };
        window.wait_for("the window", |tree| {
            tree.find("push button", "Start").map(|_| ())
        });
        window
    }

    /// The program's process id.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Does what the widget of this role and name does, once it is there and enabled.
    pub(crate) fn press(&self, role: &str, name: &str) {
        self.act(
            &format!("{role} {name:?} to take a press"),
            &["press", role, name],
        );
    }

    /// Gives the spin button of this name a value.
    pub(crate) fn set_number(&self, name: &str, value: f64) {
        self.act(
            &format!("{name:?} to take {value}"),
            &["set", "spin button", name, &value.to_string()],
        );
    }

    /// Opens the combo box `name`, picks `choice`, and leaves the list with the Escape key.
    pub(crate) fn choose(&self, name: &str, choice: &str) {
        self.press("combo box", name);
        self.press_any(choice);
        self.session.keyboard(&["key", "Escape"]);
        self.wait_for(&format!("the list of {name:?} to close"), |tree| {
            tree.find("list box", "").is_none().then_some(())
        });
    }

    /// Presses whatever is named so and is no mere text: a tab, an entry of a list.
    pub(crate) fn press_any(&self, name: &str) {
        let role = self.wait_for(&format!("something to press named {name:?}"), |tree| {
            let mut named = tree.nodes.iter().filter(|node| node.name == name);
            named
                .find(|node| node.role != "label")
                .map(|node| node.role.clone())
        });
        self.press(&role, name);
    }

    /// Reads the tree until `look` finds what it wants in it.
    pub(crate) fn wait_for<T>(&self, what: &str, look: impl Fn(&Tree) -> Option<T>) -> T {
        let attempt = || look(&self.tree()?).ok_or_else(|| "it is not there".to_owned());
        wait_until(what, attempt, || self.seen())
    }

    /// Waits until some widget shows a text that contains `part`, and gives back the whole of it.
    pub(crate) fn wait_for_text(&self, part: &str) -> String {
        self.wait_for(&format!("the text {part:?}"), |tree| tree.text_with(part))
    }

    /// Waits until the spin button of this name shows `value`.
    pub(crate) fn wait_for_number(&self, name: &str, value: f64) {
        self.wait_for(&format!("{name:?} to show {value}"), |tree| {
            let shown = tree.find("spin button", name)?.value?;
            ((shown - value).abs() < 1e-6).then_some(())
        });
    }

    /// Waits for the program to end by itself.
    pub(crate) fn wait_for_the_end(mut self) -> ExitStatus {
        let session = self.session;
        let attempt = || {
            self.program
                .ended()
                .ok_or_else(|| "it still runs".to_owned())
        };
        wait_until("the program to end", attempt, || session.picture())
    }

    /// What is in the window now; an error when nothing is (yet).
    pub(crate) fn tree(&self) -> Result<Tree, String> {
        tree_of(self.session, self.pid())
    }

    fn act(&self, what: &str, args: &[&str]) {
        wait_until(
            what,
            || atspi(self.session, self.pid(), args),
            || self.seen(),
        );
    }

    /// The tree and a picture, for the message of a failure.
    pub(crate) fn seen(&self) -> String {
        let tree = self
            .tree()
            .map_or_else(|error| error, |tree| tree.to_string());
        format!("The window shows:\n{tree}\n{}", self.session.picture())
    }
}

/// The accessibility tree of the program `pid`.
pub(crate) fn tree_of(session: &Session, pid: u32) -> Result<Tree, String> {
    let json = atspi(session, pid, &["tree"])?;
    let nodes = serde_json::from_str(&json)
        .map_err(|error| format!("atspi.py printed no tree: {error}"))?;
    Ok(Tree { nodes })
}

fn atspi(session: &Session, pid: u32, args: &[&str]) -> Result<String, String> {
    let pid = pid.to_string();
    session.tool(PYTHON, &[&[ATSPI, &pid], args].concat())
}

/// Everything a window offers to a screen reader, in reading order.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

/// A widget.
#[derive(Deserialize)]
pub(crate) struct Node {
    depth: usize,
    pub(crate) role: String,
    pub(crate) name: String,
    pub(crate) states: Vec<String>,
    pub(crate) text: Option<String>,
    value: Option<f64>,
}

impl Tree {
    /// The first widget of this role and name.
    pub(crate) fn find(&self, role: &str, name: &str) -> Option<&Node> {
        self.nodes
            .iter()
            .find(|node| node.role == role && node.name == name)
    }

    /// The first name or content that contains `part`.
    pub(crate) fn text_with(&self, part: &str) -> Option<String> {
        let texts = self
            .nodes
            .iter()
            .flat_map(|node| [Some(&node.name), node.text.as_ref()]);
        texts.flatten().find(|text| text.contains(part)).cloned()
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Node {
            depth,
            role,
            name,
            states,
            text,
            value,
        } in &self.nodes
        {
            write!(f, "{:width$}{role} {name:?}", "", width = depth * 2)?;
            if let Some(text) = text.as_ref().filter(|text| *text != name) {
                write!(f, " text {text:?}")?;
            }
            if let Some(value) = value {
                write!(f, " value {value}")?;
            }
            writeln!(f, " [{}]", states.join(" "))?;
        }
        Ok(())
    }
}
