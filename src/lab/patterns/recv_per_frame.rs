//! The worker reports over a channel. The bad variant waits for a message in every frame.

use std::sync::mpsc::{Receiver, sync_channel};

use eframe::egui::{Context, Ui};
use meanwhile::lab::{Digest, Pattern, Work, spawn};

enum Message {
    Step(u32),
    Done(Digest),
}

#[derive(Default)]
struct Progress {
    steps: u32,
    result: Option<Digest>,
}

impl Progress {
    fn apply(&mut self, message: Message) {
        match message {
            Message::Step(done) => self.steps = done,
            Message::Done(result) => self.result = Some(result),
        }
    }

    fn ui(&self, ui: &mut Ui) {
        ui.label(format!("{} steps done", self.steps));
        if let Some(result) = &self.result {
            result.ui(ui);
        }
    }
}

fn start(work: Work, ctx: &Context) -> Receiver<Message> {
    let (sender, receiver) = sync_channel(100);
    let waker = ctx.clone();
    drop(spawn(ctx, move || {
        let send = |message| {
            sender.send(message).ok();
            waker.request_repaint();
        };
        work.steps().for_each(|done| send(Message::Step(done)));
        send(Message::Done(work.digest()));
        work.digest()
    }));
    receiver
}

#[derive(Default)]
pub(super) struct Bad {
    messages: Option<Receiver<Message>>,
    progress: Progress,
}

impl Pattern for Bad {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.messages = Some(start(work, ctx));
    }

    fn ui(&mut self, ui: &mut Ui) {
        if let Some(messages) = &self.messages {
            let message = messages.recv(); // ← blocks the window until the next message
            if let Ok(message) = message {
                self.progress.apply(message);
            }
        }
        self.progress.ui(ui);
    }
}

#[derive(Default)]
pub(super) struct Fixed {
    messages: Option<Receiver<Message>>,
    progress: Progress,
}

impl Pattern for Fixed {
    fn start(&mut self, work: Work, ctx: &Context) {
        self.messages = Some(start(work, ctx));
    }

    fn ui(&mut self, ui: &mut Ui) {
        let messages = self.messages.iter().flat_map(Receiver::try_iter);
        for message in messages.take(100) {
            self.progress.apply(message); // ← never waits, and takes at most 100
        }
        self.progress.ui(ui);
    }
}
