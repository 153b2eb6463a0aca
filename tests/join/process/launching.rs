//! P11: the launcher, its limits and its supervisor.

use std::mem::ManuallyDrop;
use std::time::{Duration, Instant};

use meanwhile_join as join;
use meanwhile_join::Priority;
use meanwhile_join::process::{Exit, LaunchOptions, Launcher, SpawnError, Stream};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::spawning::executable;
use super::{Builder, eventually, launcher, runs, shell};
use crate::util::child::{in_child, in_child_with};
use crate::util::files::folder;
use crate::util::gate::TIMEOUT;
use crate::util::resources::Resources;
use crate::util::sleeper::Sleeper;

fn launched(builder: Builder) -> Builder {
    builder.launched_by(&launcher(), LaunchOptions::default())
}

#[test]
fn launched_program_runs_under_the_same_pid() {
    let process = launched(shell("echo $$; echo \"$1\" >&2; exit 12").args(["sh", "a b"]));
    let process = process.spawn().unwrap();
    assert_eq!(process.join().unwrap(), Exit::Code(12));
    let output = process.output();
    assert_eq!(output.stdout.text().trim(), process.pid().to_string());
    assert_eq!(output.stderr.text(), "a b\n");
}

#[test]
fn launcher_sets_limits_and_priority() {
    let options = LaunchOptions::default()
        .priority(Priority::Background)
        .address_space_bytes(1 << 30)
        .cpu_time(Duration::from_secs(77))
        .open_files(55);
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
    // In proc(5), field 41 is the scheduling policy, and 5 is SCHED_IDLE. Other systems use the
    // niceness, which is field 19. The first field after the name is field 3.
    let (field, lowest) = if cfg!(other_unix) {
        (19, "19")
    } else {
        (41, "5")
    };
    assert_eq!(after_name.split(' ').nth(field - 3), Some(lowest));
}

#[test]
fn memory_limit_ends_only_the_process_over_it() {
    let options = LaunchOptions::default().address_space_bytes(200 << 20);
    let greedy = Builder::new("perl").args(["-e", "$x = 'x' x (1 << 30); print 'allocated'"]);
    let process = greedy.launched_by(&launcher(), options).spawn().unwrap();
    assert_ne!(process.join().unwrap(), Exit::Code(0));
    assert_eq!(process.output().stdout.total, 0);
    assert!(process.output().stderr.text().contains("Out of memory"));
}

#[test]
fn launched_spawn_reports_the_usual_errors() {
    let missing = launched(Builder::new("no-such-program")).spawn();
    assert!(matches!(missing, Err(SpawnError::NotFound { .. })));
    let forbidden = launched(Builder::new("/etc/passwd")).spawn();
    assert!(matches!(
        forbidden,
        Err(SpawnError::PermissionDenied { .. })
    ));
    let no_folder = launched(Builder::new("true").current_dir("/no/such/folder")).spawn();
    assert!(matches!(
        no_folder,
        Err(SpawnError::WorkingDirectory { .. })
    ));
}

#[test]
fn p11_end_of_the_spawning_thread_kills_no_child() {
    let child = launched(shell("read line; exit 8").stdin_piped());
    let spawning = join::spawn("spawns and ends", move |_| child.spawn().unwrap()).unwrap();
    let process = spawning.join().unwrap().clone();
    eventually("the end of the thread", || {
        let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
        let mut names = threads.filter_map(|t| std::fs::read_to_string(t.path().join("comm")).ok());
        names.all(|name| name.trim() != "spawns and ends")
    });
    assert!(!process.is_finished());
    drop(process.take_stdin());
    assert_eq!(process.join().unwrap(), Exit::Code(8));
}

/// A process of the launcher with a descendant, which runs this sleeper.
fn tree_of(launcher: &Launcher, sleeper: &Sleeper) -> Builder {
    let script = format!("{} & wait", sleeper.command());
    shell(&script).launched_by(launcher, LaunchOptions::default())
}

#[test]
fn p27_launcher_shutdown_ends_its_own_alone() {
    let (own, other) = (launcher(), launcher());
    let folders = [folder(), folder(), folder()];
    let [daemon, neighbour, plain] = folders.each_ref().map(|it| Sleeper::new(it.path()));
    let neighbour_runs = tree_of(&other, &neighbour).daemon(true).spawn().unwrap();
    let plain_runs = shell(&plain.command()).daemon(true).spawn().unwrap();
    let awaited = shell("read line").stdin_piped().name("awaited");
    let awaited = awaited.launched_by(&own, LaunchOptions::default());
    let awaited = awaited.spawn().unwrap();
    let daemon_runs = tree_of(&own, &daemon).daemon(true).spawn().unwrap();
    eventually("the trees", || !daemon.running().is_empty());

    let live: Vec<u32> = own
        .clone()
        .live_processes()
        .iter()
        .map(|it| it.pid)
        .collect();
    assert_eq!(live, [awaited.pid(), daemon_runs.pid()]);
    let report = own.shutdown_timeout(Duration::ZERO);
    assert_eq!(report.processes.len(), 1, "{report:?}");
    assert_eq!(&*report.processes[0].name, "awaited");
    drop(awaited.take_stdin());
    let report = own.shutdown();
    assert!(report.is_complete(), "{report:?}");
    assert!(own.live_processes().is_empty() && daemon.running().is_empty());

    assert!(!neighbour_runs.is_finished() && !plain_runs.is_finished());
    let live = other.live_processes();
    assert_eq!((live.len(), live[0].pid), (1, neighbour_runs.pid()));
    assert!(other.shutdown().is_complete() && neighbour.running().is_empty());
    drop(plain_runs.stop(Duration::ZERO));
}

