//! One attempt at an exercise: the learner's program is built, and judged by the exercise's checks.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

use cli::exercise::Exercise;
use cli::judged::{self, CheckRecord, CheckTrace, first_failure};
use cli::programs::{Build, cargo};
use cli::syllabus::Lesson;
use lab::subject::{ended_with_us, with_default_signals};
use lab::wait::IN_SECONDS;

use super::compiler::Said;
use super::desk::shown;
use super::tidy::{Tidy, end_descendants, rest_if_ending};

/// What came of it.
#[derive(Debug)]
pub enum Attempt {
    /// The compiler does not take it: its own words, in colour where ours are.
    DoesNotCompile(Vec<String>),
    /// It could not be built or judged, and that says nothing of the program: why, and what to do.
    NotJudged(Broken),
    /// The checks were run.
    Judged(Judged),
}

/// Why it could not be built or judged.
#[derive(Debug)]
pub struct Broken {
    /// What was to be done: `cargo could not build it`.
    pub what: &'static str,
    /// What was said.
    pub words: String,
    /// What to do about it.
    pub remedy: String,
}

/// What the checks said.
#[derive(Debug)]
pub struct Judged {
    /// What came of each check, in their order.
    pub records: Vec<CheckRecord>,
    /// How many warnings the compiler has.
    pub warnings: usize,
    /// The calls of the check that a person is told of, if that was asked for.
    pub trace: Option<Trace>,
}

/// The calls of a check.
#[derive(Debug)]
pub enum Trace {
    /// In this very run.
    OfThisRun(CheckTrace),
    /// When the same check was repeated under the witness.
    OfAnother(CheckTrace),
    /// There is none: why.
    None(String),
}

/// A learner's program and what judges it.
#[derive(Debug, Clone, Copy)]
pub struct ToJudge<'a> {
    /// The workspace.
    pub work: &'a Path,
    /// The program's crate in it.
    pub folder: &'a Path,
    /// Of which lesson it is.
    pub lesson: &'a Lesson,
    /// Which exercise it solves.
    pub exercise: &'a Exercise,
}

impl ToJudge<'_> {
    /// Builds and judges; with the calls of what fails, if they are wanted.
    ///
    /// # Errors
    ///
    /// That cargo, or the checks, cannot be started; what reading the records says.
    pub fn run(&self, tidy: &Tidy, with_trace: bool) -> io::Result<Attempt> {
        let (program, warnings) = match self.build()? {
            Ok(built) => built,
            Err(attempt) => return Ok(attempt),
        };
        judge(&program, warnings, self.lesson, self.exercise, tidy, with_trace)
    }

    /// The learner's program and the number of warnings, or what came instead.
    fn build(&self) -> io::Result<Result<(PathBuf, usize), Attempt>> {
        let mut command = cargo();
        // In there, because cargo looks for its configuration from where it is.
        command.current_dir(self.work).args(["build", "--offline", "--manifest-path"]);
        command.arg(self.folder.join("Cargo.toml"));
        let colored = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let messages = if colored { "json-diagnostic-rendered-ansi" } else { "json" };
        command.args(["--message-format", messages, "--color", "never"]);
        let (output, said) = watched(command)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot run cargo: {error}")))?;
        // Its folder may be reached by several paths.
        let manifest = Path::new(self.folder.file_name().unwrap_or_default()).join("Cargo.toml");
        let compiler = Said::parse(&String::from_utf8_lossy(&output.stdout), &manifest);
        let broken = |words: &str, remedy: String| {
            let words = words.trim().to_owned();
            let what = "cargo could not build it";
            Ok(Err(Attempt::NotJudged(Broken { what, words, remedy })))
        };
        let doctor = "`cargo tutor doctor` says what this machine lacks".to_owned();
        if let Some(words) = compiler.of_the_machine() {
            return broken(words, doctor);
        }
        if let Some(words) = compiler.elsewhere.first() {
            let remedy =
                "the course itself does not compile here: `git status` says what was changed in it";
            return broken(words, remedy.to_owned());
        }
        if !compiler.errors.is_empty() {
            return Ok(Err(Attempt::DoesNotCompile(compiler.errors)));
        }
        match compiler.executable {
            Some(program) if output.status.success() => Ok(Ok((program.into(), compiler.warnings))),
            _ => broken(&said, self.remedy(&said, doctor)),
        }
    }

    /// What to do about what cargo said.
    fn remedy(&self, said: &str, doctor: String) -> String {
        let manifest = shown(&self.folder.join("Cargo.toml"));
        if said.contains("failed to parse manifest") || said.contains("Cargo.toml:") {
            return format!(
                "mend the manifest that it names; or delete it, and `cargo tutor start` writes that of its exercise \
                 anew: `cargo tutor start {}` writes {manifest}",
                self.exercise
            );
        }
        if said.contains("no matching package") || said.contains("offline") {
            return format!(
                "a crate is missing here: the course is built offline, with its own crates; leave others out of \
                 {manifest}"
            );
        }
        doctor
    }
}

