//! The question whether two files have the same digest, or one file that of a text.

use eframe::egui::{RichText, TextEdit, Ui};

use crate::format;
use crate::jobs::Output;
use crate::record::{ItemId, ItemRecord, ItemState, JobRecord};
use crate::ui::status_style::{Mark, mark_ui};
use crate::ui::tokens::tokens;
use crate::ui::widgets::dialog_ui;

const WIDTH: f32 = 560.0;

/// The rows that are compared.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    pub(super) first: ItemId,
    /// `None`: with the digest that the user pastes.
    pub(super) second: Option<ItemId>,
    pub(super) pasted: String,
    /// Whether it has been drawn.
    is_open: bool,
}

impl Comparison {
    pub(super) fn new(first: ItemId, second: Option<ItemId>) -> Self {
        Self {
            first,
            second,
            pasted: String::new(),
            is_open: false,
        }
    }
}

/// Draws the comparison in front of everything else. Returns whether it goes on.
pub(super) fn compare_ui(comparison: &mut Comparison, job: &JobRecord, ui: &Ui) -> bool {
    let Some(first) = job.item(comparison.first) else {
        return false;
    };
    let second = comparison.second.and_then(|item| job.item(item));
    let modal = dialog_ui("Compare", WIDTH, ui, |ui| {
        item_ui(first, ui);
        let verdict = match second {
            Some(second) => {
                item_ui(second, ui);
                Some(compared(first, second))
            }
            None => pasted_ui(comparison, first, ui),
        };
        ui.add_space(6.0);
        // An empty line keeps the place.
        ui.horizontal(|ui| match verdict {
            Some(verdict) => verdict_ui(&verdict, ui),
            None => drop(ui.label("")),
        });
        ui.add_space(6.0);
        ui.button("Close").clicked()
    });
    comparison.is_open = true;
    !(modal.inner || modal.should_close())
}

fn item_ui(item: &ItemRecord, ui: &mut Ui) {
    ui.add_space(4.0);
    ui.label(format::path(&item.input));
    for (algorithm, digest) in digests(item) {
        let text = RichText::new(format!("{algorithm} {digest}")).monospace();
        ui.add(eframe::egui::Label::new(text).wrap());
    }
}

fn pasted_ui(comparison: &mut Comparison, item: &ItemRecord, ui: &mut Ui) -> Option<Verdict> {
    ui.add_space(4.0);
    let label = ui.label("Digest to compare with");
    let edit = TextEdit::singleline(&mut comparison.pasted)
        .hint_text("paste it here")
        .desired_width(f32::INFINITY);
    let edit = ui.add(edit).labelled_by(label.id);
    if !comparison.is_open {
        edit.request_focus();
    }
    let pasted = comparison.pasted.trim();
    let output = output(item).filter(|_| !pasted.is_empty())?;
    Some(match output.has_digest(pasted) {
        Ok(is_same) => Verdict::of(is_same),
        Err(problem) => Verdict::Unknown(problem),
    })
}

enum Verdict {
    Same,
    Different,
    Unknown(String),
}

impl Verdict {
    fn of(is_same: bool) -> Self {
        if is_same { Self::Same } else { Self::Different }
    }
}

/// Compares the digests that both have.
fn compared(first: &ItemRecord, second: &ItemRecord) -> Verdict {
    let other = digests(second);
    let mut pairs = digests(first)
        .into_iter()
        .filter_map(|(algorithm, digest)| {
            let (_, other) = other.iter().find(|(other, _)| *other == algorithm)?;
            Some(digest == *other)
        })
        .peekable();
    if pairs.peek().is_none() {
        return Verdict::Unknown("They have no digest of the same kind.".to_owned());
    }
    Verdict::of(pairs.all(|is_same| is_same))
}

fn output(item: &ItemRecord) -> Option<&Output> {
    match &item.state {
        ItemState::Returned(output) => Some(output),
        _ => None,
    }
}

fn digests(item: &ItemRecord) -> Vec<(String, &str)> {
    output(item).map(Output::digests).unwrap_or_default()
}

fn verdict_ui(verdict: &Verdict, ui: &mut Ui) {
    let tokens = tokens(ui);
    let (mark, color, text) = match verdict {
        Verdict::Same => (Mark::Disc, tokens.returned, "The digests are the same."),
        Verdict::Different => (Mark::Cross, tokens.failed, "The digests are different."),
        Verdict::Unknown(problem) => (Mark::Warning, tokens.timed_out, problem.as_str()),
    };
    mark_ui(ui, mark, color);
    let label = ui.label(RichText::new(text).strong());
    ui.ctx().accesskit_node_builder(label.id, |node| {
        node.set_live(eframe::egui::accesskit::Live::Polite);
    });
}
