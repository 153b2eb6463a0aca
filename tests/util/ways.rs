//! Ways by which a process leaves its command.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// A way to leave: the programs that it needs, and a script. `SLEEP` is a command that sleeps for a day,
/// `PROGRAM` its first word, `FOLDER` a folder.
pub(crate) struct Way {
    needs: &'static [&'static str],
    pub(crate) script: &'static str,
    /// Whether only the administrator may do it.
    needs_root: bool,
}

const fn way(needs: &'static [&'static str], script: &'static str) -> Way {
    Way {
        needs,
        script,
        needs_root: false,
    }
}

const fn as_root(needs: &'static [&'static str], script: &'static str) -> Way {
    Way {
        needs_root: true,
        ..way(needs, script)
    }
}

const PERL: &str = "env -i perl -MPOSIX -e 'exit if fork; setsid; exit if fork; \
                    close $_ for *STDIN, *STDOUT, *STDERR; exec @ARGV' SLEEP";
const PYTHON: &str = "python3 -c 'import subprocess, sys; \
                      subprocess.Popen(sys.argv[1:], start_new_session=True, env=dict())' SLEEP";

const NODE: &str = "env -i node -e 'require(\"child_process\").spawn(process.argv[1], \
                    process.argv.slice(2), {detached: true, stdio: \"ignore\", env: Object()}).unref()' SLEEP";

/// What every system of the tests has.
pub(crate) const USUAL_WAYS: [Way; 12] = [
    way(&["setsid"], "setsid -f SLEEP"),
    way(&["setsid"], "env -i setsid -f SLEEP"),
    way(&["setsid"], "(env -i setsid sh -c 'SLEEP & exit' &) &"),
    way(&["nohup"], "nohup SLEEP >/dev/null 2>&1 &"),
    way(&["nohup"], "env -i nohup SLEEP >/dev/null 2>&1 &"),
    way(&["bash", "setsid"], "bash -c 'exec -c setsid -f SLEEP'"),
    way(
        &["script"],
        "env -i script -qfc 'SLEEP' /dev/null </dev/null >/dev/null &",
    ),
    way(&["perl"], PERL),
    way(&["python3"], PYTHON),
    as_root(&["unshare"], "env -i unshare -p -f SLEEP &"),
    as_root(&["runuser"], "runuser -u root -- env -i setsid -f SLEEP"),
    as_root(&["su"], "su root -c 'env -i setsid -f SLEEP'"),
];

/// What is tried where it is: the package of `node` is large.
pub(crate) const LARGE_WAYS: [Way; 1] = [way(&["node"], NODE)];

/// What needs a package. `daemon` and the like do what these do.
pub(crate) const MORE_WAYS: [Way; 7] = [
    as_root(&["sudo"], "sudo env -i setsid -f SLEEP"),
    way(&["screen"], "env -i screen -dmS meanwhile-test SLEEP"),
    way(
        &["tmux"],
        "env -i tmux -S FOLDER/socket new-session -d 'SLEEP'",
    ),
    as_root(
        &["start-stop-daemon"],
        "env -i PATH=\"$PATH\" start-stop-daemon --start --background --pidfile FOLDER/pid --startas PROGRAM -- 86400",
    ),
    way(&["daemonize"], "env -i daemonize SLEEP"),
    way(&["socat"], "env -i socat PIPE 'EXEC:SLEEP,setsid' &"),
    as_root(
        &["bwrap"],
        "env -i bwrap --dev-bind / / --unshare-pid --new-session SLEEP &",
    ),
];

/// A way to have something started by a program that ran before, and is none of the command's descendants.
/// So neither is what it starts: no report can name it, and nothing ends it but that program.
pub(crate) struct Request {
    /// A script for the program that ran before, which then waits in the script or as a daemon.
    pub(crate) server: &'static str,
    pub(crate) asks: Way,
    /// A script that ends the program, and removes what it has not started yet.
    pub(crate) end: &'static str,
}

/// The program that gets the request. What `systemd-run` does is the same.
pub(crate) const REQUESTS: [Request; 3] = [
    Request {
        server: "mkfifo FOLDER/requests && exec sh FOLDER/requests",
        asks: way(&["mkfifo"], "echo 'exec SLEEP' >FOLDER/requests"),
        end: "rm FOLDER/requests",
    },
    Request {
        server: "tmux -S FOLDER/socket new-session -d 'sleep 600'",
        asks: way(&["tmux"], "tmux -S FOLDER/socket new-window -d 'SLEEP'"),
        end: "tmux -S FOLDER/socket kill-server",
    },
    // `at` hands the environment on to the job, which is found by it. Another one of the system may run.
    Request {
        server: "exec atd -f",
        asks: as_root(
            &["at", "atd"],
            "echo 'exec SLEEP' | env -i PATH=\"$PATH\" at now",
        ),
        end: "true",
    },
];

impl Way {
    /// The script that leaves this sleeper, with files in `folder`.
    pub(crate) fn script_for(&self, sleep: &str, folder: &Path) -> String {
        let program = sleep.split(' ').next().unwrap_or(sleep);
        let script = self.script.replace("SLEEP", sleep);
        let script = script.replace("PROGRAM", program);
        in_folder(&script, folder)
    }

    /// Why the way can't be gone here.
    pub(crate) fn obstacle(&self) -> Option<String> {
        if self.needs_root && !nix::unistd::geteuid().is_root() {
            return Some("only the administrator may".to_owned());
        }
        let is_missing = |program: &&&str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("command -v {program}")]);
            let found = shell.stdout(Stdio::null()).status();
            !found.expect("a shell").success()
        };
        let missing = self.needs.iter().find(is_missing)?;
        Some(format!("there is no {missing}"))
    }
}

/// Says it where the harness does not capture it.
pub(crate) fn say_what_is_not_tried<'a>(ways: impl Iterator<Item = &'a Way>) {
    for way in ways {
        if let Some(why) = way.obstacle() {
            let line = format!("not tried: `{}`: {why}\n", way.script);
            std::io::stderr().write_all(line.as_bytes()).ok();
        }
    }
}

/// The script with files in `folder`.
pub(crate) fn in_folder(script: &str, folder: &Path) -> String {
    script.replace("FOLDER", &folder.display().to_string())
}
