//! The checks of a lesson, as one test program: its suites, run on its programs or on another one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use clap::Parser;
use cli::exercise::Exercise;
use cli::syllabus::{Lesson, Program, Syllabus, root};
use lab::confine::{Confined, Room};
use lab::need::Need;
use lab::probe;
use lab::subject::{Standing, startable};
use libtest_mimic::{Arguments, Completion, Trial};

use crate::check::{Check, Scope, Suite};
use crate::described::{self, CheckWords};
use crate::harness::{self, Ended};
use crate::outcome::Outcome;
use crate::report::json::Records;
use crate::report::traces::Traces;
use crate::run::{CheckRun, run};
use crate::subject::Subject;
use crate::suites;

/// The checks of a lesson.
///
/// The first program of the lesson is its default.
#[derive(Debug)]
pub struct LessonChecks {
    folder: &'static str,
    paths: BTreeMap<String, PathBuf>,
    own: Vec<(&'static str, &'static [Suite])>,
    exercises: Vec<(&'static str, &'static [Suite])>,
}

/// What this test program is given, beside what every test program is.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    tests: Arguments,
    /// Judge this program instead of the lesson's, by what its peers see and how it waits: a server
    /// takes --listen ADDR:PORT and prints `listening on ADDR:PORT` first; a client takes what the
    /// lesson's takes
    #[arg(long, value_name = "PATH")]
    subject: Option<PathBuf>,
    /// In the place of which program of the lesson [default: its first]; without --subject that
    /// program itself
    #[arg(long, value_name = "PROGRAM")]
    in_place_of: Option<String>,
    /// Judge by the checks of this exercise alone, in the folder of this name: its solution, or --subject
    #[arg(long, value_name = "FOLDER", conflicts_with = "in_place_of")]
    exercise: Option<String>,
    /// Run nothing; print what each check of the lesson's programs says of itself, as one line of JSON
    #[arg(long)]
    describe: bool,
    /// End with status 1 where a check fails, as --subject does, and not with cargo's 101
    #[arg(long)]
    judge: bool,
    /// Append a record of each check to this file, as one line of JSON
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Append the calls of each failing check whose program was watched to this file, told in lanes
    #[arg(long, value_name = "FILE")]
    traces: Option<PathBuf>,
    /// Watch the program in every check, also where a check does not need that
    #[arg(long)]
    witnessed: bool,
}

impl LessonChecks {
    /// The lesson in `chapters/FOLDER`.
    #[must_use]
    pub fn new(folder: &'static str) -> Self {
        Self { folder, paths: BTreeMap::new(), own: Vec::new(), exercises: Vec::new() }
    }

    /// A program of the lesson, and the checks that no other one shares.
    #[must_use]
    pub fn program(
        mut self,
        name: &'static str,
        path: impl AsRef<Path>,
        own: &'static [Suite],
    ) -> Self {
        self.paths.insert(name.to_owned(), path.as_ref().to_owned());
        self.own.push((name, own));
        self
    }

    /// The exercise in this folder of the lesson's `exercises/`, and its own checks.
    #[must_use]
    pub fn exercise(mut self, folder: &'static str, own: &'static [Suite]) -> Self {
        self.exercises.push((folder, own));
        self
    }

