//! The examples, run as their readers run them: without arguments, and with what users get wrong.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use meanwhile_join::process::{Builder, Exit, Process, Stream};
use nix::sys::signal::Signal;

use crate::util::files::{folder, write};
use crate::util::gate::TIMEOUT;

/// An example, which is built with the tests.
fn example(name: &str) -> Builder {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap();
    let example = Builder::new(built.join("examples").join(name));
    example.env("RUST_BACKTRACE", "0").kill_on_drop(true)
}

struct Ended {
    exit: Exit,
    stdout: String,
    stderr: String,
}

fn end_of(process: &Process) -> Ended {
    let exit = process.join_timeout(TIMEOUT).unwrap();
    let output = process.output();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ended {
        exit,
        stdout: text(&output.stdout.bytes),
        stderr: text(&output.stderr.bytes),
    }
}

fn run(builder: Builder) -> Ended {
    end_of(&builder.spawn().unwrap())
}

/// What an example prints that succeeds.
fn printed(name: &str) -> String {
    let ended = run(example(name));
    assert_eq!((ended.exit, &*ended.stderr), (Exit::Code(0), ""), "{name}");
    ended.stdout
}

/// Bad input ends an example with one sentence, and not with a panic.
fn assert_refused(builder: Builder, sentence: &str) {
    let ended = run(builder);
    assert_eq!(ended.exit, Exit::Code(1), "{}", ended.stderr);
    assert_eq!(ended.stderr, format!("Error: {sentence}\n"));
}

fn interrupt(process: &Process) {
    process.signal(Signal::SIGINT as i32).unwrap();
}

#[test]
fn every_example_is_listed_tested_and_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &Path| fs::read_to_string(path).unwrap();
    let list = read(&root.join("src/join/README.md"));
    let tests = read(&root.join("tests/join/examples.rs"));
    let mut count = 0;
    for entry in fs::read_dir(root.join("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        // A folder is a package of its own. The windows belong to the program.
        if path.is_dir() || name.starts_with("egui_") {
            continue;
        }
        assert!(list.contains(&format!("\n| `{name}` |")), "{name}");
        assert!(tests.contains(&format!("(\"{name}\")")), "{name}");
        assert!(read(&path).lines().count() < 100, "{name}");
        count += 1;
    }
    let listed = list.lines().filter(|line| line.starts_with("| `")).count();
    assert!(count > 10 && listed >= count, "{count} examples");
}

#[test]
fn batch_counts_lines_in_order() {
    let folder = folder();
    write(folder.path(), "b", "one\ntwo\n");
    write(folder.path(), "a", "one");
    let ended = run(example("batch").current_dir(folder.path()));
    assert_eq!(ended.exit, Exit::Code(0));
    assert_eq!(ended.stdout, "       0  ./a\n       2  ./b\n");
    assert!(ended.stderr.ends_with("\r2 of 2 files, 11 bytes\n"));
    let ended = run(example("batch")
        .args(["b", "missing"])
        .current_dir(folder.path()));
    assert_eq!(
        (ended.exit, &*ended.stdout),
        (Exit::Code(1), "       2  b\n")
    );
    assert!(
        ended
            .stderr
            .ends_with("\nmissing: No such file or directory (os error 2)\n")
    );
}

#[test]
fn batch_is_cancelled_by_ctrl_c() {
    let folder = folder();
    write(folder.path(), "a", "one\n");
    let batch = example("batch").arg("a").args(["/dev/zero"; 3]);
    let process = batch.current_dir(folder.path()).spawn().unwrap();
    let mut progress = String::new();
    // It counts three endless files on fewer threads, or on more.
    while !progress.contains("bytes\r") {
        progress = process.output().stderr.text().into_owned();
        std::thread::yield_now();
    }
    interrupt(&process);
    let ended = end_of(&process);
    assert_eq!(ended.exit, Exit::Code(130));
    assert_eq!(
        ended
            .stderr
            .matches("/dev/zero: the task was cancelled\n")
            .count(),
        3
    );
}

