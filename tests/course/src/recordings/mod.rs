//! What the generated parts of the book are made of, made anew on this machine: `book/recordings/`, and
//! what stands in the console blocks of the pages.
//!
//! - [`lines`]: how a recording is written, one observation a line.

pub mod lines;

use std::fs;
use std::io::{self, Write};
use std::process::{Command, Stdio};

use ch09_readiness::table::{Measured, Table};
use claims::recording::Recorded;
use claims::runner::{self, TrialRunner};
use cli::programs::Build;
use cli::syllabus::Lesson;
use judge::described::{self, CheckWords, ToldChecks};
use judge::packets::facts;
use judge::transcript::UPDATE;
use timeline::figures::Picture;
use timeline::packets::exchange::{Exchange, Exchanges};
use timeline::packets::recorded;

use crate::generated::claims::{RECORDING, kernel, read_recording, read_register};
use crate::generated::{put, tables};
use crate::house::{File, House};
use crate::verify;

/// One kind of recordings.
#[derive(Debug, Clone, Copy)]
pub struct Recordings {
    /// What they are: `figures`.
    pub name: &'static str,
    /// Makes all of them; returns which of them say something else than before.
    pub record: fn(&House) -> io::Result<Vec<String>>,
}

/// Every kind, those first that end soon.
pub const KINDS: [Recordings; 7] = [
    Recordings { name: "checks", record: checks },
    Recordings { name: "figures", record: figures },
    Recordings { name: "packets", record: packets },
    Recordings { name: "table", record: table },
    Recordings { name: "claims", record: claims },
    Recordings { name: "transcripts", record: transcripts },
    Recordings { name: "symptoms", record: verify::record_seen },
];

/// Asks the lessons' checks what they say of themselves, and keeps the words of those that catch a mistake first.
fn checks(house: &House) -> io::Result<Vec<String>> {
    let mut told = ToldChecks::new();
    for lesson in &house.syllabus.lessons {
        let mut mistakes =
            house.mistakes.iter().filter(|one| one.lesson == lesson.folder).peekable();
        if mistakes.peek().is_none() {
            continue;
        }
        let program = Build::checks(lesson).run()?.path(&lesson.checks())?;
        let printed = stdout_of(Command::new(program).arg("--describe"))?;
        let printed = String::from_utf8(printed).map_err(io::Error::other)?;
        let all: Result<Vec<CheckWords>, _> = printed.lines().map(serde_json::from_str).collect();
        let all = all?;
        let mut own = Vec::new();
        for mistake in mistakes {
            let name = mistake.caught_by.first().map_or("", String::as_str);
            let mut named = all.iter().filter(|one| one.check == name);
            match named.find(|one| one.program == mistake.program) {
                Some(words) if !own.contains(words) => own.push(words.clone()),
                Some(_) => {}
                // The book then tells of no check, which a finder finds.
                None => {
                    let (file, program) = (mistake.file(), &mistake.program);
                    let problem = format!("{program} has no check {name:?}");
                    let _ = writeln!(io::stderr(), "{}: {problem}", file.display());
                }
            }
        }
        own.sort_by(|one, other| (&one.program, &one.check).cmp(&(&other.program, &other.check)));
        told.insert(lesson.folder.clone(), own);
    }
    keep(house, described::RECORDING, &lines::text(&told, 2)?)
}

/// Runs the programs of the figures; those that changed have another sequence of events.
fn figures(house: &House) -> io::Result<Vec<String>> {
    let programs = Build::workspace().run()?;
    let mut changed = Vec::new();
    for figure in Picture::all(&house.root)? {
        let recording = figure.record(&programs.path(figure.program())?)?;
        let before = figure.kept(&house.root).map(|kept| figure.sequence(&kept));
        if before.unwrap_or_default() != figure.sequence(&recording) {
            changed.push(figure.recording_place());
        }
        put(house, &figure.recording_place(), &lines::text(&recording, 3)?)?;
    }
    Ok(changed)
}

