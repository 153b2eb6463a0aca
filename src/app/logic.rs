use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui::{self, ViewportCommand};

use super::dialog::{DialogAnswer, Purpose};
use super::{App, WindowPlace, chores};
use crate::board::JobBoard;
use crate::join;
use crate::record::{Backtrace, Event, EventKind, JobId, JobRecord, Record};
use crate::ui::close_question::Leaving;
use crate::ui::waits_pane::WaitRow;
use crate::ui::{Notice, Order, Pane, ResultsView};

/// Events are taken in portions, for at most this long in a frame; what is left comes in the next.
const EVENTS_AT_ONCE: usize = 256;
const TAKE_IN_FOR: Duration = Duration::from_micros(1_500);

/// Where frames are slow and events are left over, taking them in gets this share of the time, and
/// in a frame at most so much: else news would come in faster than they are shown, and a cancel
/// show after minutes.
const TAKE_IN_SHARE: u32 = 12;
const TAKE_IN_AT_MOST: Duration = Duration::from_millis(50);

/// Work shorter than this ends without asking for attention.
const LONG_WORK: Duration = Duration::from_secs(10);

/// How long a cancelled job may take to stop before the window closes over it, beyond the time that
/// it says it takes: the grace of a command is the person's own choice.
const LEAVE_WITHIN: Duration = Duration::from_secs(3);

/// How long the program waits in all, when the window has closed, for work that was cancelled, and
/// then for processes that were killed.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// More notices than this hide the work; the oldest go.
const KEPT_NOTICES: usize = 4;

impl App {
    /// Takes in everything that happened since the last frame. Nothing in here draws or waits.
    pub(super) fn take_in(&mut self, ctx: &egui::Context) {
        let incidents = &mut self.state.incidents;
        self.watch
            .poll()
            .for_each(|incident| incidents.push(incident));
        self.poll_board(ctx);
        #[cfg(target_os = "linux")]
        self.poll_lab();
        #[cfg(unix)]
        self.poll_lessons();
        self.poll_dialog(ctx);
        for done in self.chores.poll() {
            if let Some(text) = done.copy {
                ctx.copy_text(text);
            }
            self.notify(done.notice);
        }
        self.take_drops(ctx);
        self.update_order(ctx);
        self.update_waits();
        self.update_output(ctx);
        self.leave_or_stay(ctx);
        self.schedule(ctx);
    }

    pub(super) fn poll_board(&mut self, ctx: &egui::Context) {
        let began = Instant::now();
        let behind = self.behind_since.take();
        let behind = behind.map_or(Duration::ZERO, |since| began.duration_since(since));
        let limit = (behind / TAKE_IN_SHARE).clamp(TAKE_IN_FOR, TAKE_IN_AT_MOST);
        loop {
            for event in self.board.poll(EVENTS_AT_ONCE) {
                self.apply(event, ctx);
            }
            if self.board.wants_poll_in() != Some(Duration::ZERO) {
                break;
            }
            if began.elapsed() >= limit {
                self.behind_since = Some(began);
                break;
            }
        }
        let record = &self.record;
        self.resolving.retain(|&(job, key)| {
            let job = record.job(job);
            job.and_then(|job| job.panic(key))
                .is_some_and(|(_, backtrace)| *backtrace == Backtrace::Unresolved)
        });
    }

    fn apply(&mut self, event: Event, ctx: &egui::Context) {
        let ended = matches!(event.kind, EventKind::JobDidFinish { .. }).then_some(event.job);
        self.record.apply(event);
        if let Some(job) = ended {
            self.ask_attention(job, ctx);
        }
    }

    /// Once for each job, and only for long work behind another window.
    fn ask_attention(&self, job: JobId, ctx: &egui::Context) {
        let focused = ctx.input(|input| input.viewport().focused.unwrap_or(true));
        let now = self.board.now();
        let was_long = self
            .record
            .job(job)
            .is_some_and(|job| job.elapsed(now) >= LONG_WORK);
        if self.state.settings.ask_attention && was_long && !focused {
            let attention = egui::UserAttentionType::Informational;
            ctx.send_viewport_cmd(ViewportCommand::RequestUserAttention(attention));
        }
    }

