//! Impostors of the lessons about epoll. Sockets do not block.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::guest::{Guest, Turn};

const LISTENER: u64 = 0;

/// How one of them registers its clients, and what it does when one is reported.
struct Manner {
    interest: EpollFlags,
    /// Must a report hold one of these, or nothing is done?
    acts_on: EpollFlags,
    /// Does it read until there is nothing?
    drains: bool,
    buffer: usize,
    /// At most so many bytes are written for each report; then nobody asks for room.
    piece: Option<usize>,
}

/// Level-triggered, always interested in writability, which it then ignores: it never sleeps.
pub fn always_writable(listener: &TcpListener) -> io::Result<Infallible> {
    let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
    let acts_on = EpollFlags::EPOLLIN | EpollFlags::EPOLLHUP | EpollFlags::EPOLLERR;
    serve(listener, &Manner { interest, acts_on, drains: false, buffer: 16 * 1024, piece: None })
}

/// Reads until there is nothing, as if edges were reported; but it is level-triggered.
pub fn level_as_edge(listener: &TcpListener) -> io::Result<Infallible> {
    let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
    let acts_on = EpollFlags::all();
    serve(listener, &Manner { interest, acts_on, drains: true, buffer: 16 * 1024, piece: None })
}

/// Edge-triggered, and reads once for each report: what does not fit its buffer stays where it is.
pub fn one_read_per_edge(listener: &TcpListener) -> io::Result<Infallible> {
    let interest = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
    let acts_on = EpollFlags::all();
    serve(listener, &Manner { interest, acts_on, drains: false, buffer: 1024, piece: None })
}

/// Edge-triggered, and writes once for each turn: what is longer stays where it is.
pub fn one_write_per_turn(listener: &TcpListener) -> io::Result<Infallible> {
    let readable = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP;
    let interest = readable | EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
    let (acts_on, piece) = (EpollFlags::all(), Some(1024));
    serve(listener, &Manner { interest, acts_on, drains: true, buffer: 16 * 1024, piece })
}

fn serve(listener: &TcpListener, manner: &Manner) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let listening = EpollFlags::EPOLLIN | (manner.interest & EpollFlags::EPOLLET);
    epoll.add(listener, EpollEvent::new(listening, LISTENER))?;
    let mut guests: HashMap<u64, Guest> = HashMap::new();
    let mut next_token = LISTENER + 1;
    let mut buffer = vec![0; manner.buffer];
    let mut events = [EpollEvent::empty(); 64];
    loop {
        let count = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Ok(count) => count,
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        };
        for event in &events[..count] {
            let token = event.data();
            if token == LISTENER {
                while let Ok((stream, _)) = listener.accept() {
                    let mut guest = Guest::nonblocking(stream)?;
                    guest.piece = manner.piece;
                    epoll.add(&guest, EpollEvent::new(manner.interest, next_token))?;
                    guests.insert(next_token, guest);
                    next_token += 1;
                }
                continue;
            }
            let Some(guest) = guests.get_mut(&token) else { continue };
            if !event.events().intersects(manner.acts_on) && !guest.is_owed() {
                continue;
            }
            let mut turn = guest.turn(&mut buffer);
            while manner.drains && turn == Turn::Replied {
                turn = guest.turn(&mut buffer);
            }
            // What is owed goes out with the next report; an edge for it is asked for anew.
            let mut owed = EpollFlags::empty();
            owed.set(EpollFlags::EPOLLOUT, guest.is_owed());
            if turn == Turn::Over {
                guests.remove(&token);
            } else if manner.piece.is_some() {
                // Whoever asks for room from the beginning need not ask anew.
            } else if !owed.is_empty() || event.events().contains(EpollFlags::EPOLLOUT) {
                epoll.modify(&*guest, &mut EpollEvent::new(manner.interest | owed, token))?;
            }
        }
    }
}
