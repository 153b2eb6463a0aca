//! Opens the window and works in it the way a user does.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{self, Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, HarnessBuilder, Node};
use meanwhile::app::{
    App, DetachedJobs, DialogAnswer, DialogFuture, DialogRequest, Dialogs, Opener, Setup,
};
use meanwhile::join::process::Launcher;
use meanwhile::pages::command_table;
use meanwhile::pages::commands::UiCommand;
use meanwhile::pages::workbench::command as workbench;

/// Nothing in these tests takes a second, but a busy machine may need longer.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Frames after which a list has scrolled to its end.
const SCROLL_STEPS: usize = 30;

/// The window, with settings in a folder of its own and dialogs that the test answers.
pub(crate) struct Window {
    pub(crate) harness: Harness<'static, App>,
    pub(crate) dialogs: FakeDialogs,
    pub(crate) opener: FakeOpener,
    pub(crate) detached: DetachedJobs,
    pub(crate) dir: tempfile::TempDir,
}

impl Window {
    /// A window without inputs.
    pub(crate) fn open() -> Self {
        Self::open_with(&[])
    }

    /// A window that was started with files.
    pub(crate) fn open_with(files: &[PathBuf]) -> Self {
        Self::open_in(tempfile::tempdir().expect("a folder for the test"), files)
    }

    /// A window whose settings are in `dir`.
    pub(crate) fn open_in(dir: tempfile::TempDir, files: &[PathBuf]) -> Self {
        Self::build(Harness::builder(), dir, files)
    }

