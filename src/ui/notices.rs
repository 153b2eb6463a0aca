//! Messages, which float over the page, and the list of those that there were.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use eframe::egui::accesskit::Live;
use eframe::egui::{self, Align2, RichText, ScrollArea, Stroke, Ui, UiBuilder};

use super::layout::sides_ui;
use super::status_style::{Mark, mark_ui};
use super::tokens::tokens;
use super::widgets::button_width;
use crate::format;

/// An info leaves after this time; its text is in the list.
const READING_TIME: Duration = Duration::from_secs(10);

/// What the pointer rests on stays so much longer.
const TIME_AFTER_HOVER: Duration = Duration::from_secs(3);

/// More at once hide the work; the least severe go, and of those the oldest.
const MAX_FLOATING: usize = 4;

/// The list has so many; the oldest go.
const MAX_LISTED: usize = 100;

/// They take this share of the window's height at most; then they scroll.
const MAX_SHARE: f32 = 0.4;

const DISMISS: &str = "Dismiss";

const WIDTH: f32 = 460.0;
const MARGIN: f32 = 10.0;
const LIST_HEIGHT: f32 = 280.0;

/// The severity of a notice, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    /// Something succeeded, but not as expected.
    Warning,
    Error,
}

/// A message. An [info](Self::info) leaves by itself; the others stay until the user dismisses them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    /// The event and the advice.
    pub text: String,
    /// What can be done about it.
    pub actions: Vec<NoticeAction>,
}

/// What a message offers to do. The window does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeAction {
    /// Open this file with the program that the desktop has for it.
    Show(PathBuf),
    /// Show this file in its folder.
    OpenFolder(PathBuf),
    /// Take back what the message says. Its page knows this number.
    Undo(u64),
}

impl NoticeAction {
    fn title(&self) -> &'static str {
        match self {
            Self::Show(_) => "Show",
            Self::OpenFolder(_) => "Open folder",
            Self::Undo(_) => "Undo",
        }
    }

    fn tooltip(&self) -> &'static str {
        match self {
            Self::Show(_) => "Open the file with the program that the desktop has for it.",
            Self::OpenFolder(_) => "Show the file in its folder.",
            Self::Undo(_) => "Make it as it was before.",
        }
    }

    /// Whether it still makes sense when the message is old.
    fn lasts(&self) -> bool {
        !matches!(self, Self::Undo(_))
    }
}

impl Notice {
    pub fn info(text: impl Into<String>) -> Self {
        Self::new(Severity::Info, text)
    }

    /// Something succeeded, but not as expected.
    pub fn warning(text: impl Into<String>) -> Self {
        Self::new(Severity::Warning, text)
    }

    pub fn error(text: impl Into<String>) -> Self {
        Self::new(Severity::Error, text)
    }

    /// No file dialog could be shown. `instead` says what works.
    pub(crate) fn no_dialog(instead: &str) -> Self {
        Self::error(format!(
            "The desktop could not show a file dialog. Install xdg-desktop-portal-gtk or zenity. {instead}"
        ))
    }

    /// The file dialog did not say where the picked files are. `instead` says what works.
    pub(crate) fn no_path(instead: &str) -> Self {
        Self::error(format!(
            "The file dialog did not tell the path: the name is not UTF-8, or not on this computer. {instead}"
        ))
    }

    fn new(severity: Severity, text: impl Into<String>) -> Self {
        Self {
            severity,
            text: text.into(),
            actions: Vec::new(),
        }
    }

    /// The same with something that can be done about it.
    #[must_use]
    pub fn with(mut self, action: NoticeAction) -> Self {
        self.actions.push(action);
        self
    }
}

/// The messages of a window.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    floating: Vec<Floating>,
    /// The number of messages so far.
    count: u64,
    /// Oldest first.
    listed: VecDeque<Listed>,
}

#[derive(Debug)]
struct Floating {
    notice: Notice,
    /// A screen reader knows it by that, and says it again only if it comes again.
    number: u64,
    /// `None` for one that stays.
    leaves_at: Option<Duration>,
}

