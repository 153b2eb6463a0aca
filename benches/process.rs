//! Child processes compared with the usual alternatives, all measured in the same run.
//!
//! `cargo bench -p meanwhile-join --bench process`

mod harness;

use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::{Bench, Contender, timed};
use meanwhile_join::process::{Builder, Exit, LaunchOptions, Launcher, Process};

fn main() -> std::io::Result<()> {
    let launcher = Launcher::install();
    let bench = Bench::from_args();
    spawn_and_join(&bench, &launcher)?;
    flat_in_memory(&bench)?;
    kill_to_status(&bench)?;
    drain(&bench)
}

/// The starts of a round, one after the other. What a launcher does for the next start is so measured
/// with its own starts, and not with those of others.
const STARTS: u32 = 10;

fn spawn_and_join(bench: &Bench, launcher: &Launcher) -> std::io::Result<()> {
    let ours = || starts(|| join(&start(true_program())));
    let with_launcher = || starts(|| join(&start(launched(launcher))));
    let small = small_program().map(Launcher::of_program);
    let mut contenders: Vec<Contender<'_>> = vec![
        ("meanwhile", Box::new(ours)),
        ("meanwhile, with launcher", Box::new(with_launcher)),
    ];
    if let Some(small) = &small {
        let with_small = || starts(|| join(&start(launched(small))));
        contenders.push(("meanwhile-supervise", Box::new(with_small)));
    }
    contenders.push(("Command::output", Box::new(|| starts(command_output))));
    let title = "spawn and join a process";
    bench.compare(title, 50, 0.5, f64::from(STARTS), contenders)?;

    let ours = || timed(|| join(&start(true_program())));
    let mut contenders: Vec<Contender<'_>> = vec![("meanwhile", Box::new(ours))];
    for (name, method) in [
        ("Python multiprocessing, fork", "fork"),
        ("Python multiprocessing, spawn", "spawn"),
    ] {
        if python(method).is_some() {
            let round = move || python(method).expect("it ran before");
            contenders.push((name, Box::new(round)));
        }
    }
    bench.compare("the same compared with Python", 11, 0.5, 1.0, contenders)
}

/// The program of the package `meanwhile-supervise`, if it was built in the same profile.
fn small_program() -> Option<PathBuf> {
    let bench = std::env::current_exe().ok()?;
    let built = bench.parent()?.parent()?;
    Some(built.join("meanwhile-supervise")).filter(|program| program.is_file())
}

/// The time of a round, which begins when nothing of the round before goes on.
fn starts(start: impl Fn()) -> Duration {
    sleep(Duration::from_millis(5));
    timed(|| (0..STARTS).for_each(|_| start()))
}

fn launched(launcher: &Launcher) -> Builder {
    true_program().launched_by(launcher, LaunchOptions::default())
}

fn command_output() {
    let output = Command::new("/bin/true").stdin(Stdio::null()).output();
    assert!(output.expect("it starts").status.success());
}

/// The median time of a few spawns by Python; `None` without Python.
fn python(method: &str) -> Option<Duration> {
    const SCRIPT: &str = "
import multiprocessing, sys, time
def nothing(): pass
if __name__ == '__main__':
    context, times = multiprocessing.get_context(sys.argv[1]), []
    for _ in range(3):
        start = time.perf_counter()
        process = context.Process(target=nothing)
        process.start()
        process.join()
        times.append(time.perf_counter() - start)
    print(sorted(times)[1])
";
    // A spawned child of Python reads the script again, so it must be a file.
    let file = std::env::temp_dir().join(format!("meanwhile-bench-{}.py", std::process::id()));
    std::fs::write(&file, SCRIPT).ok()?;
    let output = Command::new("python3").arg(&file).arg(method).output();
    std::fs::remove_file(&file).ok()?;
    let seconds = String::from_utf8(output.ok()?.stdout).ok()?;
    Some(Duration::from_secs_f64(seconds.trim().parse().ok()?))
}

fn flat_in_memory(bench: &Bench) -> std::io::Result<()> {
    for mib in [10, 100, 1024] {
        // Every page is written to, or the system would not allocate it.
        let ballast = vec![1_u8; mib << 20];
        let ours = || timed(|| join(&start(true_program())));
        let contenders: Vec<Contender<'_>> = vec![
            ("meanwhile", Box::new(ours)),
            ("Command::output", Box::new(|| timed(command_output))),
        ];
        let title = format!("the same with {mib} MiB resident");
        bench.compare(&title, 100, 0.5, 1.0, contenders)?;
        assert_eq!(std::hint::black_box(&ballast).len(), mib << 20);
    }
    Ok(())
}

fn kill_to_status(bench: &Bench) -> std::io::Result<()> {
    let ours = || {
        let sleeper = start(Builder::new("sleep").arg("60"));
        timed(|| {
            sleeper.kill().expect("it runs");
            join(&sleeper);
        })
    };
    let std_wait = || {
        let mut sleeper = std_sleeper();
        timed(|| {
            sleeper.kill().expect("it runs");
            wait(&mut sleeper);
        })
    };
    let sixty_hertz = || {
        let mut sleeper = std_sleeper();
        timed(|| {
            sleeper.kill().expect("it runs");
            while sleeper.try_wait().expect("its status").is_none() {
                sleep(Duration::from_nanos(16_666_667));
            }
        })
    };
    let contenders: Vec<Contender<'_>> = vec![
        ("meanwhile", Box::new(ours)),
        ("Child::wait", Box::new(std_wait)),
        ("try_wait at 60 Hz", Box::new(sixty_hertz)),
    ];
    bench.compare(
        "SIGKILL until the status is known",
        200,
        0.5,
        1.0,
        contenders,
    )
}

fn drain(bench: &Bench) -> std::io::Result<()> {
    const BYTES: u64 = 1 << 30;
    let count = BYTES.to_string();
    let ours = || {
        timed(|| {
            let head = start(Builder::new("head").args(["-c", &count, "/dev/zero"]));
            join(&head);
            assert_eq!(head.output().stdout.total, BYTES);
        })
    };
    let plain_loop = || {
        timed(|| {
            let mut head = Command::new("head")
                .args(["-c", &count, "/dev/zero"])
                .stdout(Stdio::piped())
                .spawn()
                .expect("it starts");
            let mut stdout = head.stdout.take().expect("it is piped");
            let mut buffer = vec![0; 64 * 1024];
            let mut total = 0;
            while let Ok(read @ 1..) = stdout.read(&mut buffer) {
                total += read as u64;
            }
            wait(&mut head);
            assert_eq!(total, BYTES);
        })
    };
    let contenders: Vec<Contender<'_>> = vec![
        ("meanwhile, the last 1 MiB kept", Box::new(ours)),
        ("a plain read loop", Box::new(plain_loop)),
    ];
    bench.compare("1 GiB of output", 9, 0.5, 1.0, contenders)
}

fn true_program() -> Builder {
    Builder::new("/bin/true")
}

fn start(builder: Builder) -> Process {
    builder.spawn().expect("it starts")
}

fn join(process: &Process) {
    let exit = process.join().expect("no timeout");
    assert_ne!(exit, Exit::Unknown);
}

fn std_sleeper() -> Child {
    let sleeper = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn();
    sleeper.expect("it starts")
}

#[expect(clippy::disallowed_methods, reason = "this contender is measured")]
fn wait(child: &mut Child) {
    child.wait().expect("its status");
}

#[expect(clippy::disallowed_methods, reason = "this contender is measured")]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}