    /// A window that can't start processes: the program that would start them does not exist.
    pub(crate) fn open_without_launcher() -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let launcher = Launcher::of_program(dir.path().join("not there"));
        Self::build_with(Harness::builder(), dir, &[], Some(launcher))
    }

    /// A window that starts this program in place of its own.
    pub(crate) fn open_with_program(program: PathBuf) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        let launcher = Launcher::of_program(program);
        Self::build_with(Harness::builder(), dir, &[], Some(launcher))
    }

    /// A window of a program that has no launcher.
    pub(crate) fn open_without_any_launcher() -> Self {
        let dir = tempfile::tempdir().expect("a folder for the test");
        Self::build_with(Harness::builder(), dir, &[], None)
    }

    /// A window that takes the files of other starts.
    #[cfg(target_os = "linux")]
    pub(crate) fn open_with_instance(
        dir: tempfile::TempDir,
        instance: meanwhile::app::instance::Instance,
    ) -> Self {
        let builder = Harness::builder();
        Self::build_of(builder, dir, |setup| setup.instance = Some(instance))
    }

    pub(crate) fn build(
        builder: HarnessBuilder<App>,
        dir: tempfile::TempDir,
        files: &[PathBuf],
    ) -> Self {
        let launcher = Launcher::of_program(env!("CARGO_BIN_EXE_meanwhile"));
        Self::build_with(builder, dir, files, Some(launcher))
    }

    fn build_with(
        builder: HarnessBuilder<App>,
        dir: tempfile::TempDir,
        files: &[PathBuf],
        launcher: Option<Launcher>,
    ) -> Self {
        Self::build_of(builder, dir, |setup| {
            setup.files = files.to_vec();
            setup.launcher = launcher;
        })
    }

    fn build_of(
        builder: HarnessBuilder<App>,
        dir: tempfile::TempDir,
        change: impl FnOnce(&mut Setup),
    ) -> Self {
        let dialogs = FakeDialogs::default();
        let mut setup = Setup::new(Vec::new(), dir.path(), Box::new(dialogs.clone()));
        let opener = FakeOpener::default();
        setup.opener = Arc::new(opener.clone());
        change(&mut setup);
        let detached = setup.detached.clone();
        let mut harness = builder
            .with_size([1180.0, 780.0])
            .with_max_steps(200)
            .build_eframe(|creation| App::new(&creation.egui_ctx, setup));
        harness.step();
        harness.check_accessibility();
        Self {
            harness,
            dialogs,
            opener,
            detached,
            dir,
        }
    }

    /// Closes the window. Returns the jobs that go on without it.
    pub(crate) fn close(self) -> DetachedJobs {
        eframe::App::on_exit(&mut self.harness.into_state(), None);
        self.detached
    }

    /// Closes the window and opens another one with the same settings.
    pub(crate) fn reopen(self) -> Self {
        self.reopen_with(&[])
    }

    /// The same with files.
    pub(crate) fn reopen_with(self, files: &[PathBuf]) -> Self {
        let Self { harness, dir, .. } = self;
        eframe::App::on_exit(&mut harness.into_state(), None);
        Self::open_in(dir, files)
    }

    /// Presses the close button of the window. Returns whether the window would close.
    pub(crate) fn ask_to_close(&mut self) -> bool {
        self.root_events().push(ViewportEvent::Close);
        self.step();
        let closes = !self.has_sent(&ViewportCommand::CancelClose);
        self.root_events().clear();
        self.step();
        closes
    }

    fn root_events(&mut self) -> &mut Vec<ViewportEvent> {
        let viewports = &mut self.harness.input_mut().viewports;
        &mut viewports.entry(ViewportId::ROOT).or_default().events
    }

    /// Whether the last frame sent this command to the desktop.
    pub(crate) fn has_sent(&self, command: &ViewportCommand) -> bool {
        let output = &self.harness.output().viewport_output[&ViewportId::ROOT];
        output.commands.contains(command)
    }

    /// Draws a frame, in which every widget must have a name.
    pub(crate) fn step(&mut self) {
        self.harness.step();
        self.harness.check_accessibility();
    }

    /// Presses the one widget with this name, which must be enabled.
    pub(crate) fn click(&mut self, name: &str) {
        // What floats has its place from the second frame on.
        self.step();
        let node = self.named(name);
        assert!(
            !node.accesskit_node().is_disabled(),
            "{name} is greyed out.\n{}",
            self.texts()
        );
        node.click();
        self.step();
        self.step();
    }

    /// Presses the one widget whose name contains this. The rest of the name varies.
    pub(crate) fn click_part(&mut self, part: &str) {
        self.harness.get_by_label_contains(part).click();
        self.step();
        self.step();
    }

    /// The first cell of the table of results whose text contains this.
    pub(crate) fn cell<'a>(&'a self, part: &'a str) -> Node<'a> {
        let nodes = self.harness.query_all_by_label_contains(part);
        let mut cells = nodes.filter(|node| node.accesskit_node().role() == Role::Cell);
        let cell = cells.next();
        cell.unwrap_or_else(|| panic!("no cell contains {part}.\n{}", self.texts()))
    }

    /// Selects the row of that cell, and no other.
    pub(crate) fn select_row(&mut self, part: &str) {
        self.click_cell(part, Modifiers::NONE);
    }

    /// Clicks that cell with these keys held.
    pub(crate) fn click_cell(&mut self, part: &str, modifiers: Modifiers) {
        self.cell(part).click_modifiers(modifiers);
        self.step();
        self.step();
    }

    /// Opens the details of the row of that cell.
    pub(crate) fn open_details(&mut self, part: &str) {
        self.select_row(part);
        self.press_keys_of(workbench::OPEN_DETAILS);
    }

    /// Opens the menu of the row of that cell, or of all selected rows if it is one of them.
    pub(crate) fn open_menu(&mut self, part: &str) {
        self.cell(part).click_secondary();
        self.step();
        self.step();
    }

    /// The widget with this name. Labels and the cells of tables don't count.
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> Node<'a> {
        let nodes = self.harness.query_all_by_label(name);
        let mut widgets = nodes.filter(|node| {
            let role = node.accesskit_node().role();
            !matches!(role, Role::Label | Role::Cell | Role::Row)
        });
        let first = widgets.next();
        assert!(widgets.next().is_none(), "{name} is there more than once");
        first.unwrap_or_else(|| panic!("nothing is called {name}.\n{}", self.texts()))
    }

    pub(crate) fn is_enabled(&self, name: &str) -> bool {
        !self.named(name).accesskit_node().is_disabled()
    }

    /// Picks an entry of a combo box.
    pub(crate) fn choose(&mut self, combo_box: &str, entry: &str) {
        self.scroll_to(combo_box);
        self.click(combo_box);
        self.scroll_to(entry);
        self.click(entry);
        let chosen = self.named(combo_box).value();
        assert_eq!(chosen.as_deref(), Some(entry), "{combo_box}");
    }

    /// Scrolls until the widget with this name is in sight.
    pub(crate) fn scroll_to(&mut self, name: &str) {
        self.named(name).scroll_to_me();
        self.harness.run_steps(SCROLL_STEPS);
    }

    /// Sets a number.
    pub(crate) fn set(&mut self, name: &str, value: f64) {
        self.named(name).set_value_accesskit(value);
        self.step();
        self.step();
    }

    /// Types into a text field.
    pub(crate) fn type_into(&mut self, name: &str, text: &str) {
        self.named(name).focus();
        self.step();
        self.named(name).type_text(text);
        self.step();
        self.step();
    }

    pub(crate) fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.step();
        self.step();
    }

    /// Presses the keys of a command.
    pub(crate) fn press_keys_of(&mut self, command: UiCommand) {
        let row = command_table().find(|row| row.command == command);
        let keys = row.and_then(|row| row.shortcut);
        let keys = keys.expect("the command has keys");
        self.press(keys.modifiers, keys.logical_key);
    }

    /// Whether any text or name on screen contains this.
    pub(crate) fn shows(&self, text: &str) -> bool {
        let mut found = self.harness.query_all_by_label_contains(text);
        found.next().is_some()
    }

    /// How often a text is on screen.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.harness.query_all_by_label(text).count()
    }

    /// Draws frames until this is on screen.
    pub(crate) fn until(&mut self, text: &str) {
        self.until_it(|window| window.shows(text), text);
    }

    /// Draws frames until `condition` holds.
    pub(crate) fn until_it(&mut self, condition: impl Fn(&Self) -> bool, what: &str) {
        let start = Instant::now();
        while !condition(self) {
            assert!(
                start.elapsed() < TIMEOUT,
                "never came: {what}.\n{}",
                self.texts()
            );
            self.harness.step();
            // At the pace of a screen: workers run at background priority and would starve.
            std::thread::park_timeout(Duration::from_millis(8));
        }
        self.harness.check_accessibility();
    }

    /// Every text on screen from top to bottom, for failure messages.
    pub(crate) fn texts(&self) -> String {
        let nodes = self.harness.root().children_recursive();
        let texts = nodes.filter_map(|node| {
            let node = node.accesskit_node();
            let text = node.label().or_else(|| node.value())?;
            Some(format!("{:?} {text}", node.role()))
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The texts that contain `part`, from top to bottom.
    pub(crate) fn texts_with(&self, part: &str) -> Vec<String> {
        let nodes = self.harness.query_all_by_label_contains(part);
        let mut nodes: Vec<_> = nodes
            .filter(|node| node.accesskit_node().role() != Role::Row)
            .map(|node| (node.rect().top(), text(&node)))
            .collect();
        nodes.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        nodes.into_iter().filter_map(|(_, text)| text).collect()
    }

    /// Chooses the job `Misbehave`.
    pub(crate) fn misbehave(&mut self, end: &str, on_item: f64, items: f64, secs: f64) {
        self.choose("Job", "Misbehave");
        self.choose("Ends by", end);
        self.set("On item", on_item);
        self.set("Items", items);
        self.set("Seconds each", secs);
    }
}

/// The text of a label, or of a cell.
pub(crate) fn text(node: &Node<'_>) -> Option<String> {
    let node = node.accesskit_node();
    let is_cell = node.role() == Role::Cell;
    node.value().or_else(|| node.label().filter(|_| is_cell))
}

/// Writes a file into a folder and returns its path.
pub(crate) fn file(dir: &Path, name: &str, text: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("the folder of the test takes files");
    path
}

/// Dialogs that stay open until the test answers them.
#[derive(Clone, Default)]
pub(crate) struct FakeDialogs {
    asked: Rc<RefCell<Vec<DialogRequest>>>,
    answers: Rc<RefCell<VecDeque<DialogAnswer>>>,
}

impl FakeDialogs {
    /// The dialogs that were opened so far.
    pub(crate) fn asked(&self) -> Vec<DialogRequest> {
        self.asked.borrow().clone()
    }

    /// Answers the dialog that is open, or the next one.
    pub(crate) fn answer(&self, answer: DialogAnswer) {
        self.answers.borrow_mut().push_back(answer);
    }
}

impl Dialogs for FakeDialogs {
    fn open(&mut self, request: DialogRequest, _frame: &eframe::Frame) -> DialogFuture {
        self.asked.borrow_mut().push(request);
        let answers = Rc::clone(&self.answers);
        Box::pin(std::future::poll_fn(move |_| {
            match answers.borrow_mut().pop_front() {
                Some(answer) => Poll::Ready(answer),
                None => Poll::Pending,
            }
        }))
    }
}

/// Notes what would be opened, and may refuse it.
#[derive(Clone, Default)]
pub(crate) struct FakeOpener(Arc<Mutex<Opened>>);

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) in_folders: Vec<PathBuf>,
    pub(crate) refuses: bool,
}

