//! P11: what the launcher binds, and what it does not.

use std::time::{Duration, Instant};

use meanwhile::join;
use meanwhile::join::Priority;
use meanwhile::join::process::{Exit, LaunchOptions, SpawnError};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{Builder, eventually, launcher, lives, shell, wait_for_line};
use crate::util::child::in_child;
use crate::util::gate::LIMIT;

fn launched(builder: Builder) -> Builder {
    builder.launched_by(&launcher(), LaunchOptions::default())
}

#[test]
fn a_launched_program_is_what_was_asked_for_under_the_same_number() {
    let process = launched(shell("echo $$; echo \"$1\" >&2; exit 12").args(["sh", "a b"]));
    let process = process.spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(12));
    let output = process.output();
    assert_eq!(output.stdout.text().trim(), process.pid().to_string());
    assert_eq!(output.stderr.text(), "a b\n");
}

#[test]
fn a_launcher_gives_limits_and_a_priority() {
    let options = LaunchOptions {
        priority: Priority::Background,
        address_space_bytes: Some(1 << 30),
        cpu_time: Some(Duration::from_secs(77)),
        open_files: Some(55),
    };
    let script = "ulimit -v; ulimit -t; ulimit -n; exec cat /proc/self/stat";
    let process = shell(script)
        .launched_by(&launcher(), options)
        .spawn()
        .unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(0));
    let text = process.output().stdout.text().into_owned();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..3], ["1048576", "77", "55"]);
    let after_name = lines[3].rsplit(") ").next().unwrap();
    // proc(5) counts from 3 after the name: field 41 is the scheduling policy, and 5 is SCHED_IDLE.
    // Only Linux has that; elsewhere the niceness, which is field 19, has to do.
    let (field, least_urgent) = if cfg!(other_unix) {
        (19, "19")
    } else {
        (41, "5")
    };
    assert_eq!(after_name.split(' ').nth(field - 3), Some(least_urgent));
}

#[test]
fn a_memory_limit_ends_what_exceeds_it_and_nothing_else() {
    let options = LaunchOptions {
        address_space_bytes: Some(200 << 20),
        ..LaunchOptions::default()
    };
    let greedy = Builder::new("perl").args(["-e", "$x = 'x' x (1 << 30); print 'had it all'"]);
    let process = greedy.launched_by(&launcher(), options).spawn().unwrap();
    assert_ne!(process.join().unwrap(), Exit::Code(0));
    assert_eq!(process.output().stdout.total, 0);
    assert!(process.output().stderr.text().contains("Out of memory"));
}

#[test]
fn the_usual_errors_come_at_the_start_with_a_launcher_too() {
    let missing = launched(Builder::new("no-such-program")).spawn();
    assert!(matches!(missing, Err(SpawnError::NotFound { .. })));
    let forbidden = launched(Builder::new("/etc/passwd")).spawn();
    assert!(matches!(
        forbidden,
        Err(SpawnError::PermissionDenied { .. })
    ));
    let nowhere = launched(Builder::new("true").current_dir("/no/such/folder")).spawn();
    assert!(matches!(nowhere, Err(SpawnError::WorkingDirectory { .. })));
}

#[test]
fn p11_the_end_of_the_thread_that_asked_kills_nobody() {
    let child = launched(shell("read line; exit 8").stdin_piped());
    let asked = join::spawn("asks and ends", move |_| child.spawn().unwrap()).unwrap();
    let process = asked.join().unwrap().clone();
    eventually("the end of the thread", || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let mut names = threads.filter_map(|t| std::fs::read_to_string(t.path().join("comm")).ok());
        names.all(|name| name.trim() != "asks and ends")
    });
    assert!(process.is_alive());
    drop(process.take_stdin());
    assert_eq!(process.join().unwrap(), Exit::Code(8));
}

const VICTIM: &str = "MEANWHILE_TEST_VICTIM";
const SIGKILLED: &str =
    "process::launching::p11_sigkill_of_the_program_ends_its_children_and_all_they_started";

/// From the kill to the end of everybody.
const PROMISED: Duration = Duration::from_secs(1);

#[test]
fn p11_sigkill_of_the_program_ends_its_children_and_all_they_started() {
    if std::env::var_os(VICTIM).is_some() {
        be_killed_with_a_tree();
    }
    // On a machine that is busy a dying process waits for its turn like everybody, so the promise
    // has to hold in one of the tries that fit the limit; what is late by itself is so in all.
    let first = Instant::now();
    loop {
        let took = time_to_end_a_victim();
        if took <= PROMISED {
            return;
        }
        assert!(first.elapsed() < LIMIT, "the last try took {took:?}");
    }
}