#[test]
fn cache_fetches_each_page_once() {
    let pages = printed("cache");
    let mut requests: Vec<&str> = pages.lines().collect();
    requests.sort_unstable();
    assert_eq!(requests.len(), 2);
    for (number, line) in (1..).zip(requests) {
        let begin = format!("10 readers got \"answer {number}: /");
        assert!(line.starts_with(&begin), "{pages}");
    }
}

#[test]
fn cancel_tree_ends_what_belongs_to_the_token() {
    assert_eq!(
        printed("cancel_tree"),
        "the left tab is cancelled, and these run on: [\"saving\", \"right search\", \"right viewer\"]\n\
         the window is cancelled, and these run on: [\"saving\"]\n\
         the program is cancelled, and these run on: []\n"
    );
}

#[test]
fn conversation_has_an_answer_to_each_number() {
    assert_eq!(
        printed("conversation"),
        "7² = 49\n12² = 144\n1000² = 1000000\n"
    );
    let refusal = "invalid digit found in string";
    assert_refused(example("conversation").args(["3", "x"]), refusal);
}

#[test]
fn first_of_prints_the_first_answer() {
    let ended = run(example("first_of"));
    assert_eq!(ended.exit, Exit::Code(0));
    assert!(
        ended.stdout.ends_with(": 25997 primes\n"),
        "{}",
        ended.stdout
    );
    let process = example("first_of").args(["999999999999", "0"]).spawn();
    let process = process.unwrap();
    let late = end_of(&process);
    assert_eq!(late.exit, Exit::Code(1));
    assert!(
        late.stderr.ends_with("Error: no answer in 0 s\n"),
        "{}",
        late.stderr
    );
    let stopped = process.stop(Duration::ZERO);
    let left = [stopped.ended, stopped.forced, stopped.escaped].concat();
    assert!(left.is_empty(), "{left:?}");
    assert_refused(
        example("first_of").arg("soon"),
        "invalid digit found in string",
    );
}

#[test]
fn from_async_awaits_and_cancels() {
    assert_eq!(
        printed("from_async"),
        "168 and 303 primes\ndeadline has elapsed\nthe pause ended first\n\
         the task is cancelled\n0 tasks are left\n"
    );
}

#[test]
fn limits_ends_the_command_in_time() {
    let echo = run(example("limits").args(["60", "echo", "in time"]));
    assert_eq!((echo.exit, &*echo.stdout), (Exit::Code(0), "in time\n"));
    let late = run(example("limits").args(["0", "sleep", "86400"]));
    assert_eq!((late.exit, &*late.stderr), (Exit::Code(1), ""));
}

#[test]
fn panic_report_prints_all_panics() {
    let lines = printed("panic_report");
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].starts_with("unseen: task `forgotten` panicked at "));
    assert!(lines[0].ends_with(": nobody joins this"));
    assert_eq!(
        lines[1],
        "index: index out of bounds: the len is 2 but the index is 2"
    );
    assert!(lines[2].contains("panic_report.rs:"));
    assert_eq!(lines[3..], ["outer passed on code 42"]);
}

