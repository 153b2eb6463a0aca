//! The figures of both halves of a pattern, side by side.

use eframe::egui::{self, Grid, RichText, Ui};

use crate::format;
use crate::lab::{Ending, Figures, Judged, PatternId, Report, Row, Script, UI_THREAD, Variant};
use crate::record::statistics::Centre;
use crate::ui::tokens::tokens;
use crate::ui::widgets::{Mark, mark_ui, number_ui};

/// A figure: its name, what it says, and how it is read from a run.
struct Figure {
    name: &'static str,
    /// It is what patterns are about that are judged so.
    judges: Option<Judged>,
    says: &'static str,
    of: fn(&Figures) -> Option<f64>,
}

/// From here on a figure is shown without a fraction.
const WHOLE: f64 = 100.0;

const NAME_WIDTH: f32 = 142.0;
const RATIO_WIDTH: f32 = 44.0;
const GAP: f32 = 6.0;

static FIGURES: [Figure; 20] = [
    Figure {
        name: "Frame gap (ms), p50",
        judges: None,
        says: "From the beginning of a frame to that of the next: half are below.",
        of: |run| Some(run.frame_gap_ms?.p50),
    },
    Figure {
        name: "… p95",
        judges: Some(Judged::FrameGaps),
        says: "95 of 100 frame gaps are below.",
        of: |run| Some(run.frame_gap_ms?.p95),
    },
    Figure {
        name: "… p99",
        judges: None,
        says: "99 of 100 frame gaps are below.",
        of: |run| Some(run.frame_gap_ms?.p99),
    },
    Figure {
        name: "… longest",
        judges: None,
        says: "The longest time without a frame.",
        of: |run| Some(run.frame_gap_ms?.max),
    },
    Figure {
        name: "Frame time (ms), p50",
        judges: None,
        says: "From the beginning of a frame until it is drawn: half take less.",
        of: |run| Some(run.frame_ms?.p50),
    },
    Figure {
        name: "Input latency (ms), p50",
        judges: None,
        says: "From an input, 60 of them a second, to the frame that has it: half are below.",
        of: |run| Some(run.input_latency_ms?.p50),
    },
    Figure {
        name: "… p95",
        judges: None,
        says: "95 of 100 inputs waited less.",
        of: |run| Some(run.input_latency_ms?.p95),
    },
    Figure {
        name: "… longest",
        judges: None,
        says: "The longest that an input waited for a frame.",
        of: |run| Some(run.input_latency_ms?.max),
    },
    Figure {
        name: "Frozen (ms)",
        judges: Some(Judged::Frozen),
        says: "All gaps above 100 ms together.",
        of: |run| Some(run.frozen_ms),
    },
    Figure {
        name: "Time to result (ms)",
        judges: Some(Judged::TimeToResult),
        says: "From the end of the work to the frame that shows it.",
        of: |run| run.time_to_result_ms,
    },
    Figure {
        name: "Time to close (ms)",
        judges: Some(Judged::TimeToClose),
        says: "From the wish to close the window until it is closed.",
        of: |run| run.time_to_close_ms,
    },
    Figure {
        name: "Step of the work (µs)",
        judges: Some(Judged::StepTime),
        says: "What a small step takes the thread that does it, with its update of the progress.",
        of: |run| run.step_us,
    },
    Figure {
        name: "UI thread, CPU (ms)",
        judges: None,
        says: "What the thread that draws used of a processor while it was watched.",
        of: |run| Some(run.ui_cpu_ms),
    },
    Figure {
        name: "Process, CPU (ms)",
        judges: None,
        says: "What the whole twin used of the processors, its work included.",
        of: |run| Some(run.process_cpu_ms),
    },
    Figure {
        name: "Repaints per second",
        judges: None,
        says: "Frames drawn, per second.",
        of: |run| Some(run.repaints_per_sec),
    },
    Figure {
        name: "… without a change",
        judges: Some(Judged::IdleRepaints),
        says: "Frames with the same text as the one before, per second.",
        of: |run| Some(run.idle_repaints_per_sec),
    },
    Figure {
        name: "Clicks made",
        judges: None,
        says: "On the counter, by the script.",
        of: |run| Some(run.clicks.made as f64),
    },
    Figure {
        name: "… shown in time",
        judges: None,
        says: "Within 200 ms.",
        of: |run| Some(run.clicks.in_time as f64),
    },
    Figure {
        name: "… shown late",
        judges: None,
        says: "After more than 200 ms.",
        of: |run| Some(run.clicks.late as f64),
    },
    Figure {
        name: "… lost",
        judges: None,
        says: "Never shown: of several that wait for one frame, a button counts one.",
        of: |run| Some(run.clicks.lost as f64),
    },
];

