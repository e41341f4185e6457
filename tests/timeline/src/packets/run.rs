//! One program in one scene.

use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use lab::capture;
use lab::limits;
use lab::peer::upper;
use lab::rig::accept_within;
use lab::subject::Launch;
use lab::wait::{Late, patience};
use nix::sys::socket::{Shutdown as Ways, shutdown};

use super::exchange::{Exchange, Happened, in_order};
use super::one_cpu::OneCpu;
use super::scenes::Met;

/// Runs `program` in this scene and tells what happened. It takes as long as the program does;
/// `begun` is called when it has been started, and so this machine can make such a network.
///
/// # Errors
///
/// Of kind `Unsupported`, with the setting, where namespaces are forbidden; what [`Launch::start`]
/// says; a sentence with what the program said, when that is not what it should.
pub fn exchange(met: &Met, program: &Path, begun: impl FnOnce()) -> io::Result<Exchange> {
    let network = (met.scene.network)().captured();
    let (input, typing) = io::pipe()?;
    let (from_stdout, stdout) = io::pipe()?;
    let (from_stderr, stderr) = io::pipe()?;
    let launch = Launch::new(program).stdin(input).stdout(stdout).stderr(stderr);
    let arguments = arguments(met);
    let launch = arguments.iter().fold(launch, Launch::arg);
    let _one_cpu = OneCpu::new();
    let mut subject = launch.in_namespace(network).start()?;
    begun();
    let inside = subject.inside();
    // The first one is served; the others only have to be there.
    let mut listeners = inside.listeners.into_iter();
    let server = listeners.next().map(Answering::start).transpose()?;

    let mut ear = Ear::new(from_stdout, from_stderr)?;
    ear.listen(met.given.types.as_deref(), typing)?;
    let status = subject.exit_status()?;
    if let Some(server) = server {
        server.end(ear.heard_of_a_connection());
    }
    drop(listeners);
    let capture = inside.capture.ok_or_else(|| io::Error::other("nothing was captured"))?;
    let events = in_order(ear.heard, &capture.frames()?);
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let command = [&[name.into_owned()], &arguments[..]].concat().join(" ");
    let scene = met.scene.name.to_owned();
    let exchange = Exchange { scene, command, status: status.code(), events };
    for (target, words) in met.scene.targets {
        let target = target.to_string();
        let told = |line: &str| line.contains(&target) && line.contains(words);
        if !exchange.said().any(told) {
            let said: Vec<&str> = exchange.said().collect();
            let text = format!("expected {words:?} of {target}, got {said:?}");
            return Err(io::Error::other(text));
        }
    }
    Ok(exchange)
}

fn arguments(met: &Met) -> Vec<String> {
    let timeout = met.given.timeout.iter();
    let timeout = timeout.flat_map(|limit| ["--timeout".to_owned(), limit.to_string()]);
    let targets = met.scene.targets.iter().map(|(target, _)| target.to_string());
    timeout.chain(targets).collect()
}

/// Hears what the program says, and when.
struct Ear {
    lines: Receiver<(Duration, String)>,
    heard: Vec<(Option<Duration>, Happened)>,
}

impl Ear {
    fn new(stdout: PipeReader, stderr: PipeReader) -> io::Result<Self> {
        let (sender, lines) = mpsc::channel();
        let other = sender.clone();
        limits::thread(move || pass_on(stdout, &other))?;
        limits::thread(move || pass_on(stderr, &sender))?;
        Ok(Self { lines, heard: Vec::new() })
    }

    fn heard_of_a_connection(&self) -> bool {
        self.heard.iter().any(|(_, what)| match what {
            Happened::Said(line) => line.contains(" connected "),
            _ => false,
        })
    }

    /// Hears it to its end; types when it has said that the connection stands, and ends its input
    /// when the reply is there.
    fn listen(&mut self, typed: Option<&str>, typing: PipeWriter) -> io::Result<()> {
        let mut typing = Some(typing).filter(|_| typed.is_some());
        loop {
            let (time, line) = match self.lines.recv_timeout(patience()) {
                Ok(heard) => heard,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Late::error(format!(
                        "the program said nothing more within {patience:?}",
                        patience = patience()
                    )));
                }
            };
            // It says this before it connects, though we may hear it a moment later.
            let before = line.ends_with(": waiting for the kernel's answer");
            let reply = typed.is_some_and(|typed| line == typed.to_uppercase());
            let connected = line.contains(": connected after ");
            self.heard.push(((!before).then_some(time), Happened::Said(line)));
            if let (true, Some(typing), Some(typed)) = (connected, &mut typing, typed) {
                self.heard.push((Some(capture::now()), Happened::Typed(typed.to_owned())));
                // In one piece, as a terminal does: a line in two would be two segments.
                typing.write_all(format!("{typed}\n").as_bytes())?;
            }
            if reply {
                self.heard.push((Some(capture::now()), Happened::InputEnded));
                typing = None;
            }
        }
    }
}

fn pass_on(from: PipeReader, to: &Sender<(Duration, String)>) {
    for line in BufReader::new(from).lines().map_while(Result::ok) {
        if to.send((capture::now(), line)).is_err() {
            return;
        }
    }
}

/// Accepts one client and answers with capital letters.
struct Answering {
    listener: TcpListener,
    thread: thread::JoinHandle<io::Result<()>>,
}

impl Answering {
    fn start(listener: TcpListener) -> io::Result<Self> {
        let theirs = listener.try_clone()?;
        Ok(Self { listener, thread: limits::thread(move || serve(&theirs))? })
    }

    /// Waits for its end, which comes with the client's.
    fn end(self, met: bool) {
        if !met {
            // Nobody came: wake it. A connection that waits to be accepted would be reset.
            let _ = shutdown(self.listener.as_raw_fd(), Ways::Both);
        }
        // Its own error is nobody's concern: the exchange tells what the client saw of it.
        let _ = self.thread.join();
    }
}

fn serve(listener: &TcpListener) -> io::Result<()> {
    let mut client = accept_within(listener, patience())?;
    client.set_read_timeout(Some(patience()))?;
    let mut buffer = [0; 512];
    loop {
        match client.read(&mut buffer)? {
            // Not by dropping it: a process that another thread is just starting holds a copy of the
            // descriptor until its exec, and the kernel sends a FIN when the last one is closed.
            0 => return client.shutdown(Shutdown::Write),
            count => client.write_all(&upper(&buffer[..count]))?,
        }
    }
}