    fn poll_dialog(&mut self, ctx: &egui::Context) {
        let Some(answer) = self
            .dialog
            .as_mut()
            .and_then(super::dialog::OpenDialog::poll)
        else {
            return;
        };
        let Some(dialog) = self.dialog.take() else {
            return;
        };
        self.view.dialog_open = false;
        match (answer, dialog.purpose) {
            (DialogAnswer::Cancelled, _) => {}
            (DialogAnswer::Unavailable, purpose) => self.notify(no_dialog(purpose)),
            (DialogAnswer::Picked(paths), Purpose::Inputs) => self.add_inputs(paths),
            (DialogAnswer::Picked(paths), purpose) => {
                for path in paths.into_iter().take(1) {
                    self.save(purpose, path, ctx);
                }
            }
        }
    }

    fn save(&mut self, purpose: Purpose, path: PathBuf, ctx: &egui::Context) {
        let now = self.board.now();
        match purpose {
            Purpose::Inputs => {}
            Purpose::OutputFolder => self.state.choices.save_to(path),
            #[cfg(target_os = "linux")]
            Purpose::LabReport => self.save_lab_report(path, ctx),
            Purpose::Report(id) => self.chore(id, "save report", ctx, move |job| {
                chores::save_report(job, now, &path)
            }),
            Purpose::List(id) => self.chore(id, "save list", ctx, move |job| {
                chores::save_list(job, &path)
            }),
            Purpose::Output(id, item, stream) => {
                let source = self.source(id, item);
                self.chore(id, "save output", ctx, move |_| {
                    chores::save_output(&source, stream, &path)
                });
            }
        }
    }

    /// Starts a chore with what is known of a job right now.
    pub(super) fn chore(
        &mut self,
        id: JobId,
        name: &str,
        ctx: &egui::Context,
        chore: impl FnOnce(&JobRecord) -> chores::Done + Send + 'static,
    ) {
        let Some(job) = self.record.job(id).cloned() else {
            return;
        };
        let started = self.chores.start(name, move || chore(&job), waker(ctx));
        if let Err(notice) = started {
            self.notify(notice);
        }
    }

    fn take_drops(&mut self, ctx: &egui::Context) {
        let dropped = ctx.input(|input| {
            let files = input.raw.dropped_files.iter();
            files.map(|file| file.path().to_owned()).collect::<Vec<_>>()
        });
        if !dropped.is_empty() {
            self.add_inputs(dropped);
        }
    }

    fn update_order(&mut self, ctx: &egui::Context) {
        let job = self.view.selected.and_then(|id| self.record.job(id));
        let again = self
            .ordering
            .update(job, &mut self.view.results, self.board.now(), waker(ctx));
        if let Some(again) = again {
            ctx.request_repaint_after(again);
        }
    }

    fn update_waits(&mut self) {
        self.waits.clear();
        if self.view.pane == Pane::Waits {
            let now = self.board.now();
            self.waits.extend(window_waits(&self.record, now));
            self.waits.extend(task_waits());
        }
    }

    /// Deadlines and progress need frames of their own; an idle window asks for none.
    fn schedule(&mut self, ctx: &egui::Context) {
        let now = self.board.now();
        let frames = self.frames.summary(now);
        // Once the window comes to rest, the status bar is brought to rest as well.
        let settle = if frames.repaints > 0 {
            Some(Duration::from_millis(1_050))
        } else {
            frames.worst.map(|_| Duration::from_millis(5_050))
        };
        let wanted = [
            self.board.wants_poll_in(),
            #[cfg(target_os = "linux")]
            self.lab.wants_poll_in(),
            #[cfg(unix)]
            self.lessons.wants_poll_in(),
            settle,
        ];
        if let Some(delay) = wanted.into_iter().flatten().min() {
            ctx.request_repaint_after(delay);
            self.frame_due_at = Some(now + delay);
        }
    }

