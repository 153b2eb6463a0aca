//! Writes a [`WaitGraph`] for Graphviz.

use std::fmt::Write as _;

use crate::graph::{Target, ThreadIndex, WaitGraph};

impl WaitGraph {
    /// Returns the graph in the language of Graphviz: a box for each process, a node for each thread, and
    /// an arrow to whom it waits for. Rings are red.
    #[must_use]
    pub fn dot(&self) -> String {
        let rings = self.rings();
        let is_in_ring = |index: ThreadIndex| rings.iter().any(|ring| ring.contains(&index));
        let mut dot = String::from("digraph waits {\n  node [shape=box];\n");
        for (number, process) in self.processes.iter().enumerate() {
            let label = quoted(&format!("{} ({})", process.name, process.pid));
            add(
                &mut dot,
                format_args!("  subgraph cluster_{number} {{\n    label={label};\n"),
            );
            for index in &process.threads {
                let thread = self.thread(*index);
                let what = format!(
                    "{} ({})\n{}",
                    thread.name,
                    thread.tid,
                    self.activity(*index)
                );
                let color = if is_in_ring(*index) { " color=red" } else { "" };
                let what = quoted(&what);
                add(
                    &mut dot,
                    format_args!("    t{} [label={what}{color}];\n", index.0),
                );
            }
            dot.push_str("  }\n");
        }
        for (number, thread) in self.threads.iter().enumerate() {
            for target in &thread.awaits {
                let target = match target {
                    Target::Thread(thread) => Some(*thread),
                    Target::Process(process) => self.first_thread(*process),
                };
                let in_ring = |target| is_in_ring(ThreadIndex(number)) && is_in_ring(target);
                if let Some(target) = target {
                    let color = if in_ring(target) { " [color=red]" } else { "" };
                    add(
                        &mut dot,
                        format_args!("  t{number} -> t{}{color};\n", target.0),
                    );
                }
            }
        }
        dot.push_str("}\n");
        dot
    }
}

fn add(dot: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = dot.write_fmt(arguments);
}

/// Names hold no control characters, so only the line ends of the labels themselves are left.
fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{text}\"")
}