/// The table of a pattern, and why there is nothing where that is so.
pub(crate) fn figures_ui(report: &Report, pattern: PatternId, ui: &mut Ui) {
    let rows = Variant::ALL.map(|variant| report.row(pattern, variant));
    ui.spacing_mut().interact_size.y = 18.0;
    deaths_ui(rows, ui);
    let width = (ui.available_width() - NAME_WIDTH - RATIO_WIDTH - 3.0 * GAP) / 2.0;
    Grid::new("figures")
        .num_columns(4)
        .striped(true)
        .spacing([GAP, 2.0])
        .show(ui, |ui| {
            header_ui(rows, width, ui);
            endings_ui(rows, width, ui);
            for figure in &FIGURES {
                let is_judge = figure.judges == Some(pattern.entry().judged);
                figure_ui(figure, is_judge, rows, width, ui);
            }
            threads_ui(rows, width, ui);
        });
    if pattern.entry().script != Script::Probed {
        let note = "Measured without the probe, which would wake the window: no frame gaps, no \
                    input latency, no clicks.";
        ui.label(RichText::new(note).weak().small());
    }
}

fn header_ui(rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    cell_ui(NAME_WIDTH, ui, |ui| {
        let runs = rows.iter().flatten().map(|row| row.runs).max().unwrap_or(0);
        if runs > 1 {
            let text = format!("Median ± spread of {runs}");
            ui.label(RichText::new(text).weak());
        }
    });
    for title in ["Bad", "Fixed"] {
        cell_ui(width, ui, |ui| word_ui(ui, RichText::new(title).strong()));
    }
    cell_ui(RATIO_WIDTH, ui, |ui| {
        word_ui(ui, RichText::new("Ratio").strong());
    });
    ui.end_row();
}

fn endings_ui(rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    cell_ui(NAME_WIDTH, ui, |ui| {
        ui.label("How it ended");
    });
    for row in rows {
        let word = match row.map(|row| &row.ending) {
            None => "–",
            Some(Ending::Finished) => "finished",
            Some(Ending::Ended) => "had to be ended",
            Some(Ending::Died(_)) => "died",
            Some(Ending::Stopped) => "stopped",
        };
        cell_ui(width, ui, |ui| word_ui(ui, word.into()));
    }
    ui.end_row();
}

fn figure_ui(figure: &Figure, is_judge: bool, rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    let centres = rows.map(|row| row.and_then(|row| row.centre(figure.of)));
    let is_measured = rows.iter().flatten().any(|row| row.runs > 0);
    if is_measured && centres == [None; 2] {
        return;
    }
    cell_ui(NAME_WIDTH, ui, |ui| {
        let mut name = RichText::new(figure.name);
        if is_judge {
            name = name.underline();
        }
        ui.label(name).on_hover_ui(|ui| {
            ui.label(figure.says);
            if is_judge {
                ui.label("This is the figure that tells the halves of this pattern apart.");
            }
        });
    });
    for (row, centre) in rows.into_iter().zip(centres) {
        let text = match (row, centre) {
            (Some(row), Some(centre)) => figure_text(centre, row.runs > 1),
            _ => "–".to_owned(),
        };
        cell_ui(width, ui, |ui| number_ui(ui, text));
    }
    let ratio = match centres {
        [Some(bad), Some(fixed)] => ratio_text(bad.median, fixed.median),
        _ => String::new(),
    };
    cell_ui(RATIO_WIDTH, ui, |ui| number_ui(ui, ratio));
    ui.end_row();
}

