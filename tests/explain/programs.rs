//! Programs that people run, hanging in the way in which they hang.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use meanwhile_explain::{Activity, Runtime, Target, WaitGraph};
use nix::unistd::Uid;
use tempfile::TempDir;

use super::program::{Waiting, look_until};
use super::sentences::without_ids;

/// Asserts that the sentence becomes the expected one. Numbers are left out.
fn assert_says(pid: u32, expected: &str) {
    let says = |graph: &WaitGraph| without_ids(&graph.sentence());
    let graph = look_until(pid, |graph| says(graph) == expected);
    assert_eq!(says(&graph), expected);
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder for the test")
}

/// A shell that starts what is tested in the background, prints its pid, and says `ready`.
fn shell(script: &str, folder: TempDir) -> Waiting {
    let mut command = Command::new("bash");
    command
        .arg("-c")
        .arg(format!("{script}\necho ready; wait"))
        .current_dir(folder.path())
        .env("LC_ALL", "C")
        .stderr(Stdio::null());
    Waiting::of(&mut command, folder)
}

/// The number in the only line that a shell has printed before it was ready.
fn pid_in(waiting: &Waiting) -> u32 {
    let [line] = &*waiting.lines else {
        panic!("not one line: {:?}", waiting.lines);
    };
    line.parse().expect("it is a pid")
}

#[test]
fn make_waits_for_a_stuck_recipe() {
    let folder = folder();
    let makefile = "all: quick stuck\nquick:\n\t@true\nstuck:\n\t@cat never\n";
    fs::write(folder.path().join("Makefile"), makefile).expect("our own folder");
    let waiting = shell("mkfifo never; make -j2 & echo $!", folder);
    assert_says(
        pid_in(&waiting),
        "`make` (pid N) waits for its child `cat` (pid N) to end, which opens the FIFO `never`, and waits \
         until someone opens it to write to it.",
    );
}

/// The shell keeps the writing end of what the recipe reads, so that `make` waits for the one that waits
/// for it.
#[test]
fn make_and_its_shell_are_a_ring() {
    let folder = folder();
    fs::write(folder.path().join("Makefile"), "stuck:\n\t@cat never\n").expect("our own folder");
    let script = "mkfifo never; exec 8<>never 9>never 8>&-; make 9>&- & echo $!";
    let waiting = shell(script, folder);
    let graph = look_until(pid_in(&waiting), |graph| !graph.rings().is_empty());
    let sentence = without_ids(&graph.sentence());
    assert!(
        sentence.ends_with(
            "/never` that only `bash` (pid N) can write, which waits for its child `make` (pid N) to end: a \
             ring, nothing but a signal will move it."
        ),
        "{sentence}"
    );
}

#[test]
fn pipeline_waits_for_its_slowest_program() {
    let waiting = shell(
        "yes | cat | sleep 600 & pgrep --newest --parent $$ yes",
        folder(),
    );
    assert_says(
        pid_in(&waiting),
        "`yes` (pid N) writes to a pipe, which is full until `cat` (pid N) reads from it, which writes to a \
         pipe, which is full until `sleep` (pid N) reads from it, which sleeps for N s.",
    );
}

/// A server that has been stopped: the connection is there, and nobody speaks.
#[test]
#[ignore = "needs the SSH server; tests/all.sh runs it"]
fn ssh_waits_for_a_host_that_says_nothing() {
    let folder = folder();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback is there");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let script = format!(
        "ssh-keygen -q -t ed25519 -N '' -f key\n\
         mkdir -p /run/sshd 2>/dev/null\n\
         /usr/sbin/sshd -D -f /dev/null -p {port} -h $PWD/key -o PidFile=none -o ListenAddress=127.0.0.1 & server=$!\n\
         until (exec 3<>/dev/tcp/127.0.0.1/{port}); do kill -0 $server || exit; sleep 0.05; done\n\
         kill -STOP $server\n\
         ssh -F none -p {port} 127.0.0.1 true & echo $!"
    );
    let waiting = shell(&script, folder);
    let graph = look_until(pid_in(&waiting), |graph| {
        graph.sentence().contains("stopped by a signal")
    });
    let sentence = without_ids(&graph.sentence());
    let begin = "`ssh` (pid N) reads from the network address N.N.N.N:N, whose other end `sshd: ";
    let end = "(pid N) has, which has been stopped by a signal (SIGCONT lets it go on).";
    assert!(
        sentence.starts_with(begin) && sentence.ends_with(end),
        "{sentence}"
    );
}

