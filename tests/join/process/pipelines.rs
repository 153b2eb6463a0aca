//! P23: pipelines.

use std::fs;
use std::future::{Future as _, IntoFuture as _};
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use meanwhile_join::process::{
    self, Exit, LaunchOptions, Pipeline, ProcessState, Redirect, SpawnError, Stream,
};
use meanwhile_join::{self as join, JoinError, Select, SelectError};

use super::{Builder, eventually, launcher, runs, shell};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;

const DONE: Exit = Exit::Code(0);

fn sleeper() -> Builder {
    Builder::new("sleep").arg("60")
}

fn launched(builder: Builder) -> Builder {
    builder.launched_by(&launcher(), LaunchOptions::default())
}

#[test]
fn p23_each_process_reads_the_one_before() {
    let numbers = Builder::new("seq").arg("100000");
    let sevens = Builder::new("grep").arg("7");
    let pipeline = numbers
        .pipe_to(sevens)
        .pipe_to(shell("wc -l; echo done >&2"));
    let pipeline = pipeline.spawn().unwrap();
    let output = pipeline.join_checked().unwrap();
    assert_eq!(output.stdout.text().trim(), "40951");
    assert_eq!(output.stderr.text(), "done\n");
    assert_eq!(pipeline.join().unwrap(), [DONE; 3]);
    assert_eq!(pipeline.poll(), Some(vec![DONE; 3]));
    for writer in &pipeline.processes()[..2] {
        assert_eq!(writer.output().stdout.total, 0);
    }
}

#[test]
fn p23_exits_and_errors_are_those_of_a_shell() {
    let exits = |scripts: [&str; 3]| {
        let [first, second, third] = scripts.map(shell);
        let pipeline = first.pipe_to(second).pipe_to(third).spawn().unwrap();
        let error = pipeline.join_checked().err().map(|error| error.to_string());
        (pipeline.join().unwrap(), error)
    };
    let (all, error) = exits(["exit 3", "cat; echo why >&2; exit 4", "cat; exit 0"]);
    assert_eq!(all, [Exit::Code(3), Exit::Code(4), DONE]);
    // The last one that failed, as with `pipefail`.
    assert_eq!(error.unwrap(), "`sh` exited with code 4: why");
    let (all, error) = exits(["exit 3", "cat", "exit 0"]);
    assert_eq!(all, [Exit::Code(3), DONE, DONE]);
    assert_eq!(error.unwrap(), "`sh` exited with code 3");
    let (_, error) = exits(["exit 3", "exit 4", "kill -PIPE $$"]);
    assert_eq!(error.unwrap(), "`sh` killed by signal 13 (SIGPIPE)");
    assert_eq!(exits(["true", "cat", "cat"]), (vec![DONE; 3], None));
}

#[test]
fn p23_reader_that_ends_early_ends_the_writer() {
    for prepare in [std::convert::identity, launched] {
        let yes = prepare(Builder::new("yes"));
        let head = prepare(Builder::new("head").args(["-n", "2"]));
        let pipeline = yes.pipe_to(head).spawn().unwrap();
        let exits = pipeline.join_timeout(TIMEOUT).unwrap();
        assert_eq!(exits[0].signal_name(), Some("SIGPIPE"));
        assert_eq!(exits[1], DONE);
        let output = pipeline.join_checked().unwrap();
        assert_eq!(output.stdout.text(), "y\ny\n");
    }
}

#[test]
fn p23_middle_process_that_dies_ends_both_sides() {
    let pipeline = Builder::new("yes").pipe_to(shell("read line; exit 5"));
    let pipeline = pipeline.pipe_to(shell("cat; echo end")).spawn().unwrap();
    let exits = pipeline.join_timeout(TIMEOUT).unwrap();
    assert_eq!(exits[0].signal_name(), Some("SIGPIPE"));
    assert_eq!(exits[1..], [Exit::Code(5), DONE]);
    assert_eq!(pipeline.output().stdout.text(), "end\n");
    let error = pipeline.join_checked().unwrap_err();
    assert_eq!(error.exit(), Exit::Code(5));
}