/// What the threads used in the run that is the median one: those of one name are one line. What
/// the UI thread used stands above.
fn threads_ui(rows: [Option<&Row>; 2], width: f32, ui: &mut Ui) {
    let halves = rows.map(|row| row.and_then(|row| row.figures.as_ref()));
    let threads = halves.map(|run| run.map_or(&[][..], |run| &run.threads));
    let mut named: Vec<(&str, usize)> = Vec::new();
    for thread in threads.iter().copied().flatten() {
        if thread.name == UI_THREAD {
            continue;
        }
        match named.iter_mut().find(|(name, _)| *name == thread.name) {
            Some((_, most)) => *most = thread.threads.max(*most),
            None => named.push((&thread.name, thread.threads)),
        }
    }
    for (name, most) in named {
        cell_ui(NAME_WIDTH, ui, |ui| {
            let text = match most {
                1 => format!("CPU of {name} (ms)"),
                more => format!("CPU of {more} {name} (ms)"),
            };
            let label = egui::Label::new(text).truncate();
            ui.add(label).on_hover_text(
                "What threads of this name used of the processors, as far as they lived when the \
                 work ended or the watch did.",
            );
        });
        for threads in threads {
            let used = threads.iter().find(|thread| thread.name == name);
            let text = used.map_or("–".to_owned(), |thread| number(thread.cpu_ms));
            cell_ui(width, ui, |ui| number_ui(ui, text));
        }
        cell_ui(RATIO_WIDTH, ui, |_| {});
        ui.end_row();
    }
}

/// Why a twin died, in full.
fn deaths_ui(rows: [Option<&Row>; 2], ui: &mut Ui) {
    for row in rows.into_iter().flatten() {
        if let Ending::Died(how) = &row.ending {
            ui.horizontal_top(|ui| {
                mark_ui(ui, Mark::Star, tokens(ui).crashed);
                let text = format!("{}: {how}", row.variant.title());
                ui.add(egui::Label::new(text).wrap());
            });
        }
    }
}

/// The spread is no more precise than the median.
fn figure_text(centre: Centre, is_repeated: bool) -> String {
    let median = number(centre.median);
    if !is_repeated {
        return median;
    }
    let spread = if centre.median >= WHOLE {
        centre.deviation.round()
    } else {
        centre.deviation
    };
    format!("{median} ±{}", number(spread))
}

/// In three digits at least, without a fraction that says nothing.
pub(super) fn number(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and figures are not negative"
    )]
    let whole = value.round() as u64;
    if value >= WHOLE || (value - value.round()).abs() < 1e-9 {
        format::count(whole)
    } else {
        format!("{value:.1}")
    }
}

/// How many times the bad half's figure is the fixed one's.
pub(super) fn ratio_text(bad: f64, fixed: f64) -> String {
    let ratio = bad / fixed;
    if !ratio.is_finite() {
        String::new()
    } else if ratio >= 10.0 {
        format!("{ratio:.0}×")
    } else {
        format!("{ratio:.1}×")
    }
}

pub(super) fn word_ui(ui: &mut Ui, text: RichText) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.add_space(4.0);
        ui.add(egui::Label::new(text).truncate());
    });
}

pub(super) fn cell_ui(width: f32, ui: &mut Ui, contents: impl FnOnce(&mut Ui)) {
    let height = ui.spacing().interact_size.y;
    ui.allocate_ui_with_layout(
        egui::vec2(width, height),
        egui::Layout::left_to_right(egui::Align::Center),
        |ui| {
            ui.set_min_size(egui::vec2(width, height));
            contents(ui);
        },
    );
}