    /// Runs them as the arguments say. Which suites hold for a program besides its own ones, its
    /// `lesson.toml` says.
    #[must_use]
    pub fn main(self) -> ExitCode {
        let options = Options::parse();
        let arguments = options.tests.clone();
        let describe = options.describe;
        let judging = (options.subject.is_some() || options.judge) && !arguments.list;
        let closed = Arc::new(AtomicBool::new(false));
        let folder = self.folder;
        let is_whole = !judging && options.in_place_of.is_none() && options.exercise.is_none();
        let foreign = options.subject.clone().filter(|_| judging);
        let rows = match self.rows(options, &closed) {
            Ok(rows) => rows,
            Err(words) => return harness::refuse(&words),
        };
        if describe {
            return described::print(rows.iter().map(|row| &row.words));
        }
        let words: Vec<CheckWords> = rows.iter().map(|row| row.words.clone()).collect();
        let mut trials: Vec<Trial> = rows.into_iter().map(|row| row.trial).collect();
        if is_whole && described::is_told_of(folder) {
            let name = "the_book_tells_of_these_checks_as_they_are";
            trials.push(Trial::test(name, move || {
                Ok(described::still_hold(&root(), folder, &words)?)
            }));
        }
        // Behind the records' file, which is open by now, and before there is a second thread.
        match foreign.map(|program| in_a_room(&program)) {
            Some(Ok(Confined::Over(status))) => return status,
            Some(Err(error)) => return harness::refuse(&error.to_string()),
            None | Some(Ok(Confined::Inside | Confined::Forbidden(_))) => {}
        }
        let conclusion = harness::run(arguments, trials);
        if !judging {
            return conclusion.exit_code();
        }
        // Cargo knows a test program by its own status; a person by that of every other command.
        // What was not run has not passed.
        let judged = conclusion.num_passed > 0 || conclusion.num_failed > 0;
        if conclusion.has_failed() || closed.load(Relaxed) || !judged {
            if !judged {
                eprintln!("no check was run: nothing is known of the program");
            }
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }

    /// The tests. `closed` becomes true if a gate has failed.
    fn rows(mut self, options: Options, closed: &Arc<AtomicBool>) -> Result<Vec<Row>, String> {
        let required = Need::required()?;
        let syllabus = Syllabus::read().map_err(|error| error.to_string())?;
        let lesson = syllabus.lessons.iter().find(|lesson| lesson.folder == self.folder);
        let lesson = lesson.ok_or_else(|| format!("there is no chapters/{}", self.folder))?;
        let records = options.records.as_deref().map(Records::to).transpose();
        let records = records.map_err(|error| error.to_string())?;
        let traces = options.traces.as_deref().map(Traces::to).transpose();
        let traces = traces.map_err(|error| error.to_string())?;
        if let Some(name) =
            options.in_place_of.as_ref().filter(|name| lesson.program(name).is_none())
        {
            let names = lesson.program_names();
            return Err(format!("{lesson} has no program {name:?}; there are: {names}"));
        }
        let (foreign, witnessed) = (options.subject.is_some(), options.witnessed);
        let subject = options.subject.as_deref().map(found).transpose()?;
        let wanted = match (options.exercise, options.in_place_of) {
            (Some(exercise), _) => Wanted::Exercise(exercise),
            (None, Some(program)) => Wanted::Program(program),
            (None, None) if foreign => Wanted::Program(lesson.programs[0].name.clone()),
            (None, None) if options.judge || options.describe => Wanted::Programs,
            (None, None) => Wanted::All,
        };
        let shared = Arc::new(Shared { required, records, traces, closed: Arc::clone(closed) });
        let mut rows = Vec::new();
        for (name, own) in &self.own {
            let program = lesson.program(name).ok_or_else(|| {
                format!("chapters/{}/lesson.toml has no program {name}", self.folder)
            })?;
            if !wanted.has_program(name) {
                continue;
            }
            if let Some(path) = &subject {
                self.paths.insert((*name).to_owned(), path.clone());
            }
            let suites = suites::of(program)?.into_iter().chain(own.iter().copied());
            // Somebody else's program owes nobody our words.
            let judged = |suite: &Suite| !foreign || suite.scope != Scope::Lesson;
            let subject = Subject::new(lesson, program, &self.paths).foreign(foreign);
            let subject = Arc::new(subject.under_the_witness(witnessed));
            let names = if self.own.len() > 1 { Names::OfProgram(name) } else { Names::Bare };
            rows.extend(group_of(&subject, suites.filter(judged), names, &shared));
        }
        for (folder, own) in &self.exercises {
            if !wanted.has_exercise(folder) {
                continue;
            }
            let exercise = lesson.exercises.iter().find(|one| one.folder == *folder);
            let exercise = exercise.ok_or_else(|| {
                format!("there is no chapters/{}/exercises/{folder}", self.folder)
            })?;
            let program = &exercise.program;
            let path = subject.clone().map_or_else(|| solution(exercise), Ok)?;
            let paths = BTreeMap::from([(program.name.clone(), path)]);
            let suites = suites::of(program)?.into_iter().chain(own.iter().copied());
            let subject = Subject::new(lesson, program, &paths).foreign(foreign);
            let subject = Arc::new(subject.under_the_witness(witnessed));
            rows.extend(group_of(&subject, suites, Names::OfExercise(folder), &shared));
        }
        match rows.len() {
            0 => Err(format!("no check of {} judges such a program", self.folder)),
            _ => Ok(rows),
        }
    }
}

/// A check of a program: what it says, and as a test.
struct Row {
    words: CheckWords,
    trial: Trial,
}

/// Whose checks are run.
enum Wanted {
    All,
    /// Those of the lesson, without its exercises, whose solutions may not be built.
    Programs,
    Program(String),
    Exercise(String),
}

impl Wanted {
    fn has_program(&self, name: &str) -> bool {
        match self {
            Self::All | Self::Programs => true,
            Self::Program(program) => program == name,
            Self::Exercise(_) => false,
        }
    }

