//! What a thread of this process did from one look to the next.

use std::io::Read as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use meanwhile_explain::{OwnLook, OwnThread, OwnWait};

/// Looks at a thread that runs `body` until a look has what is wanted.
fn look_until<T>(body: impl FnOnce() + Send, wanted: impl Fn(&OwnLook) -> Option<T>) -> T {
    let (send, receive) = channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            drop(send.send(OwnThread::current()));
            body();
        });
        let thread = receive.recv().expect("the thread runs");
        let mut thread = thread.expect("Linux numbers its threads");
        assert_eq!(thread.look(), None, "there is no look before it");
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            thread::sleep(Duration::from_millis(10));
            let look = thread.look().expect("it runs");
            if let Some(found) = wanted(&look) {
                return found;
            }
            assert!(Instant::now() < until, "{look:?}");
        }
    })
}

/// What it waits for, if that is this.
fn waits(look: &OwnLook, what: &str) -> Option<OwnWait> {
    look.wait.clone().filter(|wait| wait.what == what)
}

#[test]
fn joined_thread_is_named_with_what_it_does() {
    let (reader, writer) = std::io::pipe().expect("a pipe is left");
    let writer = Mutex::new(Some(writer));
    let decode = thread::Builder::new().name("decode".to_owned());
    let mut reader = reader;
    let decode = decode
        .spawn(move || drop(reader.read(&mut [0])))
        .expect("a thread is left");
    let because = look_until(
        || drop(decode.join()),
        |look| {
            let because = waits(look, "waits for thread `decode` to end")?.because?;
            writer.lock().expect("nothing panics").take();
            Some(because)
        },
    );
    assert_eq!(because, "reads from a pipe");
}

#[test]
fn holder_of_a_lock_of_rust_is_not_guessed() {
    let lock = Mutex::new(());
    let held = Mutex::new(Some(lock.lock().expect("nothing panics")));
    // A guard can't go to another thread, so this one looks and then drops it.
    let is_unknown = look_until(
        || drop(lock.lock()),
        |look| {
            let what = "waits to be woken by another thread, which one is not recorded";
            let wait = waits(look, what)?;
            assert_eq!(wait.because, None);
            held.lock().expect("nothing panics").take();
            Some(wait.is_for_unknown())
        },
    );
    assert!(is_unknown);
}

#[test]
fn computing_thread_waits_for_nothing() {
    let is_over = AtomicBool::new(false);
    let look = look_until(
        || {
            while !is_over.load(Ordering::Relaxed) {
                std::hint::spin_loop();
            }
        },
        |look| {
            let busy = look.ran + look.ready;
            let is_busy = busy >= look.elapsed / 2;
            is_over.store(is_busy, Ordering::Relaxed);
            is_busy.then(|| look.clone())
        },
    );
    assert_eq!(look.wait, None);
}

#[test]
fn ended_thread_is_not_looked_at() {
    let (send, receive) = channel();
    let thread = thread::spawn(move || drop(send.send(OwnThread::current())));
    let mut own = receive.recv().expect("it ran").expect("Linux numbers it");
    thread.join().expect("it does not panic");
    // The system may still know it for a moment.
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        own.look();
        let look = own.look();
        if look.is_none() {
            break;
        }
        assert_eq!(look.and_then(|look| look.wait), None);
        assert!(Instant::now() < until);
    }
}
