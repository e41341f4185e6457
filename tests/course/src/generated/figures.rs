//! The book's figures: `book/src/figures/NAME.svg`, drawn from `book/recordings/NAME.json`.

use std::io;

use timeline::figures::{FIGURES, Figure};

use super::Kind;
use crate::Finding;
use crate::house::{File, House};

/// The figures that the lessons describe.
pub const KIND: Kind = Kind { name: "figures", folder: "book/src/figures", files };

fn files(house: &House) -> io::Result<Vec<File>> {
    let draw =
        |figure: &Figure| Ok((figure.drawing_place(), figure.draw(&figure.kept(&house.root)?)));
    FIGURES.iter().map(draw).collect()
}

/// Figures that no page shows.
#[must_use]
pub fn unused(house: &House) -> Vec<Finding> {
    let shown = |figure: &Figure| {
        let file = format!("figures/{}.svg", figure.name);
        house.pages.iter().flat_map(|page| &page.includes).any(|include| include.file == file)
    };
    let unused = FIGURES.iter().filter(|figure| !shown(figure));
    unused.map(|figure| Finding::new(figure.drawing_place(), "no page shows this figure")).collect()
}