    fn has_exercise(&self, folder: &str) -> bool {
        match self {
            Self::All => true,
            Self::Programs | Self::Program(_) => false,
            Self::Exercise(exercise) => exercise == folder,
        }
    }
}

/// A program that somebody has named, if it can be started.
fn found(path: &Path) -> Result<PathBuf, String> {
    startable(path).map_err(|error| error.to_string())?;
    path.canonicalize().map_err(|error| error.to_string())
}

/// Puts the judge, with somebody's program, into a room of its own, if the machine allows one.
fn in_a_room(program: &Path) -> io::Result<Confined> {
    let own = std::env::current_exe()?;
    // target/debug/deps/03_select-0123456789abcdef: cargo has made target/tmp for the tests.
    let scratch = own.ancestors().nth(3).unwrap_or(&own).join("tmp");
    let program = program.canonicalize()?;
    Room::with(&scratch, &[&root(), &own, &program]).enter()
}

/// The solution of an exercise: an example of its chapter, which cargo puts beside its tests.
fn solution(exercise: &Exercise) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    // target/debug/deps/03_select-0123456789abcdef
    let built = own.ancestors().nth(2).unwrap_or(&own);
    let path = built.join("examples").join(exercise.binary());
    if !path.exists() {
        // With a filter cargo builds no examples. The checks of this exercise fail then, if they are run at all.
        eprintln!(
            "{}: is not built: `cargo build --examples --package ch{}` builds it",
            path.display(),
            exercise.lesson
        );
    }
    Ok(path)
}

/// What all checks of a run share.
#[derive(Debug)]
struct Shared {
    required: Vec<Need>,
    records: Option<Records>,
    traces: Option<Traces>,
    /// A gate has failed.
    closed: Arc<AtomicBool>,
}

/// A check that others wait for, run once.
#[derive(Debug)]
struct Gate {
    check: &'static Check,
    came: OnceLock<CheckRun>,
}

impl Gate {
    fn run(&self, subject: &Subject) -> &CheckRun {
        self.came.get_or_init(|| run(self.check, subject))
    }
}

/// The gates of a program, each behind those before it.
type Gates = Arc<[Gate]>;

/// The outcome of what is behind these gates, if one of them is closed.
fn behind(gates: &[Gate], subject: &Subject) -> Option<CheckRun> {
    let closed = gates.iter().find(|gate| gate.run(subject).outcome.is_failure())?;
    let came = closed.run(subject).outcome.to_string();
    Some(CheckRun::not_run(Outcome::NotRun { gate: closed.check.name, came }))
}

/// What stands in front of the names of a program's tests.
#[derive(Debug, Clone, Copy)]
enum Names<'a> {
    /// Nothing.
    Bare,
    /// The program's name, before its gates, and before what another program of the lesson owes too.
    OfProgram(&'a str),
    /// The exercise's folder, always.
    OfExercise(&'a str),
}

impl Names<'_> {
    fn of_gate(self) -> String {
        match self {
            Self::Bare => String::new(),
            Self::OfProgram(name) | Self::OfExercise(name) => format!("{name}::"),
        }
    }

    fn of_suite(self, suite: &str, lesson: &Lesson) -> String {
        match self {
            Self::OfProgram(_) if !is_owed_twice(suite, lesson) => String::new(),
            names => names.of_gate(),
        }
    }
}

