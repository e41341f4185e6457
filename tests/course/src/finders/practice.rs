//! What every exercise and every mistake has, and where: files, checks that somebody includes, a solution that is built, a
//! section of a page. What they do, `cargo course verify` sees.

use std::collections::BTreeSet;
use std::fs;

use cli::exercise::{Exercise, ExerciseKind};
use cli::mistake::Mistake;
use cli::syllabus::Lesson;
use judge::described;

use crate::Finding;
use crate::generated::exercises::SECTION;
use crate::generated::mistakes::first_check;
use crate::house::House;

/// At least so many wrong solutions has an exercise.
const WRONG: usize = 3;

/// The section of a page that has its mistakes.
const MISTAKES: &str = "mistakes";

/// What does not fit of exercises and mistakes.
#[must_use]
pub fn unfit(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    for lesson in &house.syllabus.lessons {
        for exercise in &lesson.exercises {
            let place = exercise.file("").display().to_string();
            let place = place.trim_end_matches('/');
            let problems = of_exercise(house, lesson, exercise);
            findings.extend(problems.into_iter().map(|problem| Finding::new(place, problem)));
            if !names.insert(exercise.name()) {
                let problem = format!("another exercise is called {}, too", exercise.name());
                findings.push(Finding::new(place, problem));
            }
        }
        findings.extend(of_mistakes(house, lesson));
    }
    findings
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

fn of_exercise(house: &House, lesson: &Lesson, exercise: &Exercise) -> Vec<String> {
    let mut problems = Vec::new();
    let mut want = |holds: bool, problem: String| {
        if !holds {
            problems.push(problem);
        }
    };
    for name in ["starter.rs", "solution.rs", "checks.rs"] {
        want(house.root.join(exercise.file(name)).is_file(), format!("it has no {name}"));
    }
    let statement = fs::read_to_string(house.root.join(exercise.file("statement.md")));
    let first = first_line(exercise);
    match statement {
        Err(_) => want(false, "it has no statement.md".to_owned()),
        Ok(text) => {
            want(text.starts_with(&first), format!("its statement does not begin with {first:?}"));
        }
    }
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
    let folder = exercise.file("wrong");
    let wrong = house.files_in(&folder.display().to_string()).unwrap_or_default();
    for file in wrong {
        let name = file.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        let listed = exercise.wrong.iter().any(|one| one.name == name);
        want(listed, format!("{file} is not in its exercise.toml"));
    }
    for wrong in &exercise.wrong {
        let file = folder.join(format!("{}.rs", wrong.name));
        want(house.root.join(&file).is_file(), format!("there is no {}", file.display()));
    }
    let section = format!("{SECTION}{}", exercise.name());
    let told = lesson.pages.iter().filter_map(|page| house.page(&format!("{page}.md")));
    let mut told = told.filter(|page| page.has_id(&section));
    want(told.next().is_some(), format!("no page has a section {{#{section}}}"));
    problems
}

fn of_mistakes(house: &House, lesson: &Lesson) -> Vec<Finding> {
    let mut findings = Vec::new();
    let own: Vec<&Mistake> =
        house.mistakes.iter().filter(|one| one.lesson == lesson.folder).collect();
    let folder = format!("chapters/{lesson}/mistakes");
    for file in house.files_in(&folder).unwrap_or_default() {
        let known = |one: &&Mistake| {
            [one.file(), one.seen()].iter().any(|path| path.display().to_string() == file)
        };
        if !own.iter().any(known) {
            findings.push(Finding::new(file, "belongs to no mistake"));
        }
    }
    if own.is_empty() {
        return findings;
    }
    let included = format!("mistakes/{lesson}.md");
    let shown = lesson.pages.iter().filter_map(|page| house.page(&format!("{page}.md")));
    let mut shown = shown.filter(|page| page.includes.iter().any(|it| it.file == included));
    if !shown.next().is_some_and(|page| page.has_id(MISTAKES)) {
        let problem = format!("no page of it shows {included} in a section {{#{MISTAKES}}}");
        findings.push(Finding::new(lesson.file(), problem));
    }
    let checks = described::kept(&house.root).unwrap_or_default();
    for mistake in own {
        let mut add = |problem: String| {
            findings.push(Finding::new(mistake.file().display().to_string(), problem));
        };
        if mistake.seen_as.is_none() {
            add("it has no `seen-as`: what would a person take it for?".to_owned());
        }
        if lesson.program(&mistake.program).is_none() {
            add(format!("{lesson} has no program {}", mistake.program));
        }
        if first_check(mistake, &checks).is_none() {
            let first = mistake.caught_by.first().map_or("", String::as_str);
            let problem = format!("{} does not tell of the check {first:?}", described::RECORDING);
            add(format!("{problem}: run `cargo course record checks`"));
        }
    }
    findings
}
