//! A process that somebody else has started.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A shell that starts a command in the background, prints its pid, waits for it and reaps it.
pub(crate) struct Parent {
    shell: Child,
    stdin: Option<ChildStdin>,
    pub(crate) pid: String,
}

impl Parent {
    /// The command goes on once [`release`](Self::release) is called.
    pub(crate) fn hold(command: &str) -> Self {
        let script = format!("exec 3<&0; (read go <&3 && {{ {command}; }}) & echo $!; wait $!");
        let mut shell = Command::new("sh");
        let shell = shell.args(["-c", &script]).stdin(Stdio::piped());
        let shell = shell.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut shell = shell.spawn().expect("a shell");
        let stdout = shell.stdout.take().expect("a pipe");
        let mut pid = String::new();
        let read = BufReader::new(stdout).read_line(&mut pid);
        read.expect("it prints the pid");
        Self {
            stdin: shell.stdin.take(),
            shell,
            pid: pid.trim().to_owned(),
        }
    }

    pub(crate) fn release(&mut self) {
        let mut stdin = self.stdin.take().expect("it was not released before");
        writeln!(stdin, "go").expect("the command reads it");
    }

    pub(crate) fn runs(&self) -> bool {
        Path::new("/proc").join(&self.pid).exists()
    }
}

impl Drop for Parent {
    #[expect(clippy::disallowed_methods, reason = "it ends with its input")]
    fn drop(&mut self) {
        // The command ends with its input, unless it was released.
        drop(self.stdin.take());
        self.shell.wait().expect("it is a child");
    }
}
