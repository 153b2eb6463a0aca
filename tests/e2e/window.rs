//! The program in its window. Widgets are found by role and name, as a screen reader finds them.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::child_guard::ChildGuard;
use crate::session::{Session, wait_until};

/// The system's own Python, which has the accessibility bindings if the first of the PATH lacks them.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// The program that is tested: that of this build, or the one that `MEANWHILE_TEST_PROGRAM` names.
pub(crate) fn program() -> String {
    std::env::var(OTHER_PROGRAM).unwrap_or_else(|_| env!("CARGO_BIN_EXE_meanwhile").to_owned())
}

/// The variable that names another build of the program.
pub(crate) const OTHER_PROGRAM: &str = "MEANWHILE_TEST_PROGRAM";

const ATSPI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/atspi.py");

/// The running program.
pub(crate) struct Window<'s> {
    session: &'s Session,
    program: ChildGuard,
    title: &'static str,
}

impl<'s> Window<'s> {
    /// Starts the program with `files` on its command line and waits for its window.
    pub(crate) fn open(session: &'s Session, files: &[&str]) -> Self {
        let mut command = session.command(&session.readable(&program()));
        let messages = File::create(messages_of(session)).expect("the home is ours");
        let window = Self {
            session,
            program: ChildGuard::start("meanwhile", command.args(files).stderr(messages)),
            title: "Meanwhile",
        };
        window.wait_for("the window", |tree| {
            tree.find("push button", "Start").map(|_| ())
        });
        window
    }

    /// Starts an example whose window has this title.
    pub(crate) fn of_example(session: &'s Session, file: &Path, title: &'static str) -> Self {
        let mut command = session.command(&file.to_string_lossy());
        Self {
            session,
            program: ChildGuard::start(&file.to_string_lossy(), &mut command),
            title,
        }
    }

    /// The id of the program's process.
    pub(crate) fn pid(&self) -> u32 {
        self.program.pid()
    }

    /// Presses the widget of this role and name, once it exists and is enabled.
    pub(crate) fn press(&self, role: &str, name: &str) {
        self.repeat(
            &format!("{role} {name:?} to take a press"),
            &["press", role, name],
        );
    }

    /// Presses the widget of this role and name if it exists and is enabled now. Returns whether it was.
    pub(crate) fn try_press(&self, role: &str, name: &str) -> bool {
        atspi(self.session, self.pid(), &["press", role, name]).is_ok()
    }

    /// Sets the spin button of this name to a value.
    pub(crate) fn set_number(&self, name: &str, value: f64) {
        self.repeat(
            &format!("{name:?} to take {value}"),
            &["set", "spin button", name, &value.to_string()],
        );
    }

    /// Puts `text` into the text field of this name, in place of what is there, by the keyboard.
    pub(crate) fn fill(&self, name: &str, text: &str) {
        self.wait_for_text(name);
        self.activate();
        let focus = || {
            let has_focus = |node: &&Node| node.states.iter().any(|state| state == "focused");
            let tree = self.tree()?;
            match tree
                .nodes
                .iter()
                .filter(|node| node.text.is_some())
                .find(has_focus)
            {
                Some(node) if node.name == name => Ok(()),
                _ => {
                    self.session.keyboard(&["key", "Tab"]);
                    Err("another widget has the focus".to_owned())
                }
            }
        };
        wait_until(&format!("{name:?} to get the focus"), focus, || {
            self.describe()
        });
        self.session.keyboard(&["key", "ctrl+a"]);
        self.session.keyboard(&["type", "--delay", "15", text]);
    }

    /// Presses keys in the window, by the names of xdotool.
    pub(crate) fn press_keys(&self, keys: &str) {
        self.activate();
        self.session.keyboard(&["key", keys]);
    }

    /// Opens the combo box `name`, picks `choice`, and closes the list with the Escape key.
    pub(crate) fn choose(&self, name: &str, choice: &str) {
        self.press("combo box", name);
        self.press_any(choice);
        self.session.keyboard(&["key", "Escape"]);
        self.wait_for(&format!("the list of {name:?} to close"), |tree| {
            tree.find("list box", "").is_none().then_some(())
        });
    }

    /// Presses the first widget of this name that is not a label, such as a tab or an entry of a list.
    pub(crate) fn press_any(&self, name: &str) {
        let role = self.wait_for(&format!("something to press named {name:?}"), |tree| {
            let mut named = tree.nodes.iter().filter(|node| node.name == name);
            named
                .find(|node| node.role != "label")
                .map(|node| node.role.clone())
        });
        self.press(&role, name);
    }

