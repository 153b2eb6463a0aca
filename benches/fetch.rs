//! Fetching from nginx on this machine compared with other programs.
//!
//! All contenders are programs that fetch the same list, five URLs at once, into an empty folder. They run
//! equally often, in turn, and the medians are compared: of the time until the program ends, and of the time
//! until the files would survive a power cut too. Meanwhile syncs each file before the file gets its name;
//! for the others, the bench syncs their files afterwards.
//!
//! `cargo bench --bench fetch` · `MEANWHILE_BENCH_FOLDER=/dev/shm` changes the place of the files, and
//! `MEANWHILE_BENCH_MIB=256` the size of the large one.

#[expect(dead_code, reason = "the other benches use the rest")]
#[path = "harness/programs.rs"]
mod programs;

use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use programs::{is_full_run, is_installed, median};

const ROUNDS: usize = 5;
const SMALL: Load = Load {
    files: 200,
    bytes: 64 << 10,
};

/// Files to fetch.
#[derive(Clone, Copy)]
struct Load {
    files: usize,
    bytes: u64,
}

/// What fetches a list into a folder.
struct Contender {
    program: &'static str,
    arguments: fn(list: &Path, to: &Path) -> Vec<PathBuf>,
}

const CONTENDERS: [Contender; 3] = [
    Contender {
        program: env!("CARGO_BIN_EXE_meanwhile"),
        arguments: |list, to| {
            let options = "run fetch --priority normal --workers 5 --limit 65536 --to";
            words(options, &[to, list])
        },
    },
    Contender {
        program: "aria2c",
        arguments: |list, to| words("--no-conf --quiet -j 5 -d", &[to, "-i".as_ref(), list]),
    },
    Contender {
        program: "wget2",
        arguments: |list, to| {
            let options = "--no-config --quiet --max-threads 5 -P";
            words(options, &[to, "-i".as_ref(), list])
        },
    },
];

fn words(options: &str, last: &[&Path]) -> Vec<PathBuf> {
    let options = options.split(' ').map(PathBuf::from);
    options.chain(last.iter().map(PathBuf::from)).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    if !is_installed("nginx", "-v") {
        return Ok(writeln!(out, "nginx is not installed")?);
    }
    let (loads, rounds) = if is_full_run() {
        let bytes = mib()? << 20;
        ([SMALL, Load { files: 1, bytes }], ROUNDS)
    } else {
        let load = Load {
            files: 2,
            bytes: 1 << 10,
        };
        ([load, load], 1)
    };
    let place = std::env::var_os("MEANWHILE_BENCH_FOLDER").map(PathBuf::from);
    let place = place.unwrap_or_else(std::env::temp_dir);
    for load in loads {
        let folder = tempfile::tempdir_in(&place)?;
        compare(folder.path(), load, rounds, &mut out)?;
    }
    Ok(())
}

fn mib() -> Result<u64, Box<dyn Error>> {
    Ok(match std::env::var("MEANWHILE_BENCH_MIB") {
        Ok(text) => text.parse()?,
        Err(_) => 1024,
    })
}

fn compare(
    folder: &Path,
    load: Load,
    rounds: usize,
    out: &mut impl io::Write,
) -> Result<(), Box<dyn Error>> {
    let server = Server::start(folder, load)?;
    let (installed, missing): (Vec<_>, Vec<_>) = CONTENDERS
        .iter()
        .partition(|contender| is_installed(contender.program, "--version"));
    let mut times = vec![(Vec::new(), Vec::new()); installed.len()];
    for round in 0..rounds {
        for turn in 0..installed.len() {
            let contender = (turn + round) % installed.len();
            let (ended, synced) = fetch(installed[contender], &server, folder, load)?;
            times[contender].0.push(ended);
            times[contender].1.push(synced);
        }
    }
    let (files, kib) = (load.files, load.bytes >> 10);
    let place = folder.parent().unwrap_or(folder).display();
    writeln!(
        out,
        "{files} files of {kib} KiB in {place}, median of {rounds} rounds; ratio: our throughput / theirs"
    )?;
    let medians: Vec<_> = times
        .into_iter()
        .map(|(ended, synced)| [median(ended), median(synced)].map(|time| time.as_secs_f64()))
        .collect();
    for (contender, [ended, synced]) in installed.iter().zip(&medians) {
        let [our_ended, our_synced] = medians[0];
        let name = Path::new(contender.program).file_name().unwrap_or_default();
        writeln!(
            out,
            "    {:<10} {ended:7.3} s   ratio {:.2}   until synced {synced:7.3} s   ratio {:.2}",
            name.display(),
            ended / our_ended,
            synced / our_synced,
        )?;
    }
    for contender in missing {
        writeln!(out, "    {}: not installed", contender.program)?;
    }
    Ok(())
}

/// Returns the time until the program ends, and until its files are on the disk.
fn fetch(
    contender: &Contender,
    server: &Server,
    folder: &Path,
    load: Load,
) -> Result<(Duration, Duration), Box<dyn Error>> {
    let to = folder.join("out");
    fs::create_dir(&to)?;
    let start = Instant::now();
    let mut command = Command::new(contender.program);
    command.args((contender.arguments)(&server.list, &to));
    let status = command.stdout(Stdio::null()).status()?;
    let ended = start.elapsed();
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    let mut len = 0;
    for entry in fs::read_dir(&to)? {
        let file = File::open(entry?.path())?;
        file.sync_all()?;
        len += file.metadata()?.len();
    }
    File::open(&to)?.sync_all()?;
    let synced = start.elapsed();
    if len != load.bytes * load.files as u64 {
        return Err(format!("{command:?} saved {len} bytes").into());
    }
    fs::remove_dir_all(&to)?;
    Ok((ended, synced))
}

/// An nginx that serves files. Ended on drop.
struct Server {
    child: Child,
    /// A list of the URLs.
    list: PathBuf,
}

impl Server {
    /// Writes the files, starts the server, and waits until it accepts connections.
    fn start(folder: &Path, load: Load) -> Result<Self, Box<dyn Error>> {
        let address = free_address()?;
        let www = folder.join("www");
        fs::create_dir(&www)?;
        let mut urls = String::new();
        for number in 0..load.files {
            let mut random = File::open("/dev/urandom")?.take(load.bytes);
            io::copy(
                &mut random,
                &mut File::create(www.join(number.to_string()))?,
            )?;
            writeln!(urls, "http://{address}/{number}")?;
        }
        let list = folder.join("list");
        fs::write(&list, urls)?;
        let child = nginx(folder, address)?;
        // Dropped with its child if it does not answer.
        let server = Self { child, list };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > Duration::from_secs(10) {
                return Err("nginx does not listen".into());
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Ok(server)
    }
}

impl Drop for Server {
    #[expect(clippy::disallowed_methods, reason = "it has been killed")]
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr()
}

fn nginx(folder: &Path, address: SocketAddr) -> io::Result<Child> {
    let dir = folder.display();
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {dir}/{name};"))
        .concat();
    let settings = format!(
        "daemon off; master_process off; pid {dir}/pid; error_log {dir}/log; events {{}}
        http {{ access_log off; sendfile on; {places} server {{ listen {address}; root {dir}/www; }} }}"
    );
    let path = folder.join("nginx.conf");
    fs::write(&path, settings)?;
    let mut command = Command::new("nginx");
    command
        .arg("-e")
        .arg(folder.join("log"))
        .arg("-c")
        .arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()
}
