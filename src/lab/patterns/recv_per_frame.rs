//! Each frame takes the next message out of a channel, and waits for it.

use std::sync::mpsc::{Receiver, sync_channel};

use eframe::egui::{Context, Ui};

use super::spawn;
use crate::lab::{Digest, Pattern, Work};

enum News {
    Step(u32),
    Done(Digest),
}

/// What is known so far.
#[derive(Default)]
struct Known {
    steps: u32,
    result: Option<Digest>,
}

impl Known {
    fn take_in(&mut self, news: News) {
        match news {
            News::Step(done) => self.steps = done,
            News::Done(result) => self.result = Some(result),
        }
    }

    fn ui(&self, ui: &mut Ui) {
        ui.label(format!("{} steps done", self.steps));
        if let Some(result) = &self.result {
            result.ui(ui);
        }
    }
}

fn start(work: Work, ctx: &Context) -> Receiver<News> {
    let (sender, receiver) = sync_channel(100);
    let wakes = ctx.clone();
    drop(spawn(ctx, move || {
        let tell = |news| {
            drop(sender.send(news));
            wakes.request_repaint();
        };
        work.steps().for_each(|done| tell(News::Step(done)));
        tell(News::Done(work.digest()));
        work.digest()
    }));
    receiver
}

#[derive(Default)]
pub(super) struct Bad {
    news: Option<Receiver<News>>,
    known: Known,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.news = Some(start(work, ctx));
    }

    #[expect(clippy::disallowed_methods, reason = "this is the mistake")]
    fn ui(&mut self, ui: &mut Ui) {
        if let Some(news) = self.news.as_ref().and_then(|news| news.recv().ok()) {
            self.known.take_in(news); // ← `recv` blocks the window until the next message
        }
        self.known.ui(ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    news: Option<Receiver<News>>,
    known: Known,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.news = Some(start(work, ctx));
    }

    fn ui(&mut self, ui: &mut Ui) {
        let news = self.news.iter().flat_map(Receiver::try_iter);
        news.take(100).for_each(|news| self.known.take_in(news)); // ← what is there, at most 100
        self.known.ui(ui);
    }
}
