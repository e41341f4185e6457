//! Checks a learner's program: builds and judges it, tells what came of it, and remembers that.

use std::path::Path;

use cli::apart::make;
use cli::exercise::Exercise;
use cli::exit::EarlyExit;
use cli::screen::Screen;
use cli::syllabus::{Lesson, Syllabus, root};
use lab::subject::startable;

use super::attempt::{Attempt, Judged, ToJudge, judge};
use super::changes;
use super::desk::{Desk, shown};
use super::fingerprint;
use super::named::started;
use super::overview::Overview;
use super::progress::not_remembered;
use super::tidy::{Tidy, rest_if_ending};
use super::verdict::{self, LearnerVerdict, row};

/// How a program is checked.
#[derive(Debug, Clone, Copy)]
pub struct CheckManner<'a> {
    /// Another program than the learner's crate: in whatever language.
    pub program: Option<&'a Path>,
    /// With the calls of the check that fails.
    pub traced: bool,
    /// By `watch`, which says itself what can be done next.
    pub watched: bool,
}

/// Builds and judges a learner's program, and remembers what came of it.
///
/// # Errors
///
/// That it was not started; that it is not passed, which has been told then.
pub fn check(
    syllabus: &Syllabus,
    lesson: &Lesson,
    exercise: &Exercise,
    CheckManner { traced, watched, program }: CheckManner<'_>,
    screen: &mut Screen,
) -> Result<(), EarlyExit> {
    let (desk, remembered) = match program {
        None => started(syllabus, exercise)?,
        Some(program) => {
            startable(program)?;
            let desk = Desk::here();
            if let Err(error) = make(desk.folder()) {
                not_remembered(&error);
            }
            let remembered = desk.progress().read()?.of(exercise);
            (desk, remembered)
        }
    };
    if program.is_none()
        && let Err(error) = desk.prepare()
    {
        // A folder that is read-only, or full: what is there may do.
        not_remembered(&error);
    }
    let tidy = Tidy::begin(&root().join("target/tutor"))?;
    let folder = desk.crate_of(exercise, &remembered);
    let attempt = match program {
        None => {
            let own = ToJudge { work: desk.folder(), folder: &folder, lesson, exercise };
            own.run(&tidy, traced)?
        }
        Some(program) => judge(program, 0, lesson, exercise, &tidy, traced)?,
    };
    rest_if_ending();
    let title = format!("{exercise} {}", exercise.title);
    let verdict = verdict::tell(&title, &attempt, screen)?;
    let now = fingerprint::of_checks(&root(), exercise)?;
    let changed = desk.progress().change(exercise, |one| {
        one.checks += 1;
        match &verdict {
            LearnerVerdict::Passed => (one.passed, one.last) = (Some(now), None),
            LearnerVerdict::NotYet(last) => one.last = Some(last.clone()),
            LearnerVerdict::Unknown => {}
        }
    });
    if let Err(error) = changed {
        // The verdict holds all the same.
        not_remembered(&error);
    }
    screen.line("")?;
    let overview = Overview::of(syllabus, &desk)?;
    let (points, all) = overview.points();
    if let Attempt::Judged(judged) = &attempt {
        row("kept in", kept_in(judged), screen)?;
    }
    if verdict == LearnerVerdict::Passed {
        row(
            "points",
            &format!("{} for this one; {points} of {all} so far", exercise.points),
            screen,
        )?;
        row("compare", &format!("cargo tutor solution {exercise}"), screen)?;
        match overview.next() {
            Some(next) => row("next", &next.to_type(), screen)?,
            None => row("next", "that was the last: all exercises are done", screen)?,
        }
        return Ok(());
    }
    if verdict == LearnerVerdict::Unknown {
        row("again", &format!("cargo tutor check {exercise}"), screen)?;
        return Err(EarlyExit::Told);
    }
    row("points", &format!("{} to gain; {points} of {all} so far", exercise.points), screen)?;
    changes::tell(exercise, &desk.changes(exercise, &remembered), screen)?;
    if watched {
        return Err(EarlyExit::Told);
    }
    let with = program.map_or(String::new(), |path| format!(" --program {}", path.display()));
    if matches!(attempt, Attempt::Judged(_)) && !traced {
        let words = format!("cargo tutor check {exercise}{with} --trace (its calls, one by one)");
        row("see", &words, screen)?;
    }
    if remembered.hints < exercise.hints.len() {
        let left = exercise.hints.len() - remembered.hints;
        row("stuck?", &format!("cargo tutor hint {exercise} ({left} left)"), screen)?;
    }
    let what = match program {
        Some(_) => "change it".to_owned(),
        None => format!("edit {}", shown(&desk.program(exercise, &remembered))),
    };
    row("next", &format!("{what}, then cargo tutor check {exercise}{with}"), screen)?;
    Err(EarlyExit::Told)
}

/// What kept the program from doing harm while it was judged.
fn kept_in(Judged { records, .. }: &Judged) -> &'static str {
    if records.iter().all(|record| record.room) {
        "a room of its own, under limits and a filter of its calls"
    } else {
        "limits and a filter of its calls; why in no room: cargo tutor doctor"
    }
}
