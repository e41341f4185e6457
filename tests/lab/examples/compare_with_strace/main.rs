//! Compares the witness with strace(1): each lesson's program is run twice with the same clients,
//! under the one and under the other, and the calls of each thread must be the same, in the same
//! order. Started by `tools/compare-with-strace`, which builds the programs and looks for strace.

mod calls;
mod clients;
mod lessons;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use calls::{Shown, of_record, of_strace};
use lab::subject::Launch;
use lessons::{LESSONS, Lesson};

fn main() -> ExitCode {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/debug".to_owned());
    let mut sums = (0, 0);
    println!("{:<38} {:>7} {:>6} {:>11}", "lesson", "threads", "calls", "differences");
    for lesson in LESSONS {
        let (witnessed, straced) = match both(lesson, Path::new(&folder)) {
            Ok(both) => both,
            Err(error) => {
                let _ = writeln!(io::stderr(), "{}: {error}", lesson.name);
                return ExitCode::from(2);
            }
        };
        let differences = compare(&witnessed, &straced);
        let calls: usize = witnessed.iter().map(Vec::len).sum();
        let (threads, count) = (witnessed.len(), differences.len());
        println!("{:<38} {threads:>7} {calls:>6} {count:>11}", lesson.name);
        for difference in &differences {
            println!("{difference}");
        }
        sums = (sums.0 + calls, sums.1 + count);
    }
    println!("{} runs, {} calls compared, {} differences", LESSONS.len(), sums.0, sums.1);
    if sums.1 == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The calls of each thread.
type Threads = Vec<Vec<Shown>>;

/// What the witness saw, and what strace saw.
fn both(lesson: &Lesson, folder: &Path) -> io::Result<(Threads, Threads)> {
    // An absolute path, which strace and exec understand alike.
    let program = folder.canonicalize()?.join(lesson.program);
    let record = (lesson.run)(&mut |arguments, input| {
        let launch = lessons::with(Launch::new(&program), arguments, input);
        Ok((launch.witnessed().start()?, None))
    })?;
    let record = record.ok_or(io::ErrorKind::NotFound)?;

    let traces = tempfile::tempdir()?;
    (lesson.run)(&mut |arguments, input| {
        let strace = Launch::new("strace").arg("-ff").arg("-o").arg(traces.path().join("trace"));
        let launch = lessons::with(strace.arg(&program), arguments, input);
        Ok((launch.start()?, Some(traces.path().to_owned())))
    })?;
    Ok((of_record(&record).map_err(io::Error::other)?, of_strace(traces.path())?))
}

/// What differs, in words, at most one difference a thread: after it the rest is shifted.
fn compare(witnessed: &[Vec<Shown>], straced: &[Vec<Shown>]) -> Vec<String> {
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