#[test]
fn p23_stop_ends_every_process() {
    for prepare in [std::convert::identity, launched] {
        let deaf = || prepare(shell("trap '' TERM; echo ready >&2; sleep 60; sleep 60"));
        let pipeline = deaf().pipe_to(deaf()).pipe_to(deaf()).spawn().unwrap();
        let processes = pipeline.processes();
        eventually("the traps", || {
            let ready = |process: &process::Process| process.written(Stream::Stderr) > 0;
            processes.iter().all(ready)
        });
        let early = pipeline.join_timeout(Duration::ZERO);
        assert!(matches!(early, Err(JoinError::TimedOut)));
        assert_eq!(pipeline.poll(), None);
        let reports = pipeline.stop(Duration::from_millis(1));
        for (report, process) in reports.iter().zip(processes) {
            assert_eq!(report.exit, process.poll());
            assert_eq!(process.poll().unwrap().signal_name(), Some("SIGKILL"));
            assert!(report.escaped.is_empty());
            assert!(report.forced.iter().all(|member| !runs(member.pid)));
        }
        assert_eq!(reports.len(), 3);
    }
}

#[test]
fn p23_select_is_ready_when_all_have_ended() {
    for order in [[0, 1], [1, 0]] {
        let pipeline = sleeper().pipe_to(sleeper()).spawn().unwrap();
        let waiter = join::spawn("waiter", {
            let pipeline = pipeline.clone();
            move |_| Select::new().pipeline(&pipeline).wait()
        });
        let waiter = waiter.unwrap();
        let awaits = |process: &process::Process| {
            let waits = join::wait_graph().waits;
            let mut own = waits.iter().filter(|it| it.waiter == Some(waiter.id()));
            own.any(|wait| wait.process == Some(process.pid()))
        };
        let [first, last] = order.map(|index| &pipeline.processes()[index]);
        first.kill().unwrap();
        first.join().unwrap();
        eventually("the wait for the other", || awaits(last));
        let early = Select::new()
            .pipeline(&pipeline)
            .timeout(Duration::ZERO)
            .wait();
        assert_eq!(early, Err(SelectError::TimedOut));
        let mut with_ended = Select::new().pipeline(&pipeline).process(first);
        assert_eq!(with_ended.wait(), Ok(1));
        last.kill().unwrap();
        assert_eq!(*waiter.join_timeout(TIMEOUT).unwrap(), Ok(0));
        assert_eq!(Select::new().pipeline(&pipeline).wait(), Ok(0));
    }
}

#[test]
fn p23_pause_and_resume_reach_every_process() {
    for prepare in [std::convert::identity, launched] {
        let pipeline = prepare(sleeper()).pipe_to(prepare(sleeper()));
        let pipeline = pipeline.pipe_to(prepare(sleeper())).spawn().unwrap();
        let all_are = |state| pipeline.processes().iter().all(|it| it.state() == state);
        pipeline.pause();
        eventually("the pause", || all_are(ProcessState::Stopped));
        pipeline.resume();
        eventually("the end of the pause", || all_are(ProcessState::Running));
        pipeline.pause();
        for report in pipeline.stop(TIMEOUT) {
            assert_eq!(report.exit.unwrap().signal_name(), Some("SIGTERM"));
        }
        pipeline.pause();
        pipeline.resume();
    }
}

#[test]
fn p23_signal_reaches_every_process() {
    let pipeline = sleeper().pipe_to(sleeper()).pipe_to(sleeper());
    let pipeline = pipeline.spawn().unwrap();
    for number in [-1, 0, 64, i32::MIN] {
        let error = pipeline.signal(number).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{number}");
    }
    // One of them has ended already.
    pipeline.processes()[1].signal(14).unwrap();
    pipeline.processes()[1].join().unwrap();
    pipeline.signal(15).unwrap();
    let exits = pipeline.join_timeout(TIMEOUT).unwrap();
    let signals: Vec<_> = exits.iter().map(|exit| exit.signal_name()).collect();
    assert_eq!(signals, [Some("SIGTERM"), Some("SIGALRM"), Some("SIGTERM")]);
    pipeline.signal(15).unwrap();
}

