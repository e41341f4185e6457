//! Impostors: programs that do what a lesson's program does, and wait in another way than they say.
//!
//! To a client they look right. They are there to be told apart by the witness: `tests/witness.rs`.
//!
//! `impostor NAME --listen ADDR:PORT` is a server, `impostor NAME ADDR:PORT...` a client; both follow
//! the contract of the course's programs.

#![forbid(unsafe_code)]

mod clients;
mod epoll;
mod guest;
mod pieces;
mod select;

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

/// A server's loop, which ends only with an error.
type Serve = fn(&TcpListener) -> io::Result<Infallible>;

/// Connects to all addresses and returns a line for each.
type Connect = fn(&[SocketAddr]) -> io::Result<Vec<String>>;

enum Impostor {
    Server(Serve),
    Client(Connect),
}

fn named(name: &str) -> Option<Impostor> {
    Some(match name {
        // They pose as the lesson about select.
        "threads-behind-select" => Impostor::Server(select::threads),
        "poll-as-select" => Impostor::Server(select::poll_instead),
        "busy-select" => Impostor::Server(select::busy),
        "sweep-after-select" => Impostor::Server(select::sweep),
        "pause-in-select" => Impostor::Server(select::sits_out_a_pause),
        // As the lessons about epoll.
        "always-writable" => Impostor::Server(epoll::always_writable),
        "level-as-edge" => Impostor::Server(epoll::level_as_edge),
        "one-write-per-turn" => Impostor::Server(epoll::one_write_per_turn),
        "one-read-per-edge" => Impostor::Server(epoll::one_read_per_edge),
        // As the lesson about non-blocking connect.
        "connect-without-so-error" => Impostor::Client(clients::never_asks),
        "connect-with-early-so-error" => Impostor::Client(clients::asks_early),
        // It poses as nothing: a lie has to find its lengths.
        "in-pieces" => Impostor::Server(pieces::one_at_a_time),
        _ => return None,
    })
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(impostor) = arguments.next().as_deref().and_then(named) else {
        let _ = writeln!(io::stderr(), "name an impostor: see tests/lab/impostors/main.rs");
        return ExitCode::from(2);
    };
    let addresses = arguments.filter(|argument| argument != "--listen").map(|text| text.parse());
    let done = match (addresses.collect::<Result<Vec<SocketAddr>, _>>(), impostor) {
        (Ok(addresses), Impostor::Server(serve)) => listen(&addresses, serve),
        (Ok(addresses), Impostor::Client(connect)) => tell(&addresses, connect),
        (Err(error), _) => Err(io::Error::other(error)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn listen(addresses: &[SocketAddr], serve: Serve) -> io::Result<()> {
    let listener = TcpListener::bind(addresses)?;
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "listening on {}", listener.local_addr()?)?;
    stdout.flush()?;
    match serve(&listener) {
        Err(error) => Err(error),
    }
}

fn tell(addresses: &[SocketAddr], connect: Connect) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    connect(addresses)?.iter().try_for_each(|line| writeln!(stdout, "{line}"))
}