/// A server that takes the connection and never says a word: this test.
#[test]
#[ignore = "needs the SSH client; tests/all.sh runs it"]
fn ssh_waits_for_a_server_that_never_speaks() {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback is there");
    let port = server.local_addr().expect("it is bound").port();
    let waiting = shell(
        &format!("ssh -F none -p {port} 127.0.0.1 true & echo $!"),
        folder(),
    );
    let connection = server.accept().expect("ssh connects");
    let other_end = |graph: &WaitGraph| {
        let [Target::Process(process)] = graph.threads[0].awaits[..] else {
            return None;
        };
        Some(graph.process(process).pid)
    };
    let graph = look_until(pid_in(&waiting), |graph| other_end(graph).is_some());
    assert_eq!(other_end(&graph), Some(std::process::id()));
    let says = "`ssh` (pid N) reads from the network address N.N.N.N:N, whose other end ";
    let sentence = without_ids(&graph.sentence());
    assert!(sentence.starts_with(says), "{sentence}");
    drop(connection);
}

/// What the bus waits for itself says nothing.
#[test]
#[ignore = "needs dbus-daemon; tests/all.sh runs it"]
fn message_over_a_bus_is_told_as_such() {
    let script = "dbus-daemon --session --nofork --nopidfile --print-address --address=unix:path=$PWD/bus >address &\n\
         until [ -s address ]; do kill -0 $! || exit; sleep 0.05; done\n\
         perl -MIO::Socket::UNIX -e 'IO::Socket::UNIX->new(Peer => \"bus\")->getline' & echo $!";
    let waiting = shell(script, folder());
    assert_says(
        pid_in(&waiting),
        "`perl` (pid N) waits for a message over D-Bus, which `dbus-daemon` (pid N) passes on.",
    );
}

#[test]
fn queues_of_two_python_processes_are_a_ring() {
    let folder = folder();
    let program = "import multiprocessing as m, os, sys\n\
        def other(a, b):\n    a.put(b.get())\n\
        a, b = m.Queue(), m.Queue()\n\
        p = m.Process(target=other, args=(a, b)); p.start()\n\
        print(os.getpid(), 'ready', sep='\\n', flush=True)\n\
        b.put(a.get())\n";
    let mut command = Command::new("python3");
    command.args(["-c", program]);
    let waiting = Waiting::of(&mut command, folder);
    let graph = look_until(pid_in(&waiting), |graph| !graph.rings().is_empty());
    let rings = graph.rings();
    let [ring] = &*rings else {
        panic!("not one ring: {}", graph.sentence());
    };
    let pids: BTreeSet<u32> = ring
        .iter()
        .map(|thread| graph.process(graph.thread(*thread).process).pid)
        .collect();
    assert_eq!(pids.len(), 2, "{}", graph.sentence());
}

/// `apt-get` asks for a lock again each second, so the system does not know that it waits for one.
#[test]
#[ignore = "needs apt; tests/all.sh runs it"]
fn apt_that_waits_for_its_lock_sleeps() {
    let folder = folder();
    for part in ["dpkg/updates", "lists/partial", "archives/partial"] {
        fs::create_dir_all(folder.path().join(part)).expect("our own folder");
    }
    fs::write(folder.path().join("dpkg/status"), "").expect("our own folder");
    let holder = "import fcntl, time; file = open('dpkg/lock-frontend', 'w'); \
                  fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); time.sleep(600)";
    let script = format!(
        "coproc python3 -c \"{holder}\"\n\
         read -r line <&${{COPROC[0]}}\n\
         apt-get -o Dir::State=$PWD -o Dir::State::status=$PWD/dpkg/status -o Dir::Cache=$PWD \
         -o DPkg::Lock::Timeout=600 -y install >log 2>&1 & echo $!\n\
         until grep --quiet 'Waiting for cache lock' log; do kill -0 $! || exit; sleep 0.05; done"
    );
    let waiting = shell(&script, folder);
    assert_says(pid_in(&waiting), "`apt-get` (pid N) sleeps for N.N s.");
}

