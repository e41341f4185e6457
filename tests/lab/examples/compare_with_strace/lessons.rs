//! Which programs are compared, and what is done to each.

use std::fs::File;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

use lab::rig::{BlackHole, RefusingPort, accept_within};
use lab::subject::{Launch, Running};
use lab::wait::PATIENCE;
use lab::witness::record::Record;

use crate::clients::serve;

/// One program and what is done to it.
pub struct Lesson {
    /// As it is shown.
    pub name: &'static str,
    /// The program's file name.
    pub program: &'static str,
    /// Starts it, in whatever way, lets it work, waits for its end; the record, if there is one.
    pub run: fn(&mut Start) -> io::Result<Option<Record>>,
}

/// Starts the program with these arguments and this standard input. The second value is the folder
/// of strace's traces, if it runs under strace.
pub type Start<'a> =
    dyn FnMut(&[String], Option<File>) -> io::Result<(Running, Option<PathBuf>)> + 'a;

/// All of them.
pub const LESSONS: &[Lesson] = &[
    Lesson { name: "01 blocking-connect", program: "blocking-connect", run: connect },
    Lesson { name: "01 blocking-connect, refused", program: "blocking-connect", run: refused },
    Lesson { name: "02 blocking-server", program: "blocking-server", run: one_by_one },
    Lesson { name: "02 threaded-server", program: "threaded-server", run: three_clients },
    Lesson { name: "03 select-server", program: "select-server", run: three_clients },
    Lesson { name: "04 nonblocking-server", program: "nonblocking-server", run: three_clients },
    Lesson { name: "05 poll-server", program: "poll-server", run: three_clients },
    Lesson { name: "06 epoll-lt-server", program: "epoll-lt-server", run: three_clients },
    Lesson { name: "07 epoll-et-server", program: "epoll-et-server", run: three_clients },
    Lesson { name: "08 nonblocking-connect, select", program: "nonblocking-connect", run: select },
    Lesson { name: "08 nonblocking-connect, poll", program: "nonblocking-connect", run: poll },
    Lesson { name: "08 nonblocking-connect, epoll", program: "nonblocking-connect", run: epoll },
    Lesson { name: "09 readiness-table", program: "readiness-table", run: table },
];

/// Adds arguments and standard input.
pub fn with(launch: Launch, arguments: &[String], input: Option<File>) -> Launch {
    let launch = arguments.iter().fold(launch, Launch::arg);
    match input {
        Some(input) => launch.stdin(input),
        None => launch,
    }
}

fn connect(start: &mut Start) -> io::Result<Option<Record>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // A pipe that holds the whole input before the program begins.
    let (reader, mut writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
        .map(|(reader, writer)| (File::from(reader), File::from(writer)))?;
    writer.write_all(b"hello\n")?;
    drop(writer);
    let (mut subject, _) = start(&[listener.local_addr()?.to_string()], Some(reader))?;
    answer(&accept_within(&listener, PATIENCE)?)?;
    subject.exit_status()?;
    Ok(subject.record())
}

/// Answers one line in one piece, waits for the half-close, closes.
fn answer(mut stream: &TcpStream) -> io::Result<()> {
    use std::io::Read;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.read_exact(&mut [0; 6])?;
    stream.write_all(b"HELLO\n")?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn refused(start: &mut Start) -> io::Result<Option<Record>> {
    let port = RefusingPort::new()?;
    let (mut subject, _) = start(&[port.address().to_string()], None)?;
    subject.exit_status()?;
    Ok(subject.record())
}

fn one_by_one(start: &mut Start) -> io::Result<Option<Record>> {
    serve(start, 1)
}

fn three_clients(start: &mut Start) -> io::Result<Option<Record>> {
    serve(start, 3)
}

fn select(start: &mut Start) -> io::Result<Option<Record>> {
    connect_all(start, "select")
}

fn poll(start: &mut Start) -> io::Result<Option<Record>> {
    connect_all(start, "poll")
}

fn epoll(start: &mut Start) -> io::Result<Option<Record>> {
    connect_all(start, "epoll")
}

/// One that listens, one that refuses, one that never answers.
fn connect_all(start: &mut Start, way: &str) -> io::Result<Option<Record>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (port, hole) = (RefusingPort::new()?, BlackHole::new()?);
    let addresses = [listener.local_addr()?, port.address(), hole.address()];
    let arguments = ["--wait", way, "--timeout", "150"].map(str::to_owned);
    let arguments = [&arguments[..], &addresses.map(|address| address.to_string())].concat();
    let (mut subject, _) = start(&arguments, None)?;
    subject.exit_status()?;
    Ok(subject.record())
}

/// Rows whose state is there at once: what is asked again until something has arrived differs from
/// run to run.
fn table(start: &mut Start) -> io::Result<Option<Record>> {
    let rows = ["listener-empty", "never-connected", "pipe-data", "regular-file", "closed"];
    let arguments = rows.map(|row| ["--only".to_owned(), row.to_owned()]).concat();
    let (mut subject, _) = start(&arguments, None)?;
    let status = subject.exit_status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{status}: {}", subject.stderr())));
    }
    Ok(subject.record())
}