impl FakeOpener {
    /// What was opened so far.
    pub(crate) fn opened(&self) -> Opened {
        self.0.lock().expect("no test panics with it").clone()
    }

    pub(crate) fn refuse(&self) {
        self.0.lock().expect("no test panics with it").refuses = true;
    }

    fn take(&self, take: impl FnOnce(&mut Opened)) -> io::Result<()> {
        let mut opened = self.0.lock().expect("no test panics with it");
        if opened.refuses {
            return Err(io::Error::other("there is no program for it"));
        }
        take(&mut opened);
        Ok(())
    }
}

impl Opener for FakeOpener {
    fn open(&self, path: &Path) -> io::Result<()> {
        self.take(|opened| opened.files.push(path.to_owned()))
    }

    fn show(&self, paths: &[PathBuf]) -> io::Result<()> {
        self.take(|opened| opened.in_folders.extend_from_slice(paths))
    }
}

/// A file dropped on the window.
#[derive(Debug)]
pub(crate) struct Dropped(pub(crate) PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        std::fs::read(&self.0).map_err(|error| error.to_string())
    }
}

/// A window with a job that sleeps for ten minutes.
pub(crate) fn with_a_long_job() -> Window {
    let mut window = Window::open();
    window.misbehave("Sleep", 1.0, 1.0, 600.0);
    window.click("Start");
    window.until("of 1 item");
    window
}
