//! A window of iced that starts, shows and cancels a long task. No message waits for it.
//!
//! `cargo run --manifest-path examples/iced/Cargo.toml`, on a screen with X11 or Wayland.

use iced::futures::channel::mpsc;
use iced::widget::{button, column, progress_bar, row, text};
use iced::{Element, Fill};
use meanwhile_join::{
    Builder, Cancelled, Changes, Context, JoinError, SpawnError, Task, cancellable,
};

fn main() -> iced::Result {
    iced::application(Window::new, Window::update, Window::view)
        .title("Meanwhile in iced")
        .window_size((420.0, 160.0))
        .run()
}

type PrimesTask = Task<Result<u64, Cancelled>>;

struct Window {
    changes: Changes,
    task: Option<Result<PrimesTask, SpawnError>>,
}

#[derive(Clone)]
enum Message {
    Start,
    Cancel,
    Changed,
}

impl Window {
    /// A change of the task becomes a message. The queue wakes once until it is emptied, so there is
    /// never more than one message, however often the task reports.
    fn new() -> (Self, iced::Task<Message>) {
        let (wake, woken) = mpsc::unbounded();
        let changes = Changes::new(move || drop(wake.unbounded_send(())));
        let task = None;
        let messages = iced::Task::run(woken, |()| Message::Changed);
        (Self { changes, task }, messages)
    }

    fn update(&mut self, message: Message) {
        match message {
            Message::Start => {
                let builder = Builder::new("count primes").report_to(&self.changes);
                self.task = Some(builder.spawn(cancellable(count_primes)));
            }
            Message::Cancel => {
                if let Some(Ok(task)) = &self.task {
                    task.cancel();
                }
            }
            Message::Changed => drop(self.changes.take(usize::MAX)),
        }
    }

    fn view(&self) -> Element<'_, Message> {
        let task = self.task.as_ref().and_then(|task| task.as_ref().ok());
        let running = task.filter(|task| !task.is_finished());
        let start = running.is_none().then_some(Message::Start);
        let cancel = running.is_some().then_some(Message::Cancel);
        let progress = task.map(Task::progress).unwrap_or_default();
        column![
            row![
                button("Start").on_press_maybe(start),
                button("Cancel").on_press_maybe(cancel),
            ]
            .spacing(8),
            progress_bar(0.0..=progress.total.max(1) as f32, progress.done as f32).length(Fill),
            text(self.status()),
        ]
        .spacing(16)
        .padding(16)
        .into()
    }

    fn status(&self) -> String {
        let task = match &self.task {
            None => return "Nothing started".to_owned(),
            Some(Err(error)) => return error.to_string(),
            Some(Ok(task)) => task,
        };
        match task.poll() {
            None => {
                let progress = task.progress();
                format!("{} of {} numbers", progress.done, progress.total)
            }
            Some(Ok(Ok(primes))) => format!("{primes} primes"),
            Some(Ok(Err(Cancelled)) | Err(JoinError::Cancelled)) => "Cancelled".to_owned(),
            Some(Err(error)) => error.to_string(), // such as a panic, with its location
        }
    }
}

fn count_primes(context: &Context) -> Result<u64, Cancelled> {
    let limit = 1_000_000;
    let is_prime = |n: u64| {
        let mut divisors = (2..n).take_while(|d| d * d <= n);
        divisors.all(|d| !n.is_multiple_of(d))
    };
    let mut primes = 0;
    for n in 2..limit {
        context.check()?;
        context.set_progress(n, limit);
        primes += u64::from(is_prime(n));
    }
    Ok(primes)
}

#[cfg(test)]
mod tests {
    use super::{Message, Window};

    #[test]
    fn window_shows_progress_cancel_and_result() {
        let (mut window, _messages) = Window::new();
        assert_eq!(window.status(), "Nothing started");
        window.update(Message::Start);
        assert!(window.status().ends_with(" numbers"));
        window.update(Message::Cancel);
        wait_for_end(&window);
        assert_eq!(window.status(), "Cancelled");
        window.update(Message::Start);
        wait_for_end(&window);
        window.update(Message::Changed);
        assert_eq!(window.status(), "78498 primes");
        assert!(!window.changes.is_pending());
    }

    fn wait_for_end(window: &Window) {
        let task = window.task.as_ref().expect("it is started");
        task.as_ref().expect("a thread").join().ok();
    }
}