    fn leave_or_stay(&mut self, ctx: &egui::Context) {
        let running = self.running_jobs() > 0;
        if ctx.input(|input| input.viewport().close_requested()) && running && !self.may_leave() {
            ctx.send_viewport_cmd(ViewportCommand::CancelClose);
            ctx.send_viewport_cmd(ViewportCommand::Focus);
            self.leaving.get_or_insert(Leaving::Asking);
        }
        match self.leaving {
            Some(Leaving::Asking) if !running => self.leaving = None,
            Some(Leaving::Waiting | Leaving::KeepingOn | Leaving::Cancelling)
                if self.may_leave() =>
            {
                ctx.send_viewport_cmd(ViewportCommand::Close);
            }
            _ => {}
        }
        if let Some(by) = self.leave_by {
            ctx.request_repaint_after(by.saturating_sub(self.board.now()));
        }
    }

    fn may_leave(&self) -> bool {
        let is_late = self.leave_by.is_some_and(|by| self.board.now() >= by);
        match self.leaving {
            None | Some(Leaving::Asking) => false,
            Some(Leaving::KeepingOn) => true,
            Some(Leaving::Waiting | Leaving::Cancelling) => self.running_jobs() == 0 || is_late,
        }
    }

    pub(super) fn leave_soon(&mut self) {
        self.leaving = Some(Leaving::Cancelling);
        let running: Vec<JobId> = self.running_ids().collect();
        let jobs = running.iter().filter_map(|&id| self.record.job(id));
        let stop_time = jobs.map(|job| job.spec().options.job().stop_time()).max();
        let stop_time = LEAVE_WITHIN.saturating_add(stop_time.unwrap_or_default());
        self.leave_by = self.board.now().checked_add(stop_time);
        for job in running {
            self.board.cancel(job);
        }
    }

    pub(super) fn running_jobs(&self) -> usize {
        self.running_ids().count()
    }

    fn running_ids(&self) -> impl Iterator<Item = JobId> {
        let running = self.record.jobs().filter(|job| !job.state().is_ended());
        running.map(JobRecord::id)
    }

    /// Adds what is not there yet, as absolute paths, so that they mean the same later.
    pub(super) fn add_inputs(&mut self, paths: Vec<PathBuf>) {
        for path in paths {
            let path = std::path::absolute(&path).unwrap_or(path);
            if !self.view.draft.inputs.contains(&path) {
                self.view.draft.inputs.push(path);
            }
        }
    }

    pub(super) fn notify(&mut self, notice: Notice) {
        if self.notices.len() == KEPT_NOTICES {
            self.notices.remove(0);
        }
        self.notices.push(notice);
    }

    pub(super) fn select(&mut self, job: JobId) {
        if self.view.selected != Some(job) {
            self.view.selected = Some(job);
            self.view.results = ResultsView {
                order: Order::AsFound,
                ..ResultsView::default()
            };
        }
    }

    /// Keeps the frame's time, and the settings where they changed.
    pub(super) fn end_frame(&mut self, ctx: &egui::Context) {
        let settings = &mut self.state.settings;
        if ctx.options(|options| options.theme_preference) != settings.theme.into() {
            ctx.set_theme(settings.theme);
        }
        self.state.page = self.view.page;
        if let Some(place) = window_place(ctx, self.state.window) {
            self.state.window = Some(place);
        }
        let now = self.board.now();
        let (notice, again) = self.store.keep(&self.state, now, waker(ctx), || panes(ctx));
        if let Some(notice) = notice {
            self.notify(notice);
        }
        if let Some(again) = again {
            ctx.request_repaint_after(again);
        }
        // Noted when it is drawn, so that the frame's own work counts, a blocking wait included.
        self.frames
            .begin_frame(self.board.now(), Some(self.frame_began_at));
    }

    /// Brings everything to a bounded end when the window has closed.
    pub(super) fn close(&mut self) {
        self.state.panes = panes(&self.ctx);
        self.store.finish(&self.state, Duration::from_secs(2));
        #[cfg(target_os = "linux")]
        self.lab.stop();
        #[cfg(unix)]
        self.lessons.close(CLOSE_WITHIN);
        if self.leaving == Some(Leaving::KeepingOn) {
            let jobs = self.running_ids().collect();
            let board = std::mem::replace(&mut self.board, JobBoard::new(|| {}));
            self.afterwards.keep(board, jobs);
        } else if self.board.shutdown(CLOSE_WITHIN) > 0 {
            #[cfg(unix)]
            self.kill_trees();
        }
    }

