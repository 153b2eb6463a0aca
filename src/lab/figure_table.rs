//! The figures of a run as one table, read by the CSV export and the page.

use super::figures::Figures;
use super::metric::Metric;
use super::unit::Unit;

/// One figure: its names, its unit, and how to read it from a run.
pub struct Figure {
    /// The column in a CSV file.
    pub id: &'static str,
    /// The name on screen. One that begins with `…` belongs to the figure above.
    pub title: &'static str,
    /// One sentence of explanation.
    pub hint: &'static str,
    /// The unit of its values.
    pub unit: Unit,
    /// The metric that compares variants by this figure.
    pub metric: Option<Metric>,
    /// The value of a run; `None` if the run did not measure it.
    pub value: fn(&Figures) -> Option<f64>,
}

/// All figures, in the order of the table.
pub static FIGURES: [Figure; 22] = [
    figure(
        "frame_gap_p50_ms",
        "Frame gap, p50",
        "From the beginning of a frame to that of the next: half are shorter.",
        |run| Some(run.frame_gap_ms?.p50),
    ),
    figure(
        "frame_gap_p95_ms",
        "… p95",
        "95 of 100 frame gaps are shorter.",
        |run| Some(run.frame_gap_ms?.p95),
    )
    .metric(Metric::FrameGaps),
    figure(
        "frame_gap_p99_ms",
        "… p99",
        "99 of 100 frame gaps are shorter.",
        |run| Some(run.frame_gap_ms?.p99),
    ),
    figure(
        "frame_gap_max_ms",
        "… longest",
        "The longest time without a new frame.",
        |run| Some(run.frame_gap_ms?.max),
    ),
    figure(
        "frame_time_p50_ms",
        "Frame time, p50",
        "From the beginning of a frame until it is drawn: half are shorter.",
        |run| Some(run.frame_ms?.p50),
    ),
    figure(
        "input_latency_p50_ms",
        "Input latency, p50",
        "From an input (60 a second) to the frame that handles it: half are shorter.",
        |run| Some(run.input_latency_ms?.p50),
    ),
    figure(
        "input_latency_p95_ms",
        "… p95",
        "95 of 100 inputs waited less.",
        |run| Some(run.input_latency_ms?.p95),
    ),
    figure(
        "input_latency_max_ms",
        "… longest",
        "The longest time that an input waited for a frame.",
        |run| Some(run.input_latency_ms?.max),
    ),
    figure(
        "frozen_ms",
        "Frozen",
        "The sum of all frame gaps above 100 ms.",
        |run| Some(run.frozen_ms),
    )
    .metric(Metric::Frozen),
    figure(
        "time_to_result_ms",
        "Time to result",
        "From the end of the work to the frame that shows its result.",
        |run| run.time_to_result_ms,
    )
    .metric(Metric::TimeToResult),
    figure(
        "needed_input",
        "… only after an input",
        "Whether the result appeared only once the mouse moved.",
        |run| Some(f64::from(u8::from(run.needed_input))),
    )
    .unit(Unit::YesNo),
    figure(
        "time_to_close_ms",
        "Time to close",
        "From the request to close the window until it has closed.",
        |run| run.time_to_close_ms,
    )
    .metric(Metric::TimeToClose),
    figure(
        "step_us",
        "Step of the work",
        "The time of a small step, its progress update included.",
        |run| run.step_us,
    )
    .unit(Unit::Micros)
    .metric(Metric::StepTime),
    figure(
        "ui_cpu_ms",
        "CPU, UI thread",
        "Processor time of the thread that draws.",
        |run| Some(run.ui_cpu_ms),
    ),
    figure(
        "process_cpu_ms",
        "CPU, process",
        "Processor time of the whole measured program, its work included.",
        |run| Some(run.process_cpu_ms),
    ),
    figure(
        "watched_ms",
        "Watched",
        "From the click on Start to the end of the measurement.",
        |run| Some(run.watched_ms),
    ),
    figure(
        "repaints_per_sec",
        "Repaints",
        "Frames drawn per second.",
        |run| Some(run.repaints_per_sec),
    )
    .unit(Unit::PerSec),
    figure(
        "idle_repaints_per_sec",
        "… without a change",
        "Frames per second that show the same text as the frame before.",
        |run| Some(run.idle_repaints_per_sec),
    )
    .unit(Unit::PerSec)
    .metric(Metric::IdleRepaints),
    figure(
        "clicks_made",
        "Clicks made",
        "Clicks on the counter, made by the simulated user.",
        |run| Some(run.clicks.made as f64),
    )
    .unit(Unit::Count),
    figure(
        "clicks_in_time",
        "… shown in time",
        "Clicks shown within 200 ms.",
        |run| Some(run.clicks.in_time as f64),
    )
    .unit(Unit::Count),
    figure(
        "clicks_late",
        "… shown late",
        "Clicks shown after more than 200 ms.",
        |run| Some(run.clicks.late as f64),
    )
    .unit(Unit::Count),
    figure(
        "clicks_lost",
        "… lost",
        "Clicks merged into one because no frame came between them.",
        |run| Some(run.clicks.lost as f64),
    )
    .unit(Unit::Count),
];

const fn figure(
    id: &'static str,
    title: &'static str,
    hint: &'static str,
    value: fn(&Figures) -> Option<f64>,
) -> Figure {
    Figure {
        id,
        title,
        hint,
        unit: Unit::Millis,
        metric: None,
        value,
    }
}

impl Figure {
    const fn unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        self
    }

    const fn metric(mut self, metric: Metric) -> Self {
        self.metric = Some(metric);
        self
    }
}