#[derive(Debug)]
struct Listed {
    notice: Notice,
    at: Duration,
    /// How many times it was said in a row.
    times: usize,
}

impl Notices {
    /// Shows a message, and lists it. The same message again takes the place of the earlier one.
    pub(crate) fn push(&mut self, notice: Notice, now: Duration) {
        match self.listed.back_mut() {
            Some(last) if last.notice == notice => {
                last.at = now;
                last.times += 1;
            }
            _ => {
                if self.listed.len() == MAX_LISTED {
                    self.listed.pop_front();
                }
                self.listed.push_back(Listed {
                    notice: notice.clone(),
                    at: now,
                    times: 1,
                });
            }
        }
        self.floating.retain(|floating| floating.notice != notice);
        let leaves = notice.severity == Severity::Info;
        self.count += 1;
        self.floating.push(Floating {
            notice,
            number: self.count,
            leaves_at: leaves.then(|| now.saturating_add(READING_TIME)),
        });
        if self.floating.len() > MAX_FLOATING {
            self.drop_least();
        }
    }

    /// Takes away the oldest of the least severe.
    fn drop_least(&mut self) {
        let numbered = self.floating.iter().enumerate();
        let least = numbered.min_by_key(|(_, floating)| floating.notice.severity);
        if let Some((index, _)) = least {
            self.floating.remove(index);
        }
    }

    /// Takes away what has been shown long enough. Returns the time until the next one leaves.
    pub(crate) fn poll(&mut self, now: Duration) -> Option<Duration> {
        self.floating
            .retain(|floating| floating.leaves_at.is_none_or(|at| at > now));
        let times = self
            .floating
            .iter()
            .filter_map(|floating| floating.leaves_at);
        times.min().map(|at| at.saturating_sub(now))
    }

    pub(crate) fn are_listed(&self) -> bool {
        !self.listed.is_empty()
    }

    /// Draws the messages over the page, the newest lowest, `bottom` above the lower edge of the window. Returns what
    /// the user wants done.
    pub(crate) fn floating_ui(
        &mut self,
        now: Duration,
        bottom: f32,
        ctx: &egui::Context,
    ) -> Option<NoticeAction> {
        if self.floating.is_empty() {
            return None;
        }
        let width = WIDTH.min(ctx.content_rect().width() - 2.0 * MARGIN);
        let area = egui::Area::new(egui::Id::unique("messages"))
            .anchor(Align2::RIGHT_BOTTOM, [-MARGIN, -bottom - MARGIN])
            .order(egui::Order::Foreground);
        let shown = area.show(ctx, |ui| {
            ui.set_width(width);
            // An area has no more room than it took before; without a least height, a new message would hide others.
            let height = MAX_SHARE * ctx.content_rect().height();
            ScrollArea::vertical()
                .max_height(height)
                .min_scrolled_height(height)
                .stick_to_bottom(true)
                .show(ui, |ui| self.each_ui(ui))
                .inner
        });
        if shown.response.contains_pointer() {
            let at_least = now.saturating_add(TIME_AFTER_HOVER);
            for at in self
                .floating
                .iter_mut()
                .filter_map(|f| f.leaves_at.as_mut())
            {
                *at = at_least.max(*at);
            }
        }
        let (index, answer) = shown.inner?;
        ctx.request_repaint();
        match answer {
            Answer::Dismiss => {
                self.floating.remove(index);
                None
            }
            Answer::Do(action) => {
                if !action.lasts() {
                    self.floating.remove(index);
                }
                Some(action)
            }
        }
    }

    /// Draws the messages that float. Returns the place of one, and what the user answers to it.
    fn each_ui(&self, ui: &mut Ui) -> Option<(usize, Answer)> {
        let mut answered = None;
        for (index, floating) in self.floating.iter().enumerate() {
            // Its ids stay when another message leaves, so that a screen reader does not say it again.
            let id = egui::Id::unique(("message", floating.number));
            let own = UiBuilder::new().scope_id(id);
            let answer = ui.scope_builder(own, |ui| notice_ui(&floating.notice, ui));
            answered = answer.inner.map(|answer| (index, answer)).or(answered);
        }
        answered
    }