    /// Reads the tree until `find` returns a value.
    pub(crate) fn wait_for<T>(&self, what: &str, find: impl Fn(&Tree) -> Option<T>) -> T {
        let attempt = || find(&self.tree()?).ok_or_else(|| "it is not there".to_owned());
        wait_until(what, attempt, || self.describe())
    }

    /// Waits until a widget shows a text that contains `part`, and returns the whole text.
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

    /// Asks the window to close, with the keys of the window manager. They close the active window, so this
    /// one becomes it first.
    pub(crate) fn ask_to_close(&self) {
        self.activate();
        self.session.keyboard(&["key", "alt+F4"]);
    }

    fn activate(&self) {
        let title = format!("(^| ){}$", self.title);
        let window = ["search", "--onlyvisible", "--name", &title];
        let activate = ["windowactivate", "--sync"];
        self.session.keyboard(&[&window[..], &activate].concat());
    }

    /// Waits until the program ends, and returns what it has printed to stderr, too.
    pub(crate) fn wait_for_message(self) -> (ExitStatus, String) {
        let messages = messages_of(self.session);
        let status = self.wait_for_exit();
        (
            status,
            fs::read_to_string(messages).expect("messages are text"),
        )
    }

    /// Waits until the program ends.
    pub(crate) fn wait_for_exit(mut self) -> ExitStatus {
        let session = self.session;
        let attempt = || {
            self.program
                .exit_status()
                .ok_or_else(|| "it still runs".to_owned())
        };
        wait_until("the program to end", attempt, || session.save_picture())
    }

    /// The current content of the window, or an error while it has none.
    pub(crate) fn tree(&self) -> Result<Tree, String> {
        tree_of(self.session, self.pid())
    }

    fn repeat(&self, what: &str, args: &[&str]) {
        wait_until(
            what,
            || atspi(self.session, self.pid(), args),
            || self.describe(),
        );
    }

    /// The tree and a picture, for the message of a failed test.
    pub(crate) fn describe(&self) -> String {
        let tree = self
            .tree()
            .map_or_else(|error| error, |tree| tree.to_string());
        let messages = fs::read_to_string(messages_of(self.session)).unwrap_or_default();
        let picture = self.session.save_picture();
        format!("The window shows:\n{tree}\nmessages: {messages}\n{picture}")
    }
}

/// The file with what the program prints to stderr.
fn messages_of(session: &Session) -> PathBuf {
    session.home().join("messages")
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
    let script = session.readable(ATSPI);
    session.tool(python(session), &[&[&script, &*pid], args].concat())
}

/// The first Python that has the accessibility bindings.
pub(crate) fn python(session: &Session) -> &'static str {
    static FOUND: OnceLock<&str> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut pythons = PYTHONS.into_iter();
        let python = pythons.find(|python| session.tool(python, &["-c", "import gi"]).is_ok());
        python.expect("a Python with the module gi; tests/all.sh installs it")
    })
}

/// What a screen reader says of a window from now on.
pub(crate) struct Announcements {
    file: PathBuf,
    _listener: ChildGuard,
}

impl Announcements {
    pub(crate) fn of(window: &Window<'_>) -> Self {
        let session = window.session;
        let file = session.home().join("announcements");
        let mut listener = session.command(python(session));
        listener
            .args([
                &session.readable(ATSPI),
                &window.pid().to_string(),
                "listen",
            ])
            .stdout(File::create(&file).expect("the home is ours"));
        let announcements = Self {
            file,
            _listener: ChildGuard::start("atspi.py", &mut listener),
        };
        announcements.wait_for("listening");
        announcements
    }

    /// Waits until it has said something that contains `part`.
    pub(crate) fn wait_for(&self, part: &str) {
        let said = || fs::read_to_string(&self.file).expect("announcements are text");
        let has_said = || {
            let has_said = said().contains(part);
            has_said.then_some(()).ok_or("not said".to_owned())
        };
        wait_until(&format!("{part:?} to be said"), has_said, said);
    }
}

/// Everything that a window offers to a screen reader, in reading order.
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
}

/// A widget.
#[derive(Deserialize)]
pub(crate) struct Node {
    depth: usize,
    pub(crate) role: String,
    pub(crate) name: String,
    pub(crate) description: String,
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
            description: _,
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