/// The tests of one program: its gates, then the checks behind them, those that wait long first. A gate of one
/// suite is a gate of all.
fn group_of(
    subject: &Arc<Subject>,
    suites: impl Iterator<Item = Suite>,
    names: Names<'_>,
    shared: &Arc<Shared>,
) -> Vec<Row> {
    let mut suites: Vec<Suite> = suites.collect();
    let mut owners: Vec<(&'static Check, Suite)> = Vec::new();
    for suite in &suites {
        if let Some(check) = suite.gate
            && owners.iter().all(|(known, _)| known.name != check.name)
        {
            owners.push((check, *suite));
        }
    }
    let gate = |&(check, _): &(_, _)| Gate { check, came: OnceLock::new() };
    let gates: Gates = owners.iter().map(gate).collect();
    let row = |check, suite: &Suite, trial| Row {
        words: CheckWords::of(check, suite, subject.program()),
        trial,
    };
    let mut rows = Vec::new();
    for (at, (check, suite)) in owners.into_iter().enumerate() {
        let name = names.of_gate() + check.name;
        let placed = (rows.len(), name);
        let trial = gate_trial(placed, &gates, at, suite, subject, shared);
        rows.push(row(check, &suite, trial));
    }
    suites.sort_by_key(|suite| !suite.waits_long);
    for suite in suites {
        for check in suite.checks {
            let of_suite = if suite.name.is_empty() { "" } else { "::" };
            let before = names.of_suite(suite.name, subject.lesson());
            let name = format!("{before}{}{of_suite}{}", suite.name, check.name);
            let placed = (rows.len(), name);
            let trial = trial(placed, check, suite, &gates, subject, shared);
            rows.push(row(check, &suite, trial));
        }
    }
    rows
}

/// Do two programs of the lesson owe this suite?
fn is_owed_twice(suite: &str, lesson: &Lesson) -> bool {
    let owes = |program: &&Program| program.suites.iter().any(|name| name == suite);
    lesson.programs.iter().filter(owes).count() > 1
}

fn gate_trial(
    placed: (usize, String),
    gates: &Gates,
    at: usize,
    suite: Suite,
    subject: &Arc<Subject>,
    shared: &Arc<Shared>,
) -> Trial {
    let (gates, subject, shared) = (Arc::clone(gates), Arc::clone(subject), Arc::clone(shared));
    Trial::ignorable_test(placed.1.clone(), move || {
        let gate = &gates[at];
        let closed = behind(&gates[..at], &subject);
        let came = closed.as_ref().unwrap_or_else(|| gate.run(&subject));
        told(&placed, gate.check, &suite, came, &subject, &shared)
    })
}

fn trial(
    placed: (usize, String),
    check: &'static Check,
    suite: Suite,
    gates: &Gates,
    subject: &Arc<Subject>,
    shared: &Arc<Shared>,
) -> Trial {
    let (gates, subject, shared) = (Arc::clone(gates), Arc::clone(subject), Arc::clone(shared));
    Trial::ignorable_test(placed.1.clone(), move || {
        let came = match harness::missing(suite.needs)? {
            Some((need, why)) => CheckRun::not_run(Outcome::NotHere { need, why }),
            None => behind(&gates, &subject).unwrap_or_else(|| run(check, &subject)),
        };
        told(&placed, check, &suite, &came, &subject, &shared)
    })
}

/// What the harness is told, after the record was written.
fn told(
    (place, name): &(usize, String),
    check: &Check,
    suite: &Suite,
    came: &CheckRun,
    subject: &Subject,
    shared: &Shared,
) -> Ended {
    let recorded =
        shared.records.as_ref().map(|it| it.add((*place, name), subject, suite, check, came));
    let traced = shared.traces.as_ref().filter(|_| came.outcome.is_failure());
    let recorded = match (recorded, traced.map(|it| it.add(name, came))) {
        (None | Some(Ok(())), Some(Err(error))) => Some(Err(error)),
        (recorded, _) => recorded,
    };
    let verdict = verdict(check, came, shared);
    match recorded {
        Some(Err(error)) => {
            let verdict = verdict.err().and_then(|failed| failed.message().map(str::to_owned));
            let verdict = verdict.unwrap_or_default();
            Err(format!("the record of this check: {error}\n{verdict}").into())
        }
        _ => verdict,
    }
}

fn verdict(check: &Check, came: &CheckRun, shared: &Shared) -> Ended {
    match &came.outcome {
        Outcome::Passed => Ok(Completion::Completed),
        // Looked for first, and allowed: what forbids it now is no setting of the machine.
        Outcome::NotHere { need, .. } if probe::look(*need).is_ok() => {
            Err(failed(check, came).into())
        }
        Outcome::NotHere { need, why } => harness::left_out(*need, why, &shared.required),
        Outcome::NotRun { .. } => {
            shared.closed.store(true, Relaxed);
            Ok(Completion::ignored_with(&came.outcome))
        }
        _ => Err(failed(check, came).into()),
    }
}

/// The lines of a failure. Never the fix.
fn failed(check: &Check, came: &CheckRun) -> String {
    let Check { did, expected, perhaps, read, .. } = check;
    let subjects: String = came.standings.iter().map(subject_lines).collect();
    format!(
        "\n  did       {did}\n  expected  {expected}\n  came      {}\n{subjects}  perhaps   {perhaps}\n  \
         read      book/src/{read}\n",
        came.outcome
    )
}

/// So many lines of what a subject said last are shown.
const LAST_LINES: usize = 8;

/// Whether it lives, and what it said last.
fn subject_lines(standing: &Standing) -> String {
    let lines: Vec<&str> = standing.last_words.lines().collect();
    let said = match lines.len() {
        0 => "; it said nothing\n".to_owned(),
        count => {
            let last = lines[count.saturating_sub(LAST_LINES)..].join("\n            ");
            format!("; its last words:\n            {last}\n")
        }
    };
    let children = match standing.children {
        0 => String::new(),
        _ => "; it has made processes, and the one that was started is judged: in a script, `exec` the \
              program"
            .to_owned(),
    };
    format!("  subject   {standing}{children}{said}")
}