    /// Draws all messages, the newest first. Returns what the user wants done.
    pub(crate) fn list_ui(&self, now: Duration, ui: &mut Ui) -> Option<NoticeAction> {
        ui.set_width(WIDTH.min(ui.ctx().content_rect().width() - 4.0 * MARGIN));
        let scroll = ScrollArea::vertical().max_height(LIST_HEIGHT);
        let shown = scroll.show(ui, |ui| {
            let mut asked = None;
            for (index, listed) in self.listed.iter().rev().enumerate() {
                let action = ui.push_id(index, |ui| listed_ui(listed, now, ui));
                asked = action.inner.or(asked);
            }
            asked
        });
        shown.inner
    }
}

/// What the user answers to a message.
enum Answer {
    Dismiss,
    Do(NoticeAction),
}

/// A button for each of these. Returns the one that was pressed.
fn actions_ui<'a>(
    actions: impl Iterator<Item = &'a NoticeAction>,
    ui: &mut Ui,
) -> Option<NoticeAction> {
    let mut asked = None;
    for action in actions {
        let button = ui.button(action.title()).on_hover_text(action.tooltip());
        if button.clicked() {
            asked = Some(action.clone());
        }
    }
    asked
}

fn listed_ui(listed: &Listed, now: Duration, ui: &mut Ui) -> Option<NoticeAction> {
    let age = format::age(now.saturating_sub(listed.at));
    let when = match listed.times {
        1 => age,
        times => format!("{} times, {age}", format::count(times)),
    };
    ui.horizontal_top(|ui| {
        let (mark, color) = mark_of(listed.notice.severity, ui);
        mark_ui(ui, mark, color);
        ui.vertical(|ui| {
            ui.add(egui::Label::new(&listed.notice.text).wrap());
            ui.label(RichText::new(when).small().weak());
            let mut actions = listed
                .notice
                .actions
                .iter()
                .filter(|it| it.lasts())
                .peekable();
            actions.peek()?;
            ui.horizontal(|ui| actions_ui(actions, ui)).inner
        })
        .inner
    })
    .inner
}

fn mark_of(severity: Severity, ui: &Ui) -> (Mark, egui::Color32) {
    let tokens = tokens(ui);
    match severity {
        Severity::Info => (Mark::Disc, tokens.returned),
        Severity::Warning => (Mark::Warning, tokens.timed_out),
        Severity::Error => (Mark::Cross, tokens.failed),
    }
}

/// Returns what the user answers. A screen reader says it.
fn notice_ui(notice: &Notice, ui: &mut Ui) -> Option<Answer> {
    let (mark, color) = mark_of(notice.severity, ui);
    let live = match notice.severity {
        Severity::Info | Severity::Warning => Live::Polite,
        Severity::Error => Live::Assertive,
    };
    egui::Frame::popup(ui.style())
        .stroke(Stroke::new(1.0, color))
        .corner_radius(6)
        .inner_margin(6)
        .show(ui, |ui| {
            let ((), dismiss) = sides_ui(
                button_width(DISMISS, ui),
                ui,
                |ui| {
                    mark_ui(ui, mark, color);
                    let label = ui.add(egui::Label::new(&notice.text).wrap());
                    ui.ctx()
                        .accesskit_node_builder(label.id, |node| node.set_live(live));
                },
                |ui| ui.button(DISMISS),
            );
            let asked = (!notice.actions.is_empty()).then(|| {
                let actions = notice.actions.iter();
                ui.horizontal(|ui| actions_ui(actions, ui)).inner
            });
            let asked = asked.flatten().map(Answer::Do);
            dismiss.clicked().then_some(Answer::Dismiss).or(asked)
        })
        .inner
}
