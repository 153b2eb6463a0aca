//! What an explanation says in words.

use super::program::{Library, Waiting};

/// Returns the sentence of a case once it says what is expected, or the last one.
fn sentence(case: &str, expected: &[&str]) -> String {
    let waiting = Waiting::start(Library::Gnu, case).expect("there is a compiler");
    let mut sentence = String::new();
    for _ in 0..50 {
        let graph = meanwhile_explain::process(waiting.pid()).expect("it waits");
        sentence = without_ids(&graph.sentence());
        if expected.contains(&&*sentence) {
            break;
        }
    }
    sentence
}

/// Replaces the numbers in brackets, which are others in each run.
pub(crate) fn without_ids(sentence: &str) -> String {
    let mut out = String::new();
    let mut digits = false;
    for character in sentence.chars() {
        let is_digit = character.is_ascii_digit();
        if !is_digit {
            out.push(character);
        } else if !digits {
            out.push('N');
        }
        digits = is_digit;
    }
    out
}

fn assert_says(case: &str, expected: &str) {
    // The program has the name of its file, of which the first 15 bytes are kept.
    assert_eq!(sentence(case, &[expected]), expected);
}

#[test]
fn chain_of_joins_is_told_to_its_end() {
    assert_says(
        "join-chain",
        "`waits-cc-N` (pid N) waits for thread `waits-cc-N` (N) to end, which waits for thread \
         `waits-cc-N` (N) to end, which waits for thread `waits-cc-N` (N) to end, which waits for thread \
         `waits-cc-N` (N) to end, which sleeps for N s.",
    );
}

#[test]
fn ring_of_pipes_is_named() {
    assert_says(
        "ring-of-pipes",
        "`waits-cc-N` (pid N) reads from a pipe that only `waits-cc-N` (pid N) can write, which reads from \
         a pipe that only `waits-cc-N` (pid N) can write: a ring, nothing but a signal will move it.",
    );
}

#[test]
fn own_pipe_is_named() {
    assert_says(
        "read-own-pipe",
        "`waits-cc-N` (pid N) reads from a pipe that only its own process can write: a ring, nothing but a \
         signal will move it.",
    );
}

#[test]
fn lock_that_is_taken_twice_is_named() {
    assert_says(
        "lock-twice",
        "`waits-cc-N` (pid N) waits for a mutex held by itself: a ring, nothing but a signal will move it.",
    );
}

#[test]
fn semaphore_has_nobody_who_is_named() {
    assert_says(
        "semaphore",
        "`waits-cc-N` (pid N) waits to be woken by another thread, which one is not recorded.",
    );
}

#[test]
fn stopped_child_is_told_how_to_go_on() {
    assert_says(
        "stopped-child",
        "`waits-cc-N` (pid N) waits for its child `waits-cc-N` (pid N) to end, which has been stopped by a \
         signal (SIGCONT lets it go on).",
    );
}
