//! The peers that bind an address.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags};
use socket2::{Domain, Socket, Type};

use super::session::{EarlyEnd, Session, later};
use crate::rig::min_ttl;

/// What `banner` says first.
const GREETING: &str = "welcome\n";

/// A client that leaves this many replies unread is not read any more.
const QUEUE_LIMIT: usize = 64 * 1024;

/// How a listener that accepts serves its clients.
#[derive(Clone, Copy)]
struct Serves {
    /// It speaks first.
    greets: bool,
    /// It answers what it reads.
    answers: bool,
}

/// One client of a listener that accepts.
struct Guest {
    number: u32,
    stream: TcpStream,
    owed: VecDeque<u8>,
    got: u64,
    end_of_stream: bool,
}

impl Guest {
    fn interest(&self) -> PollFlags {
        let mut events = PollFlags::empty();
        events.set(PollFlags::POLLIN, !self.end_of_stream && self.owed.len() < QUEUE_LIMIT);
        events.set(PollFlags::POLLOUT, !self.owed.is_empty());
        events
    }

    fn is_done(&self) -> bool {
        self.end_of_stream && self.owed.is_empty()
    }
}

pub fn upper(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    serving(session, Serves { greets: false, answers: true })
}

pub fn banner(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    serving(session, Serves { greets: true, answers: true })
}

pub fn mute(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    serving(session, Serves { greets: false, answers: false })
}

/// One loop, three characters.
fn serving(session: &mut Session<'_>, serves: Serves) -> Result<(), EarlyEnd> {
    let listener = TcpListener::from(listen(session, bind(session)?)?);
    let mut guests: Vec<Guest> = Vec::new();
    let mut number = 0;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let ready: Vec<bool> = {
            let mut entries = vec![PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
            let guests = guests.iter();
            entries.extend(guests.map(|guest| PollFd::new(guest.stream.as_fd(), guest.interest())));
            session.wait_any(&mut entries, session.end)?;
            entries.iter().map(|entry| entry.any() != Some(false)).collect()
        };
        if !ready.contains(&true) {
            return Ok(());
        }
        let mut turn = ready[1..].iter();
        guests.retain_mut(|guest| {
            if turn.next() != Some(&true) {
                return true;
            }
            stays(session, guest, serves, &mut buffer)
        });
        if ready[0]
            && let Some(stream) = accept(session, &listener)?
        {
            number += 1;
            session.say(format_args!("client {number}: accepted"));
            let mut owed = VecDeque::new();
            if serves.greets {
                owed.extend(GREETING.as_bytes());
                let count = GREETING.len();
                session.say(format_args!("client {number}: sent {count} bytes {GREETING:?}"));
            }
            let mut guest = Guest { number, stream, owed, got: 0, end_of_stream: false };
            // At once: the greeting must not wait for the next round, nor an end that is here.
            if stays(session, &mut guest, serves, &mut buffer) {
                guests.push(guest);
            }
        }
    }
}

/// Does what can be done for a guest; false, and a line about it, when that was the last of it.
fn stays(session: &mut Session<'_>, guest: &mut Guest, serves: Serves, buffer: &mut [u8]) -> bool {
    let lost = advance(session, guest, serves, buffer).err();
    let Guest { number, got, .. } = *guest;
    if let Some(error) = lost {
        session.say(format_args!("client {number}: lost after {got} bytes: {error}"));
        return false;
    }
    if guest.is_done() {
        session.say(format_args!("client {number}: end of stream after {got} bytes, closed"));
    }
    !guest.is_done()
}

/// Sends what is owed and reads once, without sleeping.
fn advance(
    session: &mut Session<'_>,
    guest: &mut Guest,
    serves: Serves,
    buffer: &mut [u8],
) -> io::Result<()> {
    flush(guest)?;
    if guest.end_of_stream || guest.owed.len() >= QUEUE_LIMIT {
        return Ok(());
    }
    match guest.stream.read(buffer) {
        Ok(0) => guest.end_of_stream = true,
        Ok(count) => {
            guest.got += count as u64;
            if serves.answers {
                buffer[..count].make_ascii_uppercase();
                guest.owed.extend(&buffer[..count]);
                flush(guest)?;
            } else {
                let number = guest.number;
                session.say(format_args!("client {number}: got {count} bytes, says nothing"));
            }
        }
        Err(error) if later(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Sends what is owed as far as the kernel takes it.
fn flush(guest: &mut Guest) -> io::Result<()> {
    while !guest.owed.is_empty() {
        match guest.stream.write(guest.owed.as_slices().0) {
            Ok(count) => drop(guest.owed.drain(..count)),
            Err(error) if later(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub fn never_accepting(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let listener = listen(session, bind(session)?)?;
    session.say("never accepts: whoever connects stays in the accept queue");
    if !session.wait(&listener, PollFlags::POLLIN, session.end)?.is_empty() {
        session.say("a connection waits in the accept queue");
        rest(session)?;
    }
    Ok(())
}

pub fn refusing(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let socket = bind(session)?;
    let address = local(session, &socket)?;
    session.has_bound(address);
    session.say(format_args!("bound to {address}, not listening"));
    rest(session)
}

pub fn black_hole(session: &mut Session<'_>) -> Result<(), EarlyEnd> {
    let socket = bind(session)?;
    // Before it listens, so that no packet finds it open.
    min_ttl::drop_all(&socket).map_err(|error| session.failed("setsockopt", &error))?;
    let _listener = listen(session, socket)?;
    session.say("drops every packet that comes");
    rest(session)
}

/// Does nothing until the limit.
fn rest(session: &Session<'_>) -> Result<(), EarlyEnd> {
    session.wait_any(&mut [], session.end)
}

fn bind(session: &Session<'_>) -> Result<Socket, EarlyEnd> {
    let bound = || {
        let domain = Domain::for_address(session.address);
        let socket = Socket::new(domain, Type::STREAM.nonblocking(), None)?;
        socket.set_reuse_address(true)?;
        socket.bind(&session.address.into())?;
        Ok(socket)
    };
    bound().map_err(|error| session.failed("bind", &error))
}

/// A listener, which says its address: the kernel may have chosen the port.
fn listen(session: &mut Session<'_>, socket: Socket) -> Result<Socket, EarlyEnd> {
    socket.listen(1024).map_err(|error| session.failed("listen", &error))?;
    let address = local(session, &socket)?;
    session.has_bound(address);
    session.say(format_args!("listening on {address}"));
    Ok(socket)
}

fn local(session: &Session<'_>, socket: &Socket) -> Result<std::net::SocketAddr, EarlyEnd> {
    let address = socket.local_addr().map_err(|error| session.failed("getsockname", &error))?;
    Ok(address.as_socket().unwrap_or(session.address))
}

/// Takes the oldest connection, if it is still there.
fn accept(session: &Session<'_>, listener: &TcpListener) -> Result<Option<TcpStream>, EarlyEnd> {
    match listener.accept() {
        Ok((stream, _)) => {
            stream
                .set_nonblocking(true)
                .and_then(|()| stream.set_nodelay(true))
                .map_err(|error| session.failed("accept", &error))?;
            Ok(Some(stream))
        }
        Err(error) if later(&error) || error.kind() == ErrorKind::ConnectionAborted => Ok(None),
        Err(error) => Err(session.failed("accept", &error)),
    }
}
