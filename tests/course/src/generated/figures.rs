//! The book's figures: `book/src/figures/NAME.svg`, drawn from `book/recordings/NAME.json`.

use std::io;

use timeline::figures::Picture;

use super::Generated;
use crate::house::{File, House};

/// The figures that the lessons describe.
pub const KIND: Generated = Generated { name: "figures", folder: Some("book/src/figures"), files };

fn files(house: &House) -> io::Result<Vec<File>> {
    let draw =
        |figure: &Picture| Ok((figure.drawing_place(), figure.draw(&figure.kept(&house.root)?)));
    Picture::all(&house.root)?.iter().map(draw).collect()
}