#[test]
fn p23_deadline_ends_the_join() {
    let pipeline = sleeper().pipe_to(sleeper()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_millis(20);
    let early = pipeline.join_deadline(deadline);
    assert!(Instant::now() >= deadline);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    // It has passed, so it polls.
    let early = pipeline.join_deadline(deadline);
    assert!(matches!(early, Err(JoinError::TimedOut)));
    pipeline.signal(9).unwrap();
    assert_eq!(pipeline.join_deadline(None).unwrap().len(), 2);
    assert_eq!(pipeline.join_deadline(deadline).unwrap().len(), 2);
}

/// Sends a message with each wake.
struct Wakes(Sender<()>);

impl Wakes {
    fn waker() -> (Waker, Receiver<()>) {
        let (sender, wakes) = channel();
        (Arc::new(Self(sender)).into(), wakes)
    }
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.send(()).ok();
    }
}

/// Awaits a pipeline on this thread. Returns its exits and the number of wakes.
fn awaited(pipeline: &Pipeline) -> (Vec<Exit>, usize) {
    let (waker, wakes) = Wakes::waker();
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(pipeline.into_future());
    let mut count = 0;
    loop {
        if let Poll::Ready(exits) = future.as_mut().poll(&mut context) {
            return (exits.unwrap(), count);
        }
        wakes.recv_timeout(TIMEOUT).unwrap();
        count += 1;
    }
}

#[test]
fn p23_await_ends_with_the_last_process() {
    for order in [[0, 1], [1, 0]] {
        let pipeline = sleeper().pipe_to(sleeper()).spawn().unwrap();
        let (waker, wakes) = Wakes::waker();
        let mut future = Box::pin((&pipeline).into_future());
        let mut context = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut context).is_pending());
        let [first, last] = order.map(|index| &pipeline.processes()[index]);
        first.kill().unwrap();
        first.join().unwrap();
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert!(wakes.try_recv().is_err(), "not for the first end");
        // Another waker replaces the first one.
        let (waker, other_wakes) = Wakes::waker();
        let mut context = Context::from_waker(&waker);
        assert!(future.as_mut().poll(&mut context).is_pending());
        last.kill().unwrap();
        other_wakes.recv_timeout(TIMEOUT).unwrap();
        let Poll::Ready(exits) = future.as_mut().poll(&mut context) else {
            panic!("woken before the end");
        };
        assert_eq!(exits.unwrap(), pipeline.join().unwrap());
        assert!(wakes.try_recv().is_err() && other_wakes.try_recv().is_err());
        // At once now.
        assert_eq!(awaited(&pipeline).1, 0);
    }
}

#[test]
fn p23_await_loses_no_end() {
    for _ in 0..100 {
        let pipeline = Builder::new("true").pipe_to(Builder::new("true"));
        let pipeline = pipeline.spawn().unwrap();
        let (exits, wakes) = awaited(&pipeline);
        assert_eq!(exits, [DONE; 2]);
        assert!(wakes <= 1, "{wakes} wakes");
    }
}

#[test]
fn dropped_await_of_a_pipeline_leaves_no_waker() {
    let pipeline = sleeper().pipe_to(sleeper()).spawn().unwrap();
    let waker = Arc::new(Wakes(channel().0));
    let mut future = Box::pin((&pipeline).into_future());
    let polled = future
        .as_mut()
        .poll(&mut Context::from_waker(&waker.clone().into()));
    assert!(polled.is_pending());
    assert!(Arc::strong_count(&waker) > 1);
    drop(future);
    assert_eq!(Arc::strong_count(&waker), 1);
    pipeline.signal(9).unwrap();
}

