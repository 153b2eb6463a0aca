//! A lesson's child processes: this program, started with a role of the lesson and the lane that the
//! run has opened for it.

use parking_lot::Mutex;
use std::ffi::OsString;
use std::fs::File;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use super::lesson::LessonId;
use super::shared::{EventSink, RunSettings, RunShared, first_lane_of};
use super::trace::Trace;
use crate::join::process::{Builder, LaunchOptions, Launcher};
use crate::record::{LaneId, TimelineKind};

const SETTINGS_VARIABLE: &str = "MEANWHILE_LESSON";
const LANE_VARIABLE: &str = "MEANWHILE_LESSON_LANE";
const FOLDER_VARIABLE: &str = "MEANWHILE_LESSON_FOLDER";

/// The file in the folder of the run to which child processes append their events, and the socket with
/// which they say so.
pub(super) const EVENTS_FILE: &str = "events";
pub(super) const WAKE_SOCKET: &str = "wake";

/// Makes this program, as a child, call [`child_main`].
pub(super) fn set_arguments(program: Builder, lesson: &str, role: &str) -> Builder {
    program.args(["lesson-child", lesson, role]).name(role)
}

/// Passes on to a child process what its own trace needs.
pub(super) fn set_environment(builder: Builder, trace: &Trace) -> Builder {
    let RunShared {
        settings,
        folder,
        launcher,
        ..
    } = &*trace.shared;
    let settings = serde_json::to_string(settings).unwrap_or_default();
    builder
        .env(SETTINGS_VARIABLE, settings)
        .env(LANE_VARIABLE, trace.lane.get().to_string())
        .env(FOLDER_VARIABLE, folder)
        .launched_by(launcher, LaunchOptions::default())
}

/// Runs a role of a lesson, in a child process that the lesson has started.
///
/// # Errors
/// If there is no such role, if no lesson has started this process, or if the role fails.
pub fn child_main(lesson: LessonId, role: &str) -> anyhow::Result<ExitCode> {
    let mut roles = lesson.lesson().roles.iter();
    let (_, run) = roles
        .find(|(name, _)| *name == role)
        .with_context(|| format!("the lesson {lesson} has no role called `{role}`"))?;
    run(&inherited_trace()?)?;
    Ok(ExitCode::SUCCESS)
}

fn inherited_trace() -> anyhow::Result<Trace> {
    let settings = variable(SETTINGS_VARIABLE)?.into_encoded_bytes();
    let settings: RunSettings = serde_json::from_slice(&settings)?;
    let lane = variable(LANE_VARIABLE)?.to_string_lossy().parse()?;
    let folder = PathBuf::from(variable(FOLDER_VARIABLE)?);
    let events = File::options()
        .append(true)
        .open(folder.join(EVENTS_FILE))?;
    let wake = UnixDatagram::unbound()?;
    wake.connect(folder.join(WAKE_SOCKET))?;
    wake.set_nonblocking(true)?;
    let sink = EventSink::File(Mutex::new(events), wake);
    let launcher = Launcher::installed().context("this program has installed no launcher")?;
    let first_lane = first_lane_of(std::process::id());
    let trace = Trace {
        shared: RunShared::new(settings, sink, folder, launcher, first_lane),
        lane: LaneId::new(lane),
    };
    trace.record(0, TimelineKind::DidTell);
    Ok(trace)
}

fn variable(name: &str) -> anyhow::Result<OsString> {
    std::env::var_os(name)
        .with_context(|| format!("{name} is not set: only a lesson can start this process"))
}
