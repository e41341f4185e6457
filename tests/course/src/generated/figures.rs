//! The book's figures: `book/src/figures/NAME.svg`, drawn from `book/recordings/NAME.json`.

use std::io;

use timeline::figures::Picture;

use super::Kind;
use crate::Finding;
use crate::house::{File, House};

/// The figures that the lessons describe.
pub const KIND: Kind = Kind { name: "figures", folder: "book/src/figures", files };

fn files(house: &House) -> io::Result<Vec<File>> {
    let draw =
        |figure: &Picture| Ok((figure.drawing_place(), figure.draw(&figure.kept(&house.root)?)));
    Picture::all(&house.root)?.iter().map(draw).collect()
}

/// Figures that no page shows.
#[must_use]
pub fn unused(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lesson in &house.syllabus.lessons {
        for figure in &lesson.figures {
            let file = format!("figures/{}.svg", figure.name);
            let mut includes = house.pages.iter().flat_map(|page| &page.includes);
            if !includes.any(|include| include.file == file) {
                let problem = format!("no page shows the figure {}", figure.name);
                findings.push(Finding::new(lesson.file(), problem));
            }
        }
    }
    findings
}