/// Has a program judged by the checks of an exercise; with the calls of what fails, if they are wanted.
///
/// # Errors
///
/// As [`ToJudge::run`].
pub fn judge(
    program: &Path,
    warnings: usize,
    lesson: &Lesson,
    exercise: &Exercise,
    tidy: &Tidy,
    with_trace: bool,
) -> io::Result<Attempt> {
    let judge = Build::checks(lesson).run()?.path(&lesson.checks())?;
    let judge = Judge { path: &judge, program, exercise };
    let (records, traces) = match judge.run(tidy, with_trace, &[])? {
        Ok(judged) => judged,
        Err(broken) => return Ok(Attempt::NotJudged(broken)),
    };
    let failed = first_failure(&records).filter(|_| with_trace);
    let trace = failed.map(|failed| judge.trace_of(failed, traces, tidy)).transpose()?;
    Ok(Attempt::Judged(Judged { records, warnings, trace }))
}

/// Runs a command to its end. Its progress is shown on standard error; the rest of what it says there is returned.
fn watched(mut command: Command) -> io::Result<(Output, String)> {
    with_default_signals(ended_with_us(&mut command));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stderr = child.stderr.take();
    let said = thread::Builder::new().spawn(move || stderr.map(without_progress))?;
    let mut stdout = Vec::new();
    if let Some(mut from) = child.stdout.take() {
        from.read_to_end(&mut stdout)?;
    }
    let said = said.join().ok().flatten().unwrap_or_default();
    let status = child.wait();
    rest_if_ending();
    Ok((Output { status: status?, stdout, stderr: Vec::new() }, said))
}

/// Shows what cargo is at, unless that is the learner's program alone; returns the other lines.
fn without_progress(stderr: impl Read) -> String {
    let mut said = String::new();
    for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).into_owned();
        match line.split_whitespace().next() {
            Some("Compiling" | "Blocking" | "Locking" | "Adding") if line.starts_with(' ') => {
                if !line.contains(" my-") {
                    let _ = writeln!(io::stderr(), "{line}");
                }
            }
            Some("Finished" | "warning:") => {}
            _ => said = said + &line + "\n",
        }
    }
    said
}

/// How long the judge shall wait for what must happen, in seconds; `None` leaves it at the lab's patience, which is
/// meant for a busy machine. On one that has nothing else to do a learner shall not wait so long for the news that his
/// program hangs.
fn patience() -> Option<&'static str> {
    if std::env::var_os(IN_SECONDS).is_some() {
        return None;
    }
    let cores = u32::try_from(thread::available_parallelism().ok()?.get()).ok()?;
    is_idle(&fs::read_to_string("/proc/loadavg").ok()?, cores).then_some("5")
}

/// Has there been less to do in the last minute than there are cores? proc(5), `/proc/loadavg`.
fn is_idle(loads: &str, cores: u32) -> bool {
    let load = loads.split(' ').next().and_then(|load| load.parse::<f64>().ok());
    load.is_some_and(|load| load < f64::from(cores))
}

