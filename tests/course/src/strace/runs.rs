//! What is done to each program, under the witness and under strace alike.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};

use cli::syllabus::{Lesson, Program, Syllabus};
use lab::rig::{BlackHole, RefusingPort, accept_within};
use lab::wait::patience;
use lab::witness::record::Record;
use timeline::scenes::{Around, Scene};

use super::clients::serve;
use super::start::Start;

/// A program and what is done to it.
pub struct ComparedRun {
    /// As it is shown: `03 select-server`.
    pub name: String,
    /// The program's file name.
    pub program: String,
    /// Starts it, in whatever way, lets it work, waits for its end; the record, if there is one.
    pub with: Box<With>,
}

type With = dyn Fn(&mut Start) -> io::Result<Option<Record>>;

/// The runs of all programs: what is done to each follows from the scene of its trace.
pub fn of(syllabus: &Syllabus) -> io::Result<Vec<ComparedRun>> {
    let mut runs = Vec::new();
    for lesson in &syllabus.lessons {
        for program in &lesson.programs {
            runs.extend(of_program(lesson, program)?);
        }
    }
    Ok(runs)
}

fn of_program(lesson: &Lesson, program: &Program) -> io::Result<Vec<ComparedRun>> {
    let run = |what: &str, with: Box<With>| ComparedRun {
        name: format!("{} {}{what}", lesson.number(), program.name),
        program: program.name.clone(),
        with,
    };
    let Some(scene) = &program.trace else {
        return Ok(vec![run("", Box::new(table))]);
    };
    let scene = Scene::named(scene, &lesson.file())?;
    Ok(match scene.around {
        // Whom a silent client stalls serves one at a time.
        Around::Clients(_) if scene.name == "stall" => {
            vec![run("", Box::new(|start| serve(start, 1)))]
        }
        Around::Clients(_) => vec![run("", Box::new(|start| serve(start, 3)))],
        Around::EachAnswer => {
            vec![run("", Box::new(connect)), run(", refused", Box::new(refused))]
        }
        Around::AllAnswers => {
            let ways =
                program.waits_in.iter().map(|call| call.trim_end_matches("_wait").to_owned());
            let one = |way: String| {
                let what = format!(", {way}");
                run(&what, Box::new(move |start| connect_all(start, &way)))
            };
            ways.map(one).collect()
        }
    })
}

/// Rows whose state is there at once: what is asked again until something has arrived differs from
/// run to run.
const ROWS: [&str; 10] = [
    "--only",
    "listener-empty",
    "--only",
    "never-connected",
    "--only",
    "pipe-data",
    "--only",
    "regular-file",
    "--only",
    "closed",
];

fn table(start: &mut Start) -> io::Result<Option<Record>> {
    let mut subject = start(&ROWS.map(str::to_owned), None)?.subject;
    let status = subject.exit_status()?;
    if !status.success() {
        return Err(io::Error::other(format!("{status}: {}", subject.stderr())));
    }
    Ok(subject.record())
}

fn connect(start: &mut Start) -> io::Result<Option<Record>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // A pipe that holds the whole input before the program begins.
    let (reader, mut writer) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
        .map(|(reader, writer)| (File::from(reader), File::from(writer)))?;
    writer.write_all(b"hello\n")?;
    drop(writer);
    let mut subject = start(&[listener.local_addr()?.to_string()], Some(reader))?.subject;
    answer(&accept_within(&listener, patience())?)?;
    subject.exit_status()?;
    Ok(subject.record())
}

/// Answers one line in one piece, waits for the half-close, closes.
fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(patience()))?;
    stream.read_exact(&mut [0; 6])?;
    stream.write_all(b"HELLO\n")?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn refused(start: &mut Start) -> io::Result<Option<Record>> {
    let port = RefusingPort::new()?;
    let mut subject = start(&[port.address().to_string()], None)?.subject;
    subject.exit_status()?;
    Ok(subject.record())
}

/// One that listens, one that refuses, one that never answers.
fn connect_all(start: &mut Start, way: &str) -> io::Result<Option<Record>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (port, hole) = (RefusingPort::new()?, BlackHole::new()?);
    let addresses = [listener.local_addr()?, port.address(), hole.address()];
    let arguments = ["--wait", way, "--timeout", "150"].map(str::to_owned);
    let arguments = [&arguments[..], &addresses.map(|address| address.to_string())].concat();
    let mut subject = start(&arguments, None)?.subject;
    subject.exit_status()?;
    Ok(subject.record())
}
