//! The rows: the states of descriptors that the table has, and how each is brought about.

mod connect;
mod data;
mod datagram;
mod ends;
mod listener;
mod odd;
mod pipe;
mod room;
mod unix;
mod urgent;
mod waiting;

use std::io;

use crate::prepared::Prepared;

/// A condition that a descriptor can be in: one row of the table.
pub struct Condition {
    /// What a person types.
    pub slug: &'static str,
    /// The condition, as the table names it.
    pub name: &'static str,
    /// How the descriptor is brought there, in a line.
    pub how: &'static str,
    /// When and where the calls are asked.
    pub asked: Asked,
    /// Makes a fresh descriptor, ready for the event.
    pub prepare: fn() -> io::Result<Prepared>,
}

/// When and where the calls are asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// After the event, without waiting.
    After,
    /// The same, in a network namespace of its own.
    AfterInOwnNetwork,
    /// Before it: each call sleeps in a thread of its own when it happens.
    Meanwhile,
}

/// All rows, in the order of the table.
pub fn all() -> impl Iterator<Item = &'static Condition> {
    [
        listener::ROWS,
        connect::ROWS,
        data::ROWS,
        ends::ROWS,
        urgent::ROWS,
        room::ROWS,
        datagram::ROWS,
        unix::ROWS,
        pipe::ROWS,
        odd::ROWS,
        waiting::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// The row of this short name.
#[must_use]
pub fn find(slug: &str) -> Option<&'static Condition> {
    all().find(|row| row.slug == slug)
}

/// A row that is asked after the event.
const fn row(
    slug: &'static str,
    name: &'static str,
    how: &'static str,
    prepare: fn() -> io::Result<Prepared>,
) -> Condition {
    Condition { slug, name, how, asked: Asked::After, prepare }
}
