//! What every exercise has, and where: files, checks that somebody includes, a solution that is built, a section.

use std::io;

use cli::exercise::{Exercise, ExerciseKind};
use cli::syllabus::{Lesson, root};

use super::VerifyFault;
use crate::house::House;

/// At least so many wrong solutions has an exercise.
const WRONG: usize = 3;

/// The faults of all exercises.
///
/// # Errors
///
/// What reading says.
pub fn faults(house: &House) -> io::Result<Vec<VerifyFault>> {
    let mut faults = Vec::new();
    for lesson in &house.syllabus.lessons {
        for exercise in &lesson.exercises {
            let problems = problems(house, lesson, exercise)?;
            let at = exercise.to_string();
            faults.extend(
                problems.into_iter().map(|problem| VerifyFault { at: at.clone(), problem }),
            );
        }
    }
    Ok(faults)
}

/// What a statement begins with.
fn first_line(exercise: &Exercise) -> String {
    let Exercise { kind, minutes, points, .. } = exercise;
    let kind = match kind {
        ExerciseKind::Build => "Build",
        ExerciseKind::Mend => "Mend",
        ExerciseKind::Extend => "Extend",
    };
    let points = if *points == 1 { "1 point".to_owned() } else { format!("{points} points") };
    format!("*{kind}, {minutes} minutes, {points}:* `cargo tutor start {exercise}`\n")
}

fn problems(house: &House, lesson: &Lesson, exercise: &Exercise) -> io::Result<Vec<String>> {
    let mut problems = Vec::new();
    let mut want = |holds: bool, problem: String| {
        if !holds {
            problems.push(problem);
        }
    };
    for name in ["starter.rs", "solution.rs", "checks.rs", "statement.md"] {
        want(root().join(exercise.file(name)).is_file(), format!("it has no {name}"));
    }
    let statement = std::fs::read_to_string(root().join(exercise.file("statement.md")))?;
    let first = first_line(exercise);
    want(statement.starts_with(&first), format!("its statement does not begin with {first:?}"));
    let checks = exercise.file("checks.rs").display().to_string();
    let tests = house.tests.iter().find(|(path, _)| *path == lesson.check_file());
    let tests = tests.map_or("", |(_, text)| text.as_str());
    want(tests.contains(&checks), format!("{} does not include {checks}", lesson.check_file()));
    let manifest = format!("chapters/{lesson}/Cargo.toml");
    let manifest = house.manifests.iter().find(|(path, _)| *path == manifest);
    let example = format!("name = \"{}\"", exercise.binary());
    let named = manifest.is_some_and(|(_, text)| text.contains(&example));
    want(named, format!("the chapter's manifest has no example {}", exercise.binary()));
    want(exercise.minutes > 0 && exercise.points > 0, "it has no minutes or no points".to_owned());
    want(exercise.hints.iter().all(|hint| hint.len() > 10), "it has an empty hint".to_owned());
    want(exercise.hints[0].ends_with('?'), "its first hint is no question".to_owned());
    want(exercise.wrong.len() >= WRONG, format!("it has fewer than {WRONG} wrong solutions"));
    let wrong = house.files_in(&exercise.file("wrong").display().to_string())?;
    for file in wrong {
        let name = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let listed = exercise.wrong.iter().any(|one| one.name == name);
        want(listed, format!("{file} is not in its exercise.toml"));
    }
    let section = format!("exercise-{}", exercise.name());
    let told = lesson.pages.iter().filter_map(|page| house.page(&format!("{page}.md")));
    let mut told =
        told.filter(|page| page.headings.iter().any(|it| it.id.as_deref() == Some(&section)));
    want(told.next().is_some(), format!("no page has a section {{#{section}}}"));
    Ok(problems)
}
