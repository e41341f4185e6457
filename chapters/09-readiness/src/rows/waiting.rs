//! What another thread does while a call sleeps. The calls are asked for readable only.

use std::io;
use std::net::Shutdown;

use socket2::SockRef;

use super::{Asked, Row, row};
use crate::sockets::connection;
use crate::stage::Stage;

pub const ROWS: &[Row] = &[
    Row {
        asked: Asked::Meanwhile,
        ..row(
            "closed-meanwhile",
            "closed while a call waits",
            "asked for readable; another thread closes the descriptor",
            closed,
        )
    },
    Row {
        asked: Asked::Meanwhile,
        ..row(
            "shutdown-meanwhile",
            "shut down while a call waits",
            "asked for readable; another thread calls shutdown(RDWR)",
            shut_down,
        )
    },
];

fn closed() -> io::Result<Stage> {
    let (asked, peer) = connection()?;
    Ok(Stage::closing(asked, peer))
}

fn shut_down() -> io::Result<Stage> {
    let (asked, peer) = connection()?;
    Ok(Stage::before(asked, move |asked| {
        SockRef::from(asked).shutdown(Shutdown::Both)?;
        Ok(peer)
    }))
}
