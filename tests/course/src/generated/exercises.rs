//! All exercises, as a list: `book/src/exercises.md`.

use std::fmt::Write as _;
use std::io;

use cli::exercise::Exercise;
use cli::syllabus::Lesson;

use super::Generated;
use crate::house::{File, House};

/// The one page.
pub const KIND: Generated = Generated { name: "list of exercises", folder: None, files };

/// The page whose exercises need no program, and have neither checks nor points.
const BY_HAND: &str = "00-connection.md";

/// What their headings' ids begin with, here and elsewhere.
pub const SECTION: &str = "exercise-";

const BEGINNING: &str = "\
# Exercises {#exercises}

To *build* is to write the core of a program, or all of it. To *mend* is to find a mistake by what is seen of it. To
*extend* is to teach a program something new. The minutes are those of somebody who has just read the page.

`cargo tutor start 03.1` puts an exercise into `work/`, `cargo tutor check 03.1` judges what you wrote there, and
`cargo tutor hint 03.1` helps, a step at a time. `cargo tutor progress` tells what is done.
";

fn files(house: &House) -> io::Result<Vec<File>> {
    let mut text = BEGINNING.to_owned();
    let all: Vec<&Exercise> = house.syllabus.exercises().collect();
    write!(text, "\nIn all: {}.\n", sum(&all)).map_err(io::Error::other)?;
    text += &by_hand(house);
    for lesson in &house.syllabus.lessons {
        text += &of_lesson(lesson);
    }
    Ok(vec![("book/src/exercises.md".to_owned(), text)])
}

/// `4 exercises, 65 minutes, 10 points`.
fn sum(exercises: &[&Exercise]) -> String {
    let count =
        |number: u32, of: &str| format!("{number} {of}{}", if number == 1 { "" } else { "s" });
    let minutes = exercises.iter().map(|one| one.minutes).sum();
    let points = exercises.iter().map(|one| one.points).sum();
    let number = u32::try_from(exercises.len()).unwrap_or(u32::MAX);
    [count(number, "exercise"), count(minutes, "minute"), count(points, "point")].join(", ")
}

fn by_hand(house: &House) -> String {
    let headings = house.page(BY_HAND).map(|page| &page.headings[..]).unwrap_or_default();
    let links: Vec<String> = headings
        .iter()
        .filter_map(|heading| {
            let id = heading.id.as_deref().filter(|id| id.starts_with(SECTION))?;
            let title = heading.text.split_once(". ").map_or(&heading.text[..], |(_, title)| title);
            Some(format!("[{title}]({BY_HAND}#{id})"))
        })
        .collect();
    if links.is_empty() {
        return String::new();
    }
    format!("\nOn page 00 are some that need no program: {}.\n", links.join(", "))
}

fn of_lesson(lesson: &Lesson) -> String {
    if lesson.exercises.is_empty() {
        return String::new();
    }
    let own: Vec<&Exercise> = lesson.exercises.iter().collect();
    let mut text = format!(
        "\n## {} {} {{#{lesson}}}\n\n{}.\n\n| | exercise | kind | minutes | points |\n|---|---|---|--:|--:|\n",
        lesson.number(),
        lesson.title,
        sum(&own),
    );
    for exercise in own {
        let Exercise { title, kind, minutes, points, .. } = exercise;
        let link = format!("{}.md#{SECTION}{}", lesson.pages[0], exercise.name());
        let _ =
            writeln!(text, "| {exercise} | [{title}]({link}) | {kind} | {minutes} | {points} |");
    }
    text
}