/// Kills a program with children, and waits until all of them and its warden are gone.
fn time_to_end_a_victim() -> Duration {
    let victim = Builder::new(std::env::current_exe().unwrap())
        .args(["--exact", SIGKILLED, "--nocapture"])
        .env(VICTIM, "1")
        .stdout_piped()
        .spawn()
        .unwrap();
    let printed = wait_for_line(&victim, "ready");
    let pids = printed.iter().filter_map(|line| line.strip_prefix("pid "));
    let mut pids: Vec<u32> = pids.map(|pid| pid.parse().unwrap()).collect();
    assert_eq!(pids.len(), 4, "{printed:?}");
    let wardens = wardens_of(victim.pid());
    assert_eq!(wardens.len(), 1);
    pids.extend(wardens);
    assert!(pids.iter().all(|pid| lives(*pid)));
    let killed = Instant::now();
    victim.kill().unwrap();
    victim.join().unwrap();
    eventually("the end of everybody", || {
        !pids.iter().any(|pid| lives(*pid))
    });
    killed.elapsed()
}

/// Prints who is to die with it, then waits for that.
#[expect(clippy::print_stdout, reason = "it tells the test that started it")]
fn be_killed_with_a_tree() -> ! {
    // They outlive the patience of the test.
    let script = "echo $$; sleep 600 & echo $!; setsid sleep 600 & echo $!; \
                  ( setsid sh -c 'echo $$; exec sleep 600' & ); wait";
    let process = launched(shell(script)).spawn().unwrap();
    eventually("four numbers", || {
        process.output().stdout.text().lines().count() == 4
    });
    println!();
    for pid in process.output().stdout.text().lines() {
        println!("pid {pid}");
    }
    println!("ready");
    loop {
        std::thread::park();
    }
}

/// The living wardens of the program with this number.
fn wardens_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let cmdline = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let is_child = after_name.split(' ').nth(1) == Some(&parent.to_string());
        is_child
            && cmdline
                .windows(18)
                .any(|part| part == b"--meanwhile-warden")
    })
    .collect()
}

#[test]
fn what_a_command_leaves_behind_on_purpose_outlives_the_program() {
    let name = "process::launching::what_a_command_leaves_behind_on_purpose_outlives_the_program";
    let folder = crate::util::files::folder();
    let file = folder.path().join("pid");
    // The test in a process of its own is the program that ends.
    let given = std::env::var_os("MEANWHILE_TEST_FILE").unwrap_or_else(|| file.clone().into());
    let setup = format!("export MEANWHILE_TEST_FILE='{}'", file.display());
    crate::util::child::in_child_with(&setup, name, || {
        let script = format!(
            "( setsid sleep 60 >/dev/null 2>&1 & echo $! > '{}' )",
            given.display()
        );
        let process = launched(shell(&script)).spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(0));
    });
    if let Ok(text) = std::fs::read_to_string(&file) {
        let pid: u32 = text.trim().parse().unwrap();
        assert!(
            lives(pid),
            "a daemon that a finished command has left was killed"
        );
        kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).unwrap();
    }
}

#[test]
fn a_warden_that_was_killed_is_replaced() {
    let name = "process::launching::a_warden_that_was_killed_is_replaced";
    in_child(name, || {
        let launcher = launcher();
        let spawn = || {
            let sleep = Builder::new("sleep").arg("60");
            sleep
                .launched_by(&launcher, LaunchOptions::default())
                .spawn()
        };
        let first = spawn().unwrap();
        let own = std::process::id();
        let wardens = wardens_of(own);
        assert_eq!(wardens.len(), 1);
        kill(Pid::from_raw(wardens[0].cast_signed()), Signal::SIGKILL).unwrap();
        eventually("the end of the warden", || !lives(wardens[0]));
        let second = spawn().unwrap();
        assert_eq!(wardens_of(own).len(), 1);
        for process in [first, second] {
            process.kill().unwrap();
            process.join().unwrap();
        }
    });
}

#[test]
fn the_warden_of_a_launcher_that_is_dropped_is_reaped() {
    let name = "process::launching::the_warden_of_a_launcher_that_is_dropped_is_reaped";
    in_child(name, || {
        let launcher = launcher();
        let child = Builder::new("true").launched_by(&launcher, LaunchOptions::default());
        assert_eq!(child.spawn().unwrap().join().unwrap(), Exit::Code(0));
        let wardens = wardens_of(std::process::id());
        assert_eq!(wardens.len(), 1);
        drop(launcher);
        eventually("its end", || {
            !std::path::Path::new(&format!("/proc/{}", wardens[0])).exists()
        });
    });
}