#[test]
fn p27_launcher_shutdown_awaits_only_its_own_stops() {
    let (own, other) = (launcher(), launcher());
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let deaf = shell("trap '' TERM; echo ready; read line").stdin_piped();
    let deaf = deaf.launched_by(&other, LaunchOptions::default());
    let deaf = deaf.spawn().unwrap();
    assert!(deaf.lines(Stream::Stdout).next().is_some());
    let stops = deaf.clone();
    let stop = join::spawn("stop", move |_| stops.stop(TIMEOUT)).unwrap();

    let dropped = tree_of(&own, &sleeper).kill_on_drop(true).spawn().unwrap();
    eventually("the tree", || !sleeper.running().is_empty());
    drop(dropped);
    assert!(own.shutdown().is_complete());
    assert!(sleeper.running().is_empty());
    assert!(!stop.is_finished());
    drop(deaf.take_stdin());
    stop.join().unwrap();
}

const VICTIM: &str = "MEANWHILE_TEST_VICTIM_SLEEP";
const SIGKILLED: &str = "process::launching::p11_sigkill_of_the_program_ends_all_trees";

/// The limit from the kill of the program to the end of all its descendants.
const PROMISED: Duration = Duration::from_secs(1);

#[test]
fn p11_sigkill_of_the_program_ends_all_trees() {
    if let Ok(sleep) = std::env::var(VICTIM) {
        start_tree_and_wait(&sleep);
    }
    // On a busy machine a process waits for its turn to exit. So one try within the limit is
    // enough; a real delay would show in all.
    let first = Instant::now();
    loop {
        let took = time_to_end_a_victim();
        if took <= PROMISED {
            return;
        }
        assert!(first.elapsed() < TIMEOUT, "the last try took {took:?}");
    }
}

/// Kills a program with a tree, and waits until all its descendants and its supervisor have ended.
fn time_to_end_a_victim() -> Duration {
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let victim = Builder::new(std::env::current_exe().unwrap())
        .args(["--exact", SIGKILLED, "--nocapture"])
        .env(VICTIM, sleeper.command())
        .spawn()
        .unwrap();
    eventually("three sleepers", || sleeper.running().len() == 3);
    assert_eq!(supervisors_of(victim.pid()).len(), 1);
    let mut children = Vec::new();
    // A shim that was to wait for the next command ends with the launcher.
    eventually("the supervisor and the shell alone", || {
        children = children_of(victim.pid());
        children.len() == 2
    });
    let start = Instant::now();
    victim.kill().unwrap();
    victim.join().unwrap();
    eventually("the end of all processes", || {
        sleeper.running().is_empty() && !children.iter().any(|pid| runs(*pid))
    });
    start.elapsed()
}

/// Starts a child, a grandchild that left the group, and one that also lost its parent.
fn start_tree_and_wait(sleep: &str) -> ! {
    let script = format!("{sleep} & setsid {sleep} & ( setsid {sleep} & ); wait");
    let _process = launched(shell(&script)).spawn().unwrap();
    loop {
        std::thread::park();
    }
}

/// The running children of a process.
pub(super) fn children_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(") ").next().unwrap_or_default();
        let is_child = after_name.split(' ').nth(1) == Some(&parent.to_string());
        is_child && runs(*pid)
    })
    .collect()
}

/// The running supervisors of a program.
pub(super) fn supervisors_of(program: u32) -> Vec<u32> {
    let mut children = children_of(program);
    children.retain(|pid| {
        let command_line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut arguments = command_line.split(|byte| *byte == 0);
        arguments.any(|argument| argument == b"--meanwhile-supervisor")
    });
    children
}

