//! Packets as pages show them: `book/src/packets/NN.txt`, told from `book/recordings/packets-NN.json`.

use std::io;

use cli::syllabus::Lesson;
use timeline::packets::recorded;

use super::Generated;
use crate::house::{File, House};

/// The packets that the lessons' descriptions put on their pages.
pub const KIND: Generated = Generated { name: "packets", folder: Some("book/src/packets"), files };

fn files(house: &House) -> io::Result<Vec<File>> {
    let shown = |lesson: &&Lesson| lesson.packets.iter().any(|given| given.on_page);
    let told = |lesson: &Lesson| {
        let place = format!("book/src/packets/{}.txt", lesson.number());
        Ok((place, recorded::on_page(&house.root, lesson)?))
    };
    house.syllabus.lessons.iter().filter(shown).map(told).collect()
}