#[test]
fn p23_failed_start_leaves_no_process() {
    let folder = folder();
    // The name in the list of processes is of this test alone.
    let name = folder.path().display().to_string();
    let first = || sleeper().name(&name);
    let missing = || Builder::new("no-such-program");
    for pipeline in [
        first().pipe_to(missing()),
        first().pipe_to(first()).pipe_to(missing()),
        missing().pipe_to(first()),
    ] {
        let error = pipeline.spawn().unwrap_err();
        assert!(matches!(error, SpawnError::NotFound { .. }), "{error}");
        let children = process::live_processes();
        assert!(children.iter().all(|child| *child.name != *name));
    }
}

#[test]
fn p23_processes_inherit_no_other_descriptor() {
    for prepare in [std::convert::identity, launched] {
        let stage = || prepare(shell("ls /proc/self/fd >&2"));
        // The test itself may have been started with others.
        let alone = stage().spawn().unwrap().join_checked().unwrap();
        let pipeline = stage().pipe_to(stage()).pipe_to(stage()).spawn().unwrap();
        pipeline.join_checked().unwrap();
        for process in pipeline.processes() {
            assert_eq!(process.output().stderr.text(), alone.stderr.text());
        }
    }
}

#[test]
fn much_data_passes_by_this_program() {
    let zeros = Builder::new("head").args(["-c", "200000000", "/dev/zero"]);
    let count = Builder::new("wc").arg("-c");
    let pipeline = zeros.pipe_to(Builder::new("cat")).pipe_to(count);
    let output = pipeline.spawn().unwrap().join_checked().unwrap();
    assert_eq!(output.stdout.text().trim(), "200000000");
}

#[test]
fn stages_keep_their_other_settings() {
    let first = shell("cat; echo err >&2").stderr_to_stdout();
    let first = first.stdin_bytes("typed\n").stdout(Redirect::Null);
    let (sender, lines) = channel();
    let last = shell("cat").stdin_bytes("replaced");
    let last = last.on_line(Stream::Stdout, move |line| {
        sender.send(line.to_string()).unwrap();
    });
    let pipeline = first.pipe_to(last).spawn().unwrap();
    pipeline.join_checked().unwrap();
    assert_eq!(pipeline.output().stdout.text(), "typed\nerr\n");
    assert_eq!(lines.iter().collect::<Vec<_>>(), ["typed", "err"]);
}

#[test]
fn callback_of_a_pipeline_runs_once_at_the_end() {
    let first = shell("exec >&-; read line").stdin_piped();
    let pipeline = first.pipe_to(Builder::new("cat")).spawn().unwrap();
    let (sender, calls) = channel();
    let observer = pipeline.clone();
    pipeline.on_finish(move || sender.send(observer.poll()).unwrap());
    pipeline.processes()[1].join().unwrap();
    assert!(calls.try_recv().is_err());
    drop(pipeline.processes()[0].take_stdin());
    // The sender is gone after the call.
    let calls: Vec<_> = calls.iter().collect();
    assert_eq!(calls, [pipeline.poll()]);
    assert_eq!(calls[0].as_deref().map(<[Exit]>::len), Some(2));
}

#[test]
fn this_program_holds_no_pipe_of_a_pipeline() {
    let pipes = || -> Vec<std::path::PathBuf> {
        let files = fs::read_dir("/proc/self/fd").unwrap().flatten();
        let links = files.filter_map(|file| fs::read_link(file.path()).ok());
        links.collect()
    };
    let of_child = |pid: u32| fs::read_link(format!("/proc/{pid}/fd/1")).unwrap();
    let pipeline = sleeper().pipe_to(sleeper()).spawn().unwrap();
    let between = of_child(pipeline.processes()[0].pid());
    assert!(between.to_str().unwrap().starts_with("pipe:"));
    assert!(!pipes().contains(&between));
    drop(pipeline.stop(Duration::ZERO));
}