#[test]
fn daemon_of_a_finished_command_outlives_the_program() {
    const SLEEP: &str = "MEANWHILE_TEST_SLEEP";
    const FILE: &str = "MEANWHILE_TEST_FILE";
    let name = "process::launching::daemon_of_a_finished_command_outlives_the_program";
    let folder = folder();
    let sleeper = Sleeper::new(folder.path());
    let file = folder.path().join("supervisor");
    let setup = format!(
        "export {SLEEP}='{}' {FILE}='{}'",
        sleeper.command(),
        file.display()
    );
    // The child process is the program that ends.
    in_child_with(&setup, name, || {
        let sleep = std::env::var(SLEEP).unwrap();
        // It and a handle last as long as the program.
        let launcher = ManuallyDrop::new(launcher());
        let start = || {
            let daemon = shell(&format!("setsid {sleep} >/dev/null 2>&1 &"));
            let daemon = daemon.launched_by(&launcher, LaunchOptions::default());
            let process = daemon.spawn().unwrap();
            assert_eq!(process.join().unwrap(), Exit::Code(0));
            process
        };
        drop(start());
        let _kept = ManuallyDrop::new(start());
        let supervisors = supervisors_of(std::process::id());
        assert_eq!(supervisors.len(), 1);
        std::fs::write(std::env::var_os(FILE).unwrap(), supervisors[0].to_string()).unwrap();
    });
    if std::env::var_os(SLEEP).is_some() {
        return;
    }
    eventually("both daemons", || sleeper.running().len() == 2);
    let supervisor = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    eventually("the end of the supervisor", || !runs(supervisor));
    assert_eq!(sleeper.running().len(), 2);
}

#[test]
fn refused_start_leaves_no_zombie() {
    let name = "process::launching::refused_start_leaves_no_zombie";
    in_child(name, || {
        let launcher = launcher();
        for _ in 0..3 {
            let too_many = LaunchOptions::default().open_files(u64::MAX - 1);
            let process = Builder::new("true").launched_by(&launcher, too_many);
            process.spawn().unwrap_err();
        }
        let zombies = Resources::now().zombies;
        assert!(zombies.is_empty(), "{zombies:?}");
    });
}

#[test]
fn killed_supervisor_is_replaced() {
    let name = "process::launching::killed_supervisor_is_replaced";
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
        let supervisors = supervisors_of(own);
        assert_eq!(supervisors.len(), 1);
        kill(Pid::from_raw(supervisors[0].cast_signed()), Signal::SIGKILL).unwrap();
        eventually("the end of the supervisor", || !runs(supervisors[0]));
        let second = spawn().unwrap();
        assert_eq!(supervisors_of(own).len(), 1);
        for process in [first, second] {
            process.kill().unwrap();
            process.join().unwrap();
        }
    });
}

#[test]
fn supervisor_of_a_dropped_launcher_is_reaped() {
    let name = "process::launching::supervisor_of_a_dropped_launcher_is_reaped";
    in_child(name, || {
        let launcher = launcher();
        let child = Builder::new("true").launched_by(&launcher, LaunchOptions::default());
        assert_eq!(child.spawn().unwrap().join().unwrap(), Exit::Code(0));
        let supervisors = supervisors_of(std::process::id());
        assert_eq!(supervisors.len(), 1);
        drop(launcher);
        eventually("its end", || {
            !std::path::Path::new(&format!("/proc/{}", supervisors[0])).exists()
        });
    });
}

#[test]
fn p9_launched_script_without_interpreter_is_named() {
    let folder = folder();
    let script = executable(folder.path(), "#!/no/such/interpreter\n");
    let error = launched(Builder::new(&script)).spawn().unwrap_err();
    let is_named = matches!(error, SpawnError::InterpreterNotFound { .. });
    assert!(is_named, "{error}");
}

#[test]
fn p9_launched_file_being_written_is_named() {
    let folder = folder();
    let program = folder.path().join("being-written");
    std::fs::copy("/bin/true", &program).unwrap();
    let _writer = std::fs::OpenOptions::new()
        .append(true)
        .open(&program)
        .unwrap();
    let error = launched(Builder::new(&program)).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::BeingWritten { .. }), "{error}");
}

#[test]
fn p9_limit_that_is_refused_is_named() {
    let options = LaunchOptions::default().open_files(u64::MAX - 1);
    let process = Builder::new("true").launched_by(&launcher(), options);
    let error = process.spawn().unwrap_err();
    assert!(matches!(error, SpawnError::Other { .. }), "{error}");
    assert!(error.to_string().contains("nofile"), "{error}");
}

#[test]
fn p9_codes_of_the_command_itself_are_no_errors() {
    for code in [126, 127] {
        let process = launched(shell(&format!("exit {code}"))).spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(code));
    }
}

#[test]
fn launched_process_gets_its_input_in_each_form() {
    let folder = folder();
    let file = folder.path().join("input");
    std::fs::write(&file, "from a file").unwrap();
    let read = |builder: Builder| {
        let process = launched(builder).spawn().unwrap();
        assert_eq!(process.join().unwrap(), Exit::Code(0));
        process.output().stdout.text().into_owned()
    };
    let cat = || Builder::new("cat");
    assert_eq!(read(cat()), "");
    assert_eq!(read(cat().stdin_bytes("some bytes")), "some bytes");
    assert_eq!(read(cat().stdin_file(&file)), "from a file");
    // Nothing of the launcher is left open.
    let files = read(shell("ls -l /proc/self/fd"));
    assert!(!files.contains("socket"), "{files}");
}
