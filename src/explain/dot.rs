//! Writes a [`WaitGraph`] for Graphviz.

use std::collections::BTreeSet;

use crate::graph::{Target, ThreadIndex, WaitGraph};

impl WaitGraph {
    /// Returns the graph in the language of Graphviz: a box for each process, a node for each thread, and
    /// an arrow to whom it waits for. Rings are red.
    #[must_use]
    pub fn dot(&self) -> String {
        let in_rings: BTreeSet<ThreadIndex> = self.rings().into_iter().flatten().collect();
        let is_in_ring = |index: ThreadIndex| in_rings.contains(&index);
        let words = self.words();
        let mut lines = vec![
            "digraph waits {".to_owned(),
            "  node [shape=box];".to_owned(),
        ];
        for (number, process) in self.processes.iter().enumerate() {
            let label = quoted(&format!("{} ({})", process.title_or_name(), process.pid));
            lines.push(format!("  subgraph cluster_{number} {{"));
            lines.push(format!("    label={label};"));
            for index in &process.threads {
                let thread = self.thread(*index);
                let what = format!(
                    "{} ({})\n{}",
                    thread.name,
                    thread.tid,
                    words.activity(*index)
                );
                let color = if is_in_ring(*index) { " color=red" } else { "" };
                let what = quoted(&what);
                lines.push(format!("    t{} [label={what}{color}];", index.0));
            }
            lines.push("  }".to_owned());
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
                    lines.push(format!("  t{number} -> t{}{color};", target.0));
                }
            }
        }
        lines.push("}\n".to_owned());
        lines.join("\n")
    }
}

/// Names hold no control characters, so only the line ends of the labels themselves are left.
fn quoted(text: &str) -> String {
    let text = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{text}\"")
}