/// Captures what the programs that connect meet; those changed whose packets are others.
fn packets(house: &House) -> io::Result<Vec<String>> {
    let program = Build::workspace().run()?.path("packets")?;
    let mut changed = Vec::new();
    for lesson in house.syllabus.lessons.iter().filter(|lesson| !lesson.packets.is_empty()) {
        let printed = stdout_of(Command::new(&program).args([lesson.number(), "--json"]))?;
        let captured: Exchanges = serde_json::from_slice(&printed)?;
        if captured.recorded {
            return Err(io::Error::other("not for the book: the packets are those of a recording"));
        }
        let place = recorded::place(lesson);
        let before = recorded::of(&house.root, lesson).map(|before| before.exchanges);
        let facts = |all: &[Exchange]| all.iter().map(facts).collect::<Vec<_>>();
        if facts(&before.unwrap_or_default()) != facts(&captured.exchanges) {
            changed.push(place.clone());
        }
        put(house, &place, &lines::text(&captured, 4)?)?;
    }
    Ok(changed)
}

/// Measures the table of readiness with its program.
fn table(house: &House) -> io::Result<Vec<String>> {
    let program = Build::workspace().run()?.path("readiness-table")?;
    let printed = stdout_of(Command::new(program).args(["--format", "json"]))?;
    let table: Table = serde_json::from_slice(&printed)?;
    for entry in &table.rows {
        if let Measured::NotHere { not_here } = &entry.measured {
            return Err(io::Error::other(format!("not for the book: {}: {not_here}", entry.row)));
        }
    }
    keep(house, tables::RECORDING, &lines::text(&table, 2)?)
}

/// Runs all experiments, each in a process of its own.
fn claims(house: &House) -> io::Result<Vec<String>> {
    let register = read_register(&house.root)?;
    let program = Build::programs(["claims", "course"]).run()?.path("claims")?;
    let runner = TrialRunner::with_program(program);
    let names = runner::experiments(&register.claims);
    let trials = runner.all(&names, |trial, done| {
        let _ = writeln!(io::stderr(), "{done} of {}: {}", names.len(), trial.experiment);
    });
    let recording = Recorded::of(&kernel(), trials).map_err(|wrong| {
        io::Error::other(format!("not for the book:\n  {}", wrong.join("\n  ")))
    })?;
    // The first recording has nothing before it.
    let recording = match read_recording(&house.root) {
        Ok(before) => recording.after(&before),
        Err(_) => recording,
    };
    keep(house, RECORDING, &lines::text(&recording, 4)?)
}

/// Runs the console blocks of each lesson's pages, and writes into them what was printed where that is
/// something else.
fn transcripts(house: &House) -> io::Result<Vec<String>> {
    let mut changed = Vec::new();
    for lesson in &house.syllabus.lessons {
        let checks = lesson.checks();
        let program = Build::checks(lesson).run()?.path(&checks)?;
        let before = pages(house, lesson)?;
        let mut command = Command::new(program);
        command.arg("transcripts").env(UPDATE, "1").stdin(Stdio::null()).stdout(Stdio::null());
        let status = command.status()?;
        if !status.success() {
            let problem = format!("{status}: run `cargo test -p {}`", lesson.package());
            return Err(io::Error::other(format!("transcripts of {lesson}: {problem}")));
        }
        for ((place, old), (_, new)) in before.into_iter().zip(pages(house, lesson)?) {
            if old != new {
                changed.push(place);
            }
        }
    }
    Ok(changed)
}

/// The pages of a lesson, as they are now.
fn pages(house: &House, lesson: &Lesson) -> io::Result<Vec<File>> {
    let places = lesson.pages.iter().map(|page| format!("book/src/{page}.md"));
    places.map(|place| Ok((place.clone(), fs::read_to_string(house.root.join(place))?))).collect()
}

/// What a program prints; what it tells goes to standard error.
fn stdout_of(command: &mut Command) -> io::Result<Vec<u8>> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(io::Error::other(format!("{}: {}", command.get_program().display(), output.status)))
}

/// Writes a recording in which nothing is left to chance: every difference says something else.
fn keep(house: &House, place: &str, text: &str) -> io::Result<Vec<String>> {
    let same = fs::read_to_string(house.root.join(place)).is_ok_and(|old| old == text);
    put(house, place, text)?;
    Ok(if same { Vec::new() } else { vec![place.to_owned()] })
}
