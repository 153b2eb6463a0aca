//! A small program that starts the commands of Meanwhile.
//!
//! Where it is in the folder of the main program, the launcher starts it as its shim and its supervisor
//! in place of the main program, which takes several times as long to start.

#[cfg(unix)]
use meanwhile_join::process::Launcher;

fn main() -> std::process::ExitCode {
    // Never returns in a shim or supervisor.
    #[cfg(unix)]
    Launcher::install();
    say_what_it_is();
    std::process::ExitCode::from(2)
}

#[expect(clippy::print_stderr, reason = "there is no other output")]
fn say_what_it_is() {
    eprintln!(
        "Meanwhile starts its commands with this program. There is nothing else to do with it."
    );
}