/// What a judge has written: what came of each check, and the calls of those that failed.
type Written = (Vec<CheckRecord>, Vec<CheckTrace>);

/// The program of a lesson's checks, and what it judges.
struct Judge<'a> {
    path: &'a Path,
    program: &'a Path,
    exercise: &'a Exercise,
}

impl Judge<'_> {
    fn run(
        &self,
        tidy: &Tidy,
        with_trace: bool,
        more: &[&str],
    ) -> io::Result<Result<Written, Broken>> {
        // Their names are in nobody's arguments but the judge's.
        let (records, traces) = (tidy.scratch().join("records"), tidy.scratch().join("traces"));
        let mut arguments: Vec<OsString> = vec!["--judge".into()];
        arguments.extend(["--exercise".into(), self.exercise.folder.clone().into()]);
        arguments.extend(["--subject".into(), self.program.into()]);
        arguments.extend(["--records".into(), records.clone().into()]);
        if with_trace {
            arguments.extend(["--traces".into(), traces.clone().into()]);
        }
        arguments.extend(more.iter().map(OsString::from));
        let mut command = Command::new(self.path);
        with_default_signals(ended_with_us(&mut command));
        if let Some(seconds) = patience() {
            command.env(IN_SECONDS, seconds);
        }
        // Files, and no pipes: what a program leaves behind may hold one for ever.
        let stderr = tidy.scratch().join("stderr");
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        let ran = fs::File::create(&stderr).and_then(|file| command.stderr(file).status());
        rest_if_ending();
        // What a program has left behind, and its judge has not found.
        end_descendants();
        let read = |path: &Path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let _ = fs::remove_file(path);
            text
        };
        let (records, traces, said) = (read(&records), read(&traces), read(&stderr));
        let ran = ran.map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
        })?;
        if records.is_empty() {
            let words = match said.trim() {
                "" => format!("the judge ended: {ran}"),
                said => said.to_owned(),
            };
            let remedy = "`cargo tutor doctor` says what this machine lacks".to_owned();
            return Ok(Err(Broken { what: "no check was run", words, remedy }));
        }
        let read = judged::parse(&records)
            .and_then(|records| Ok((records, judged::parse_traces(&traces)?)));
        Ok(read.map_err(|error| Broken {
            what: "what the checks said cannot be read",
            words: format!("{error}; {}", said.trim()),
            remedy: format!("is there room in {}?", shown(tidy.scratch())),
        }))
    }

    /// The calls of this check: of the run that is over, or of one more.
    fn trace_of(
        &self,
        failed: &CheckRecord,
        traces: Vec<CheckTrace>,
        tidy: &Tidy,
    ) -> io::Result<Trace> {
        let of_it =
            |traces: Vec<CheckTrace>| traces.into_iter().find(|one| one.check == failed.check);
        if let Some(trace) = of_it(traces) {
            return Ok(Trace::OfThisRun(trace));
        }
        let again = ["--witnessed", "--exact", failed.check.as_str()];
        Ok(match self.run(tidy, true, &again)? {
            Err(broken) => Trace::None(broken.words),
            Ok((records, traces)) => match (of_it(traces), records.first()) {
                (Some(trace), _) => Trace::OfAnother(trace),
                (None, Some(record)) if record.outcome == "not here" => {
                    Trace::None(record.came.clone())
                }
                (None, Some(record)) if !record.has_failed() => Trace::None(
                    "when it was repeated under the witness, the check passed".to_owned(),
                ),
                _ => Trace::None("the program was not watched in this check".to_owned()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::is_idle;

    #[test]
    fn a_machine_is_idle_with_less_to_do_than_cores() {
        assert!(is_idle("0.40 5.00 9.00 1/100 7\n", 2));
        assert!(!is_idle("2.10 0.00 0.00 1/100 7\n", 2));
        assert!(!is_idle("", 2));
    }
}
