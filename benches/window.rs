//! A window on a screen: how long it takes from the start of the program until something is painted, and how much
//! memory it uses at rest; compared with a window of eframe that shows one label, in turns.
//!
//! The screen is an X server without a graphics card, so the processor paints.
//!
//! `cargo bench --bench window`, with Xvfb

#![expect(
    clippy::disallowed_methods,
    reason = "it waits for the windows that it started and ended"
)]

use std::error::Error;

use eframe::egui;

/// The size of each window.
const SIZE: [u16; 2] = [1180, 780];

/// The argument with which this program is the bare window.
const BARE: &str = "bare-window";

fn main() -> Result<(), Box<dyn Error>> {
    if std::env::args().any(|argument| argument == BARE) {
        return bare_window();
    }
    compare()
}

/// What every program with eframe needs.
fn bare_window() -> Result<(), Box<dyn Error>> {
    struct Bare;
    impl eframe::App for Bare {
        fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
            egui::CentralPanel::default().show(ui, |ui| ui.label("Nothing else"));
        }
    }
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size(SIZE.map(f32::from)),
        // As in the program: the tests enable others.
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    Ok(eframe::run_native(
        "Bare",
        options,
        Box::new(|_| Ok(Box::new(Bare))),
    )?)
}

#[cfg(not(target_os = "linux"))]
fn compare() -> Result<(), Box<dyn Error>> {
    Err("This bench reads the memory of a program as Linux shows it.".into())
}

#[cfg(target_os = "linux")]
fn compare() -> Result<(), Box<dyn Error>> {
    screen::compare()
}

#[cfg(target_os = "linux")]
mod screen {
    use std::error::Error;
    use std::fs;
    use std::io::{self, BufRead as _, BufReader, Write as _};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::time::{Duration, Instant};

    use x11rb::connection::Connection as _;
    use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
    use x11rb::rust_connection::RustConnection;

    use super::{BARE, SIZE};

    const ROUNDS: usize = 15;

    /// The inputs of the window that opens with files.
    const FILES: usize = 100_000;

    /// Some time after the first frame, a window is at rest.
    const REST: Duration = Duration::from_secs(3);

    /// A window that has not come until then never does.
    const TIMEOUT: Duration = Duration::from_mins(1);

    /// Between two looks at the screen.
    const LOOK: Duration = Duration::from_micros(500);

    pub(super) fn compare() -> Result<(), Box<dyn Error>> {
        // `cargo test --benches` only checks that it runs.
        let is_short = !std::env::args().any(|argument| argument == "--bench");
        let (rounds, files) = if is_short { (1, 100) } else { (ROUNDS, FILES) };
        let files: Vec<_> = (0..files).map(|file| file.to_string()).collect();
        let mut contenders = [
            Contender::new("meanwhile", env!("CARGO_BIN_EXE_meanwhile"), &[]),
            Contender::new(
                "with 100 000 files",
                env!("CARGO_BIN_EXE_meanwhile"),
                &files,
            ),
            Contender::new(
                "a bare window",
                std::env::current_exe()?,
                &[BARE.to_owned()],
            ),
        ];
        for round in 0..rounds {
            for turn in 0..contenders.len() {
                let next = (round + turn) % contenders.len();
                contenders[next].run()?;
            }
        }
        let mut out = io::stdout().lock();
        for (what, figure) in FIGURES {
            writeln!(out, "{what}")?;
            let figures = contenders.each_ref().map(|contender| {
                let mut figures: Vec<_> = contender.costs.iter().map(figure).collect();
                figures.sort_by(f64::total_cmp);
                [0, figures.len() / 2, figures.len() - 1].map(|place| figures[place])
            });
            let [.., [_, bare, _]] = figures;
            for (contender, [least, median, most]) in contenders.iter().zip(figures) {
                writeln!(
                    out,
                    "    {:<20} median {median:>7.1}   {least:>7.1} to {most:>7.1}   this / bare {:.2}",
                    contender.name,
                    median / bare
                )?;
            }
        }
        Ok(())
    }

    type Figure = fn(&Cost) -> f64;

    const FIGURES: [(&str, Figure); 3] = [
        ("until something is painted, in ms", |cost| {
            cost.painted.as_secs_f64() * 1e3
        }),
        ("memory at rest, in MiB", |cost| cost.resident),
        ("that of it which no other program shares, in MiB", |cost| {
            cost.private
        }),
    ];