/// Two sessions update the same row. What holds up the second one is known to the database alone.
#[test]
#[ignore = "needs PostgreSQL; tests/all.sh runs it"]
fn blocked_transaction_of_postgresql() {
    let folder = folder();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("our own folder");
    let user = if Uid::current().is_root() {
        "setpriv --reuid postgres --regid postgres --clear-groups"
    } else {
        ""
    };
    let script = format!(
        "bin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)\n\
         run() {{ exec {user} \"$@\"; }}\n\
         sql() {{ run \"$bin/psql\" -h $PWD -d postgres -qAt \"$@\"; }}\n\
         (run $bin/initdb -D $PWD/data -U $(id -un {name}) -A trust) >/dev/null\n\
         (run $bin/postgres -D $PWD/data -k $PWD -c listen_addresses= -c fsync=off) & server=$!\n\
         until (sql -c 'create table t as select 1 as a'); do kill -0 $server || exit; sleep 0.05; done\n\
         (echo 'begin; update t set a = 2; \\! touch held'; sleep 600) | (sql) &\n\
         until [ -e held ]; do sleep 0.05; done\n\
         (sql -c 'update t set a = 3') & echo $!",
        name = if user.is_empty() { "" } else { "postgres" },
    );
    let waiting = shell(&script, folder);
    let end = "whose other end `postgres: postgres postgres [local] UPDATE waiting` (pid N) has, which \
               waits for any of N files.";
    let graph = look_until(pid_in(&waiting), |graph| {
        without_ids(&graph.sentence()).ends_with(end)
    });
    let sentence = without_ids(&graph.sentence());
    assert!(
        sentence.starts_with("`psql` (pid N) waits for the socket `"),
        "{sentence}"
    );
    assert!(sentence.ends_with(end), "{sentence}");

    // The database knows, if it is asked.
    let question = Runtime::Postgresql.question(0);
    let mut words = user.split_whitespace().chain([question.program]);
    let mut ask = Command::new(words.next().expect("it has a program"));
    ask.args(words).args(question.arguments);
    ask.env("PGHOST", waiting.folder())
        .env("PGDATABASE", "postgres");
    let output = ask.output().expect("it is installed").stdout;
    let answer = Runtime::Postgresql
        .read(0, &String::from_utf8_lossy(&output))
        .expect("psql was asked");
    let graph = meanwhile_explain::with_answer(pid_in(&waiting), false, &answer).expect("it waits");
    let sentence = without_ids(&graph.sentence());
    let end = "whose other end `postgres: postgres postgres [local] UPDATE waiting` (pid N, running \
               `update t set a = N`) has, which waits for a lock of the database held by `postgres: \
               postgres postgres [local] idle in transaction` (pid N, in an open transaction, after \
               `update t set a = N;`), which waits for any of N files.";
    assert!(sentence.ends_with(end), "{sentence}");
}

/// A group of version 2 and one of version 1, where this system has them and lets us make one.
#[test]
fn frozen_group_is_no_sleep() {
    let trees = [
        ("cgroup2", "cgroup.freeze", "1", "0"),
        ("cgroup", "freezer.state", "FROZEN", "THAWED"),
    ];
    for (kind, file, frozen, thawed) in trees {
        let Some(group) = own_group(kind, file) else {
            println!("NOT CHECKED: no group of {kind} with {file} can be made here.");
            continue;
        };
        let waiting = shell("sleep 600 & echo $!", folder());
        let pid = pid_in(&waiting);
        fs::write(group.join("cgroup.procs"), pid.to_string()).expect("the group is ours");
        fs::write(group.join(file), frozen).expect("the group is ours");
        let graph = look_until(pid, |graph| graph.threads[0].activity == Activity::Frozen);
        let sentence = without_ids(&graph.sentence());
        fs::write(group.join(file), thawed).expect("the group is ours");
        drop(waiting);
        while fs::remove_dir(&group).is_err() {
            std::thread::yield_now();
        }
        assert_eq!(
            sentence,
            "`sleep` (pid N) is frozen with its control group."
        );
    }
}

/// Makes a control group in the first tree of this kind whose groups have this file.
fn own_group(kind: &str, file: &str) -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let mut places = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        let place = words.next()?;
        (words.next()? == kind).then_some(place)
    });
    places.find_map(|place| {
        let group = Path::new(place).join(format!("meanwhile-test-{}", std::process::id()));
        fs::create_dir(&group).ok()?;
        if group.join(file).exists() {
            return Some(group);
        }
        fs::remove_dir(&group).expect("it is ours and empty");
        None
    })
}

/// Whoever serves the files has been stopped.
#[test]
#[ignore = "needs bindfs; tests/all.sh runs it"]
fn files_that_a_process_serves() {
    let folder = folder();
    if fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/fuse")
        .is_err()
    {
        println!("NOT CHECKED: /dev/fuse can't be opened here.");
        return;
    }
    // A mount in a namespace of its own ends with the processes in it.
    let script = "mkdir source mount; echo text >source/file\n\
                  bindfs -f --no-allow-other source mount & server=$!\n\
                  until [ -e mount/file ]; do kill -0 $server || exit; sleep 0.05; done\n\
                  kill -STOP $server\n\
                  cat mount/file & echo $!\n\
                  echo ready; wait";
    fs::write(folder.path().join("script"), script).expect("our own folder");
    let namespaces = if Uid::current().is_root() {
        "--mount"
    } else {
        "--mount --user --map-root-user"
    };
    let waiting = shell(&format!("exec unshare {namespaces} bash script"), folder);
    if waiting.lines.is_empty() {
        println!("NOT CHECKED: no namespace for a mount can be made here.");
        return;
    }
    assert_says(
        pid_in(&waiting),
        "`cat` (pid N) waits for a file system, which `bindfs` (pid N) has to serve, which has been \
         stopped by a signal (SIGCONT lets it go on).",
    );
}
