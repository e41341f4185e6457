//! Pipes: pipe(7).

use std::io::{self, Write};

use super::{Condition, row};
use crate::prepared::Prepared;

pub const ROWS: &[Condition] = &[
    row("pipe-data", "pipe, data", "five bytes are written", data),
    row(
        "pipe-writer-closed",
        "pipe, its writer closed",
        "the writing end is closed, with nothing in the pipe",
        writer_closed,
    ),
    row(
        "pipe-writer-closed-data",
        "pipe, its writer closed, data left",
        "five bytes are in the pipe, and the writing end is closed",
        writer_closed_data,
    ),
    row(
        "pipe-reader-closed",
        "pipe to write to, its reader closed",
        "the reading end is closed",
        reader_closed,
    ),
];

fn data() -> io::Result<Prepared> {
    let (reader, mut writer) = io::pipe()?;
    Ok(Prepared::before(reader, move |_| {
        writer.write_all(b"hello")?;
        Ok(writer)
    }))
}

fn writer_closed() -> io::Result<Prepared> {
    let (reader, writer) = io::pipe()?;
    Ok(Prepared::before(reader, move |_| {
        drop(writer);
        Ok(())
    }))
}

fn writer_closed_data() -> io::Result<Prepared> {
    let (reader, mut writer) = io::pipe()?;
    writer.write_all(b"hello")?;
    Ok(Prepared::before(reader, move |_| {
        drop(writer);
        Ok(())
    }))
}

fn reader_closed() -> io::Result<Prepared> {
    let (reader, writer) = io::pipe()?;
    Ok(Prepared::before(writer, move |_| {
        drop(reader);
        Ok(())
    }))
}