    struct Cost {
        painted: Duration,
        resident: f64,
        private: f64,
    }

    struct Contender {
        name: &'static str,
        command: Command,
        costs: Vec<Cost>,
    }

    impl Contender {
        fn new(name: &'static str, program: impl AsRef<std::ffi::OsStr>, args: &[String]) -> Self {
            let mut command = Command::new(program);
            command.args(args);
            Self {
                name,
                command,
                costs: Vec::new(),
            }
        }

        /// Opens the window on a new screen, for a user who has no settings.
        fn run(&mut self) -> Result<(), Box<dyn Error>> {
            let (screen, home) = (Screen::start()?, tempfile::tempdir()?);
            fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700))?;
            self.command
                .env_clear()
                .env("PATH", std::env::var_os("PATH").unwrap_or_default())
                .env("DISPLAY", &screen.name)
                .env("LIBGL_ALWAYS_SOFTWARE", "1")
                .envs(["HOME", "XDG_RUNTIME_DIR"].map(|name| (name, home.path())))
                .current_dir(home.path())
                .stderr(Stdio::null());
            let began = Instant::now();
            let program = Guard(self.command.spawn()?);
            let painted = loop {
                if screen.is_painted()? {
                    break began.elapsed();
                }
                if began.elapsed() > TIMEOUT {
                    return Err(format!("{} painted nothing", self.name).into());
                }
                std::thread::park_timeout(LOOK);
            };
            std::thread::park_timeout(REST);
            let [resident, private] = memory(program.0.id())?;
            self.costs.push(Cost {
                painted,
                resident,
                private,
            });
            Ok(())
        }
    }

    /// An X server without any window.
    struct Screen {
        name: String,
        connection: RustConnection,
        root: u32,
        _server: Guard,
    }

    impl Screen {
        fn start() -> Result<Self, Box<dyn Error>> {
            let mut server = Command::new("Xvfb");
            server.args(["-displayfd", "1", "-screen", "0", "1600x1000x24"]);
            server.args(["-nolisten", "tcp", "-noreset"]);
            server.stdout(Stdio::piped()).stderr(Stdio::null());
            let mut server = Guard(server.spawn()?);
            let stdout = server.0.stdout.take().ok_or("there is a pipe")?;
            let mut number = String::new();
            BufReader::new(stdout).read_line(&mut number)?;
            let name = format!(":{}", number.trim());
            let (connection, screen) = x11rb::connect(Some(&name))?;
            let root = connection.setup().roots[screen].root;
            Ok(Self {
                name,
                connection,
                root,
                _server: server,
            })
        }

        /// Whether anything is on a line across the middle of the windows. An empty screen is black.
        fn is_painted(&self) -> Result<bool, Box<dyn Error>> {
            let [width, height] = SIZE;
            let (middle, all) = ((height / 2).cast_signed(), u32::MAX);
            let line = self.connection.get_image(
                ImageFormat::Z_PIXMAP,
                self.root,
                0,
                middle,
                width,
                1,
                all,
            )?;
            let mut pixels = line.reply()?.data.into_iter().collect::<Vec<_>>();
            // The fourth byte of a pixel means nothing.
            pixels.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 0);
            Ok(pixels.iter().any(|&byte| byte != 0))
        }
    }

    struct Guard(Child);

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.kill().ok();
            self.0.wait().ok();
        }
    }

    /// The resident memory of a program, and what of it no other program shares, in MiB.
    fn memory(pid: u32) -> Result<[f64; 2], Box<dyn Error>> {
        let text = fs::read_to_string(Path::new("/proc").join(format!("{pid}/smaps_rollup")))?;
        let kib = |name: &str| {
            let mut lines = text.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
            number.and_then(|number| number.parse::<f64>().ok())
        };
        let (resident, clean) = (kib("Rss"), kib("Private_Clean"));
        let all = resident.zip(clean).zip(kib("Private_Dirty"));
        let ((resident, clean), dirty) = all.ok_or("Linux shows the memory of a program")?;
        Ok([resident, clean + dirty].map(|kib| kib / 1024.0))
    }
}
