//! Commands with a prefix, and on another host.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use meanwhile::jobs::ExitStatus;

use super::{HOSTILE, run, shell, words};
use crate::util::files::{folder, name, write};

#[test]
fn prefix_precedes_the_command() {
    let folder = folder();
    for (prefix, expected) in [
        ("nice -n 7", "7 unset\n"),
        ("env GREETING='a b'", "0 a b\n"),
        ("env GREETING=x nice -n 3", "3 x\n"),
    ] {
        let mut options = words(&["sh", "-c", "echo $(nice) ${GREETING-unset}"]);
        options.prefix = prefix.to_owned();
        let ended = run(options, &[]);
        let nice = std::process::Command::new("nice").output().unwrap().stdout;
        if nice == b"0\n" {
            assert_eq!(ended.stdouts(), [expected.as_bytes()], "{prefix}");
        }
    }
    let mut options = words(&["sh", "-c", "exit 9", "{}"]);
    options.prefix = "nice".to_owned();
    let ended = run(options, &[write(folder.path(), "file", "")]);
    assert_eq!(ended.failure(0).0, "exit_code");
    assert_eq!(ended.ran(0).end, ExitStatus::Exited { code: 9 });
}

#[test]
#[ignore = "needs openssh-server; tests/all.sh runs it"]
fn file_names_survive_ssh() {
    let folder = folder();
    let server = Server::start(folder.path());
    // Files, because a name that exists is no pattern; and one that is no file.
    let hostile = HOSTILE.iter().map(|hostile| name(hostile));
    let mut files: Vec<PathBuf> = hostile.map(|name| write(folder.path(), name, "")).collect();
    files.push("-rf".into());
    let mut options = words(&["printf", "%s\\0", "{}"]);
    options.prefix = server.prefix(folder.path());
    options.timeout_secs = 60.0;
    let ended = run(options, &files);
    let expected: Vec<Vec<u8>> = files
        .iter()
        .map(|file| [file.as_os_str().as_bytes(), b"\0"].concat())
        .collect();
    assert_eq!(ended.stdouts(), expected, "{:?}", ended.item(0));

    let mut options = shell("cat >&2 < /dev/null; echo \"$1\" >&2; exit 5");
    options.prefix = server.prefix(folder.path());
    options.timeout_secs = 60.0;
    let ended = run(options, &["a  b".into()]);
    let (kind, message) = ended.failure(0);
    assert_eq!(kind, "exit_code");
    assert!(
        message.contains("code 5") && message.ends_with("\na  b"),
        "{message}"
    );
}

/// An SSH server on a free port with temporary keys, for the user of the test.
struct Server {
    child: std::process::Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Self {
        for key in ["host", "user"] {
            let key = folder.join(key);
            let made = std::process::Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(key)
                .status();
            assert!(made.expect("openssh-client is there").success());
        }
        // Another program could take the port in between; then the server ends with an error.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let at = folder.display();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\n\
             AuthorizedKeysFile {at}/user.pub\nPidFile none\nUsePAM no\nStrictModes no\n\
             PasswordAuthentication no\nMaxStartups 100\n"
        );
        let config = write(folder, "sshd_config", config);
        if nix::unistd::geteuid().is_root() {
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let child = std::process::Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f"])
            .arg(config)
            .stderr(std::process::Stdio::piped())
            .spawn()
            .expect("openssh-server is there");
        let mut server = Self { child, port };
        let stderr = BufReader::new(server.child.stderr.take().unwrap());
        let mut said = stderr.lines().map(Result::unwrap);
        let listens = said.any(|line| line.contains("Server listening"));
        assert!(listens, "it ended early");
        server
    }

    fn prefix(&self, folder: &Path) -> String {
        let (port, at) = (self.port, folder.display());
        format!(
            "ssh -F none -p {port} -i {at}/user -o IdentitiesOnly=yes -o BatchMode=yes \
             -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR 127.0.0.1"
        )
    }
}

impl Drop for Server {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test waits for the server it has just killed"
    )]
    fn drop(&mut self) {
        // Errors mean that it has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
