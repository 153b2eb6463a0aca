//! Functions that get the lines of a process.

use std::fmt;
use std::sync::{Arc, Mutex};

use super::super::callback_threads;
use super::super::panic::{contain, drop_contained};
use super::super::sync::lock;
use super::line::{Line, LineReader, NextLine};
use super::output::{Stream, StreamCapture};
use super::turns::Turns;

/// A function that gets the lines of a stream.
#[derive(Clone)]
pub(super) struct OnLine {
    pub(super) stream: Stream,
    pub(super) function: Arc<dyn Fn(Line) + Send + Sync>,
}

impl fmt::Debug for OnLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnLine")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

/// Gives the lines of a process to a function, on the threads for callbacks.
pub(super) struct Follower {
    stream: Stream,
    turns: Turns,
    /// `None` during a turn, and after the last line.
    following: Mutex<Option<Following>>,
}

struct Following {
    function: Arc<dyn Fn(Line) + Send + Sync>,
    lines: LineReader,
}

impl Follower {
    pub(super) fn new(on_line: OnLine, capture: Arc<StreamCapture>) -> Arc<Self> {
        Arc::new(Self {
            stream: on_line.stream,
            turns: Turns::new(),
            following: Mutex::new(Some(Following {
                function: on_line.function,
                lines: LineReader::new(capture),
            })),
        })
    }

    pub(super) fn stream(&self) -> Stream {
        self.stream
    }

    /// Has the new lines given to the function, soon, on another thread. Does not block.
    pub(super) fn wake(self: &Arc<Self>) {
        if self.turns.ask() {
            let follower = self.clone();
            callback_threads::run(vec![Box::new(move || follower.run())]);
        }
    }

    fn run(&self) {
        loop {
            self.give_lines();
            if !self.turns.end() {
                return;
            }
        }
    }

    fn give_lines(&self) {
        let Some(mut following) = lock(&self.following).take() else {
            return;
        };
        loop {
            match following.lines.next() {
                NextLine::Line(line) => contain(|| (following.function)(line)),
                NextLine::NotYet => break,
                NextLine::End => return drop_contained(following.function),
            }
        }
        *lock(&self.following) = Some(following);
    }
}
