//! Compares the witness with strace(1): each lesson's program is run twice with the same peers, under
//! the one and under the other, and the calls of each thread must be the same, in the same order.
//!
//! - `runs`: what is done to each program;
//! - `clients`: what the clients of a server do;
//! - `calls`: calls in the form in which both sides are compared.

mod calls;
mod clients;
mod runs;
mod start;

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use cli::exit::EarlyExit;
use cli::programs::Build;
use cli::screen::Screen;
use cli::syllabus::Syllabus;
use lab::subject::Launch;

use calls::{Shown, of_record, of_strace};
use runs::ComparedRun;
use start::Started;

/// Compares the runs of all lessons, and says what differs.
///
/// # Errors
///
/// That strace is not installed; what building, starting and tracing say; that something differs.
pub fn compare(screen: &mut Screen) -> Result<(), EarlyExit> {
    look_for_strace()?;
    let syllabus = Syllabus::read()?;
    let programs = Build::workspace().run()?;
    let mut sums = (0, 0, 0);
    screen.line(format_args!(
        "{:<38} {:>7} {:>6} {:>11}",
        "run", "threads", "calls", "differences"
    ))?;
    for run in runs::of(&syllabus)? {
        let path = programs.path(&run.program)?;
        let (witnessed, straced) = both(&run, &path)
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", run.name)))?;
        let differences = differences(&witnessed, &straced);
        let calls: usize = witnessed.iter().map(Vec::len).sum();
        let (name, threads, count) = (&run.name, witnessed.len(), differences.len());
        screen.line(format_args!("{name:<38} {threads:>7} {calls:>6} {count:>11}"))?;
        differences.iter().try_for_each(|difference| screen.line(difference))?;
        sums = (sums.0 + 1, sums.1 + calls, sums.2 + count);
    }
    let (runs, calls, count) = sums;
    screen.line(format_args!("{runs} runs, {calls} calls compared, {count} differences"))?;
    if count == 0 { Ok(()) } else { Err(EarlyExit::Told) }
}

fn look_for_strace() -> io::Result<()> {
    let mut strace = Command::new("strace");
    let tried = strace.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if tried.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let words = "strace is not installed; only this comparison needs it (apt install strace, dnf install strace)";
    Err(io::Error::other(words))
}

/// The calls of each thread.
type Threads = Vec<Vec<Shown>>;

/// What the witness saw, and what strace saw.
fn both(run: &ComparedRun, program: &Path) -> io::Result<(Threads, Threads)> {
    let record = (run.with)(&mut |arguments, input| {
        let launch = prepared(Launch::new(program), arguments);
        let launch = input.into_iter().fold(launch, Launch::stdin);
        Ok(Started { subject: launch.witnessed().start()?, traces: None })
    })?;
    let record = record.ok_or(io::ErrorKind::NotFound)?;

    let traces = tempfile::tempdir()?;
    (run.with)(&mut |arguments, input| {
        let strace = Launch::new("strace").arg("-ff").arg("-o").arg(traces.path().join("trace"));
        let launch = prepared(strace.arg(program), arguments);
        let launch = input.into_iter().fold(launch, Launch::stdin);
        Ok(Started { subject: launch.start()?, traces: Some(traces.path().to_owned()) })
    })?;
    Ok((of_record(&record).map_err(io::Error::other)?, of_strace(traces.path())?))
}

/// With these arguments, and one heap for all threads: where glibc maps another one, and so which calls
/// that takes, is left to the randomness of addresses.
fn prepared(launch: Launch, arguments: &[String]) -> Launch {
    arguments.iter().fold(launch, Launch::arg).env("MALLOC_ARENA_MAX", "1")
}

/// What differs, in words, at most one difference a thread: after it the rest is shifted.
fn differences(witnessed: &[Vec<Shown>], straced: &[Vec<Shown>]) -> Vec<String> {
    let mut differences = Vec::new();
    if witnessed.len() != straced.len() {
        let (ours, theirs) = (witnessed.len(), straced.len());
        differences.push(format!("  {ours} threads under the witness, {theirs} under strace"));
    }
    for (number, (ours, theirs)) in witnessed.iter().zip(straced).enumerate() {
        let same = ours.iter().zip(theirs).take_while(|(ours, theirs)| ours.agrees(theirs)).count();
        if same < ours.len().max(theirs.len()) {
            let show = |calls: &[Shown]| calls.get(same).map_or("nothing".into(), Shown::to_string);
            differences.push(format!(
                "  thread {}, call {}: witness {}, strace {}",
                number + 1,
                same + 1,
                show(ours),
                show(theirs)
            ));
        }
    }
    differences
}
