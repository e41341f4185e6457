//! What a lesson's description names is there: suites, scenes, figures, packets, the program that it is
//! compared with.

use std::io;

use cli::syllabus::{Lesson, Program};
use judge::suites;
use timeline::figures::Picture;
use timeline::packets::recorded;
use timeline::packets::scenes::Met;
use timeline::scenes::Scene;

use crate::Finding;
use crate::generated::diffs;
use crate::house::House;

/// Names in a `lesson.toml` that name nothing, and what it describes that is not there yet.
#[must_use]
pub fn nameless(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lesson in &house.syllabus.lessons {
        let mut problems = Vec::new();
        problems.extend(demo(house, lesson));
        problems.extend(lesson.programs.iter().flat_map(|program| of_program(lesson, program)));
        problems.extend(figures(house, lesson));
        problems.extend(packets(house, lesson));
        problems.extend(compared(house, lesson));
        let found = problems.into_iter().map(|problem| Finding::new(lesson.file(), problem));
        findings.extend(found);
    }
    findings
}

/// The demos are a table of the tutor, which nobody but the tutor can ask.
const DEMOS: &str = "tests/tutor/src/demo/";

fn demo(house: &House, lesson: &Lesson) -> Option<String> {
    let row = format!("name: \"{}\"", lesson.demo);
    let mut tables = house.tests.iter().filter(|(path, _)| path.starts_with(DEMOS));
    let missing = || format!("no demo {:?} in {DEMOS}", lesson.demo);
    (!tables.any(|(_, text)| text.contains(&row))).then(missing)
}

fn of_program(lesson: &Lesson, program: &Program) -> Vec<String> {
    let suites = suites::of(program).err();
    let scene = program.trace.as_ref().and_then(|scene| wrong(Scene::named(scene, &lesson.file())));
    suites.into_iter().chain(scene).collect()
}

/// Figures whose program, scene or recording is not there, and those that no page shows.
fn figures(house: &House, lesson: &Lesson) -> Vec<String> {
    let mut problems = Vec::new();
    for figure in &lesson.figures {
        let name = &figure.name;
        match Picture::of(figure, &lesson.file()) {
            Err(error) => problems.push(first_line(&error)),
            Ok(picture) => problems.extend(
                wrong(picture.kept(&house.root))
                    .map(|problem| format!("{problem}: run `cargo course record figures`")),
            ),
        }
        let file = format!("figures/{name}.svg");
        let mut includes = house.pages.iter().flat_map(|page| &page.includes);
        if !includes.any(|include| include.file == file) {
            problems.push(format!("no page shows the figure {name}"));
        }
    }
    problems
}

fn packets(house: &House, lesson: &Lesson) -> Vec<String> {
    if lesson.packets.is_empty() {
        return Vec::new();
    }
    let recording = wrong(recorded::of(&house.root, lesson))
        .map(|problem| format!("{problem}: run `cargo course record packets`"));
    wrong(Met::by(lesson)).into_iter().chain(recording).collect()
}

/// The lesson that it is compared with, and the difference on its page.
fn compared(house: &House, lesson: &Lesson) -> Vec<String> {
    let Some(base) = &lesson.compared_with else { return Vec::new() };
    let mut problems = Vec::new();
    if !house.syllabus.lessons.iter().any(|other| other.folder == *base) {
        problems.push(format!("it is compared with {base}, which is no lesson"));
    }
    let diff = diffs::place(&lesson.folder);
    let includes = |include: &crate::page::Include| diff.ends_with(&format!("/{}", include.file));
    let own = house
        .pages
        .iter()
        .filter(|page| house.lesson_of(page).is_some_and(|owner| owner.folder == lesson.folder));
    if !own.flat_map(|page| &page.includes).any(includes) {
        problems.push(format!("no page of it shows {diff}"));
    }
    problems
}

fn wrong<T>(found: io::Result<T>) -> Option<String> {
    found.err().map(|error| first_line(&error))
}

/// Without the list of what there is.
fn first_line(error: &io::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
