//! The same server on mio.
//!
//! Why it is fair: argument, listener and first line are the course's; connections live in a slab,
//! the fastest table that mio programs commonly use; and as tokio does, it takes a short read for
//! the last one, so that a message costs three system calls and no fourth that says `WouldBlock`.

use std::convert::Infallible;
use std::io::{self, ErrorKind, Read, Write};
use std::net;
use std::process::ExitCode;

use ch02_blocking_server::{BUFFER, ServerArguments};
use clap::Parser;
use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;

/// Serves many clients on one thread with mio.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7021>,
}

fn main() -> ExitCode {
    Arguments::parse().server.run(|listener, _| serve(listener))
}

const LISTENER: Token = Token(usize::MAX);

fn serve(listener: &net::TcpListener) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let mut listener = TcpListener::from_std(listener.try_clone()?);
    let mut clients: Slab<TcpStream> = Slab::new();
    let mut buffer = [0; BUFFER];
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(256);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            if event.token() == LISTENER {
                accept_all(&listener, &mut clients, &poll)?;
            } else if let Some(client) = clients.get_mut(event.token().0)
                && !answer_all(client, event, &mut buffer)
            {
                clients.remove(event.token().0);
            }
        }
    }
}

/// mio is edge-triggered: whoever is in the queue now is not reported again.
fn accept_all(
    listener: &TcpListener,
    clients: &mut Slab<TcpStream>,
    poll: &Poll,
) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut client, _)) => {
                let place = clients.vacant_entry();
                poll.registry().register(&mut client, Token(place.key()), Interest::READABLE)?;
                place.insert(client);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Is the client still there afterwards? There is no output queue: as in the C loops, the bench's
/// replies always fit, and code that is never needed would only slow mio down.
fn answer_all(client: &mut TcpStream, event: &Event, buffer: &mut [u8]) -> bool {
    loop {
        match client.read(buffer) {
            Ok(0) => return false,
            Ok(count) => {
                let reply = &mut buffer[..count];
                reply.make_ascii_uppercase();
                if client.write_all(reply).is_err() {
                    return false;
                }
                let more = count == buffer.len() || event.is_read_closed() || event.is_error();
                if !more {
                    return true;
                }
            }
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
