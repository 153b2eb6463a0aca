//! Starting jobs in the window.

use std::time::Duration;

use meanwhile::app::Store;
use meanwhile::jobs::Options;
use meanwhile::jobs::command::CommandLine;

use crate::session::Session;
use crate::window::Window;

/// The time between SIGTERM and SIGKILL in the commands of these tests.
pub(crate) const GRACE: Duration = Duration::from_secs(1);

/// Starts a job whose items work for `secs` seconds and then end in the chosen way.
pub(crate) fn misbehave(window: &Window<'_>, ends_by: &str, secs: f64) {
    window.choose("Job", "Misbehave");
    window.choose("Ends by", ends_by);
    window.set_number("Seconds each", secs);
    window.press("push button", "Start");
    window.wait_for_text("#1 Misbehave");
}

/// A window that runs a shell script as a command.
pub(crate) fn start_command<'a>(session: &'a Session, script: &str) -> Window<'a> {
    store_command(session, script);
    let window = Window::open(session, &[]);
    window.press("push button", "Start");
    window
}

/// Stores a shell script as the chosen command, as an earlier window would have done.
fn store_command(session: &Session, script: &str) {
    let dir = session.home().join("config/meanwhile");
    let (mut store, mut state, _) = Store::open(&dir);
    let choices = &mut state.pages.choices;
    let jobs = choices.jobs.iter_mut().enumerate();
    for (index, options) in jobs {
        if let Options::Command(options) = options {
            choices.chosen = index;
            options.command = CommandLine::Line(script.to_owned());
            options.shell = true;
            options.grace_secs = GRACE.as_secs_f64();
        }
    }
    store.finish(&state, Duration::from_secs(20));
    session.hand_over(&dir);
}
