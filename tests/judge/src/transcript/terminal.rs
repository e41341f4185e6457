//! A terminal of a transcript: a shell in a process group of its own, or a peer of the lab.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::output::{END, Output};
use cli::syllabus::root;
use lab::peer::by_hand::{self, AtWork, Peer};
use lab::process::Process;
use lab::script::quoted;
use lab::subject::with_default_signals;
use lab::wait::patience;

/// How long a peer goes on if it is not told with `--seconds`.
const PEER_SECONDS: u64 = 10;

/// The status that a shell shows for a command that was interrupted.
const INTERRUPTED: i32 = 130;

/// Ignores interrupts and waits for the end of its input, which only the test process holds open.
const GUARD: &str = "trap '' INT; echo up; read -r _; kill -s KILL 0";

/// A shell that reads commands, and what it printed. Dropped means that everything in it is killed.
#[derive(Debug)]
pub struct Terminal {
    /// What it shows.
    pub output: Output,
    guard: Child,
    shell: Child,
    input: Option<ChildStdin>,
    peer: Option<AtWork>,
}

impl Terminal {
    /// Starts the shell; `prelude` is what it knows before the first command.
    pub fn open(prelude: &str) -> io::Result<Self> {
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD]).process_group(0);
        guard.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = with_default_signals(&mut guard).spawn()?;
        let group = guard.id().cast_signed();

        let (reader, writer) = io::pipe()?;
        let mut shell = Command::new("sh");
        shell.process_group(group).current_dir(root());
        shell.env("LC_ALL", "C").env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
        // One pipe for both: what is written first is read first.
        shell.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer);
        let started = with_default_signals(&mut shell).spawn();
        // The command holds the pipe's writing ends, and its end of file must not wait for them.
        drop(shell);
        let mut shell = match started {
            Ok(shell) => shell,
            Err(error) => {
                let _ = guard.kill();
                let _ = guard.wait();
                return Err(error);
            }
        };
        let output = Output::default();
        output.gather(reader);
        let input = shell.stdin.take();
        let mut terminal = Self { output, guard, shell, input, peer: None };
        terminal.wait_for_guard()?;
        // With a trap, the shell outlives an interrupt that ends the command it waits for.
        terminal.tell(&format!("trap : INT\n{prelude}"))?;
        Ok(terminal)
    }

    /// Begins a command, whose `$?` is `status`.
    ///
    /// When it has ended, its exit status stands after [`END`] in the output.
    pub fn begin(&mut self, command: &str, status: i32) -> Result<(), String> {
        if command.contains("cargo tutor peer") {
            return self.begin_peer(command);
        }
        let command = quoted(command);
        let script =
            format!("(exit {status}); eval {command} </dev/null; printf '\\036%s\\n' \"$?\"\n");
        self.tell(&script).map_err(|error| format!("the shell of this terminal has ended: {error}"))
    }

    /// What the key that interrupts does: SIGINT for everything in the terminal.
    pub fn interrupt(&mut self) -> io::Result<()> {
        if let Some(peer) = &self.peer {
            peer.stop();
            return Ok(());
        }
        Ok(killpg(self.group(), Signal::SIGINT)?)
    }

    /// To be called when the command has ended.
    pub fn ended(&mut self) {
        self.peer = None;
    }

    /// Does a peer of the lab run in it?
    pub fn has_peer(&self) -> bool {
        self.peer.is_some()
    }

    /// Waits until what runs in it is at rest: [`Process::rests`]. What never rests is not waited for longer
    /// than that; whether it should is what the lines that follow will tell.
    pub fn let_rest(&self) {
        let shell = Process(self.shell.id());
        let all = [shell].into_iter().chain(shell.descendants());
        // A shell that waits for its program is at rest: each look takes a window of its own.
        for program in all.filter(|process| process.descendants().is_empty()) {
            let _ = program.rests();
        }
    }

    fn begin_peer(&mut self, command: &str) -> Result<(), String> {
        let (peer, address, limit) = peer_arguments(command)?;
        let mut output = self.output.clone();
        let over = move |ended: &io::Result<()>, stopped: bool| {
            let status = match ended {
                _ if stopped => INTERRUPTED,
                Ok(()) => 0,
                Err(error) => {
                    // As the tutor prints it.
                    let _ = writeln!(output, "{peer}: {error}");
                    1
                }
            };
            let _ = output.write_all(format!("{END}{status}\n").as_bytes());
        };
        let started = peer.start_telling(address, limit, self.output.clone(), over);
        self.peer = Some(started.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn tell(&mut self, script: &str) -> io::Result<()> {
        let input = self.input.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        input.write_all(script.as_bytes())?;
        input.flush()
    }

    fn group(&self) -> Pid {
        Pid::from_raw(self.guard.id().cast_signed())
    }

    /// An interrupt must find the guard prepared.
    fn wait_for_guard(&mut self) -> io::Result<()> {
        let mut line = String::new();
        if let Some(stdout) = self.guard.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line == "up\n" { Ok(()) } else { Err(io::Error::other("sh cannot be used")) }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It stops, so that its sockets are closed when the next page begins.
        drop(self.peer.take());
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.shell.wait();
        let _ = self.guard.wait();
        // The last process that could write here is gone when the pipe says that it is closed.
        self.output.wait_closed(patience());
    }
}

/// How long a command may take: four times the lab's patience, because some work for seconds. A peer has a
/// limit of its own for standing still, so this bound is behind that one.
pub fn bound(command: &str) -> Duration {
    let limit = peer_arguments(command).map_or(Duration::ZERO, |(_, _, limit)| limit);
    limit + 4 * patience()
}

/// The arguments of `cargo tutor peer KIND ADDR:PORT [--seconds N]`.
fn peer_arguments(command: &str) -> Result<(&'static Peer, SocketAddr, Duration), String> {
    if command.contains(['|', '&', ';', '<', '>', '(', ')', '$', '`', '\'', '"', '\n']) {
        return Err(
            "a peer runs inside the test: no pipe, no &, no quotes; give it a terminal of \
                    its own"
                .to_owned(),
        );
    }
    let mut words = command.split_whitespace().skip(3);
    let (mut names, mut seconds) = (Vec::new(), PEER_SECONDS);
    while let Some(word) = words.next() {
        let number = match word.strip_prefix("--seconds") {
            Some("") => words.next(),
            Some(rest) => rest.strip_prefix('='),
            None => {
                names.push(word);
                continue;
            }
        };
        seconds = number
            .and_then(|number| number.parse().ok())
            .ok_or("--seconds needs a whole number")?;
    }
    let [name, address] = names[..] else {
        return Err("write: cargo tutor peer KIND ADDR:PORT [--seconds N]".to_owned());
    };
    let peer = by_hand::named(name).map_err(|error| format!("{name}: {error}"))?;
    let address = address.parse().map_err(|error| format!("{address}: {error}"))?;
    Ok((peer, address, Duration::from_secs(seconds)))
}