    /// Leaves nothing behind that was started: whatever is left of it had its time.
    #[cfg(unix)]
    fn kill_trees(&self) {
        let began = Instant::now();
        let jobs = self.running_ids();
        let processes = jobs.flat_map(|job| self.board.running_processes(job));
        let tasks = processes.filter_map(|(_, process)| {
            // One that can't be had ends with this program, like its process.
            join::spawn("kill what is left", move |_| process.stop(Duration::ZERO)).ok()
        });
        for task in tasks.collect::<Vec<_>>() {
            // Nobody is left to be told what could not be killed.
            drop(task.join_timeout(CLOSE_WITHIN.saturating_sub(began.elapsed())));
        }
    }
}

/// A function that asks the window for a frame, for other threads.
pub(super) fn waker(ctx: &egui::Context) -> impl Fn() + Send + 'static {
    let ctx = ctx.clone();
    move || ctx.request_repaint()
}

/// What egui remembers of panels and columns, as text.
fn panes(ctx: &egui::Context) -> String {
    ctx.data(ron::to_string).unwrap_or_default()
}

fn no_dialog(purpose: Purpose) -> Notice {
    let instead = match purpose {
        Purpose::Inputs => "Type the path into Path, or drop the files on the window.",
        Purpose::OutputFolder => "Type the path of the folder.",
        Purpose::Report(_) => "Copy report puts it on the clipboard.",
        Purpose::Output(..) => "Copy output puts its text on the clipboard.",
        #[cfg(target_os = "linux")]
        Purpose::LabReport => "On the command line, meanwhile lab run --format json prints one.",
        Purpose::List(_) => "On the command line, meanwhile run checksum --output FILE saves it.",
    };
    Notice::error(format!(
        "The desktop could not show a file dialog (no portal answered and zenity is not there). {instead}"
    ))
}

/// The waits of the window itself block nobody, so the join library does not know them.
fn window_waits(record: &Record, now: Duration) -> Vec<WaitRow> {
    let waits = record.jobs().flat_map(|job| {
        let target = crate::ui::jobs_panel::title(job);
        job.active_joins().map(move |join| WaitRow {
            waiter: "the window, in the background".to_owned(),
            target: target.clone(),
            left: join.remaining(now),
        })
    });
    waits.collect()
}

fn task_waits() -> Vec<WaitRow> {
    let waits = join::wait_graph().waits;
    // Thousands of tasks may run of which none waits.
    if waits.is_empty() {
        return Vec::new();
    }
    let names: BTreeMap<_, _> = join::enumerate()
        .into_iter()
        .map(|task| (task.id, task.name))
        .collect();
    let name = |id: join::TaskId| {
        let name = names.get(&id);
        name.map_or_else(|| format!("task {}", id.get()), ToString::to_string)
    };
    let now = Instant::now();
    let rows = waits.into_iter().map(|wait| WaitRow {
        waiter: match (wait.waiter, wait.thread_name) {
            (Some(id), _) => name(id),
            (None, Some(thread)) => format!("thread {thread}"),
            (None, None) => "a thread without a name".to_owned(),
        },
        target: match wait.process {
            Some(pid) => format!("process {pid}"),
            None => targets_text(&wait.targets, name),
        },
        left: wait
            .deadline
            .map(|deadline| deadline.saturating_duration_since(now)),
    });
    rows.collect()
}

fn targets_text(targets: &[join::TaskId], name: impl Fn(join::TaskId) -> String) -> String {
    const NAMED: usize = 3;
    let named: Vec<String> = targets.iter().take(NAMED).copied().map(name).collect();
    match targets.len().saturating_sub(NAMED) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn window_place(ctx: &egui::Context, before: Option<WindowPlace>) -> Option<WindowPlace> {
    let viewport = ctx.input(|input| input.viewport().clone());
    let size = viewport.inner_rect?.size();
    let maximized = viewport.maximized.unwrap_or(false) || viewport.fullscreen.unwrap_or(false);
    if let (true, Some(before)) = (maximized, before) {
        return Some(WindowPlace {
            maximized: viewport.maximized.unwrap_or(false),
            ..before
        });
    }
    Some(WindowPlace {
        position: viewport.outer_rect.map(|rect| rect.min.into()),
        size: size.into(),
        maximized,
    })
}