#[test]
#[cfg(feature = "tracing-layer")]
fn spans_are_written_by_task() {
    let folder = folder();
    let file = folder.path().join("spans.trace.json");
    let ended = run(example("spans").arg(&file));
    assert_eq!((ended.exit, &*ended.stderr), (Exit::Code(0), ""));
    let text = fs::read_to_string(&file).unwrap();
    // Each task has its own span, that of the function and the two in that.
    for name in ["apples", "pears", "plums", "cherries"] {
        let named = |line: &&str| line.contains(&format!(r#"{{"name":"{name}"}}"#));
        let lane = text.lines().find(named).unwrap();
        let tid = lane
            .split(',')
            .find(|field| field.starts_with("\"tid\""))
            .unwrap();
        let tid = format!("{tid},");
        let spans = text
            .lines()
            .filter(|line| line.contains(&tid) && line.contains(r#""ph":"X""#));
        let names: Vec<_> = spans.map(|line| line.split('"').nth(7).unwrap()).collect();
        assert_eq!(names, ["task", "bake", "cut", "heat"], "{text}");
    }
}

#[test]
fn par_map_finds_the_longest() {
    assert_eq!(printed("par_map"), "77031 takes 350 steps\n");
    let ended = run(example("par_map").args(["27", "4294967295", "1"]));
    assert_eq!(ended.stdout, "4294967295 takes 451 steps\n");
    assert_refused(
        example("par_map").arg("-1"),
        "invalid digit found in string",
    );
}

#[test]
fn pipeline_prints_the_most_frequent_words() {
    let folder = folder();
    let text = write(folder.path(), "text", "to be or not to be, be it\n");
    let ended = run(example("pipeline").arg(text));
    let words: Vec<&str> = ended.stdout.split_whitespace().take(4).collect();
    assert_eq!(words, ["3", "be", "2", "to"]);
    assert_eq!(printed("pipeline").lines().count(), 5);
    let missing = example("pipeline")
        .arg("no-such-file")
        .current_dir(folder.path());
    let ended = run(missing);
    assert_eq!(ended.exit, Exit::Code(1));
    assert!(ended.stderr.contains("no-such-file"), "{}", ended.stderr);
}

#[test]
fn promise_has_an_outcome_in_each_case() {
    assert_eq!(
        printed("promise"),
        "the page index\n14 bytes\nno answer in time, now Cancelled\nno answer will come\n"
    );
}

#[test]
fn ring_is_refused_by_name() {
    let lines = printed("ring");
    for (line, name) in lines.lines().zip(["settings", "plugins", "theme"]) {
        assert!(
            line.starts_with(&format!("{name}: not started: ")),
            "{lines}"
        );
        let needed = ["settings", "plugins", "theme"];
        assert!(needed.iter().all(|name| line.contains(name)), "{lines}");
    }
    assert_eq!(lines.lines().count(), 3);
}

#[test]
fn shutdown_names_what_still_runs() {
    assert_eq!(
        printed("shutdown"),
        "task stuck still runs\nthe task saving: Returned\nthe task clock: Running\n\
         the process export exited with code 0\n\
         the process server killed by signal 15 (SIGTERM)\n"
    );
}

#[test]
fn supervisor_restarts_and_gives_up() {
    let ended = run(example("supervisor").args(["sh", "-c", "echo hello; exit 3"]));
    assert_eq!((ended.exit, &*ended.stderr), (Exit::Code(1), ""));
    for copy in ["1: ", "2: "] {
        let lines = ended
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix(copy));
        let lines: Vec<&str> = lines.collect();
        assert_eq!(lines.len(), 5 * 3 + 1, "{}", ended.stdout);
        for start in lines.chunks_exact(3) {
            assert!(start[0].starts_with("started, pid "));
            assert_eq!(start[1..], ["hello", "exited with code 3"]);
        }
        assert_eq!(lines[15], "given up after 5 starts");
    }
    let missing = run(example("supervisor").arg("/no/such/program"));
    assert!(
        missing.stdout.contains("/no/such/program"),
        "{}",
        missing.stdout
    );
}

#[test]
fn supervisor_stops_the_trees_on_ctrl_c() {
    let folder = folder();
    let script = "sleep 86400 & echo $! >> pids; echo ready; wait";
    let supervisor = example("supervisor").args(["sh", "-c", script]);
    let process = supervisor.current_dir(folder.path()).spawn().unwrap();
    let mut lines = process.lines(Stream::Stdout);
    let mut ready = 0;
    while ready < 2 {
        let line = lines.next_timeout(TIMEOUT).unwrap().unwrap();
        ready += usize::from(line.text().ends_with("ready"));
    }
    interrupt(&process);
    let ended = end_of(&process);
    assert_eq!((ended.exit, &*ended.stderr), (Exit::Code(0), ""));
    let pids = fs::read_to_string(folder.path().join("pids")).unwrap();
    assert_eq!(pids.lines().count(), 2);
    for pid in pids.lines() {
        let named = ended.stdout.contains(&format!("ended {pid} (sleep)"));
        assert!(named, "{pid}: {}", ended.stdout);
    }
    assert_eq!(ended.stdout.matches("(sh)").count(), 2);
}
