//! What another thread does while a call sleeps. The calls are asked for readable only.

use std::io;
use std::net::Shutdown;

use lab::sockets::connection;
use socket2::SockRef;

use super::{Asked, Condition, row};
use crate::prepared::Prepared;

pub const ROWS: &[Condition] = &[
    Condition {
        asked: Asked::Meanwhile,
        ..row(
            "closed-meanwhile",
            "closed while a call waits",
            "asked for readable; another thread closes the descriptor",
            closed,
        )
    },
    Condition {
        asked: Asked::Meanwhile,
        ..row(
            "shutdown-meanwhile",
            "shut down while a call waits",
            "asked for readable; another thread calls shutdown(RDWR)",
            shut_down,
        )
    },
];

fn closed() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::closing(asked, peer))
}

fn shut_down() -> io::Result<Prepared> {
    let (peer, asked) = connection()?;
    Ok(Prepared::before(asked, move |asked| {
        SockRef::from(asked).shutdown(Shutdown::Both)?;
        Ok(peer)
    }))
}
