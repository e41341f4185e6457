//! Who has sent a FIN is gone.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((limit, address)) = understood(&arguments) else {
        eprintln!("write: ending MS ADDR:PORT");
        return ExitCode::from(2);
    };
    match ending(address, limit).and_then(|ending| writeln!(io::stdout(), "{ending}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ending {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn understood(arguments: &[String]) -> Option<(Duration, SocketAddr)> {
    let [limit, address] = arguments else { return None };
    Some((Duration::from_millis(limit.parse().ok()?), address.parse().ok()?))
}

/// An RST is reported so, whatever was asked for.
const GONE: EpollFlags = EpollFlags::EPOLLERR.union(EpollFlags::EPOLLHUP);

/// Connects, and waits until the connection has ended, in one way or another.
fn ending(address: SocketAddr, _limit: Duration) -> io::Result<&'static str> {
    let stream = TcpStream::connect(address)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLRDHUP, 0))?;
    if reported(&epoll, EpollTimeout::NONE)?.intersects(GONE) {
        return Ok("reset");
    }
    // The other end has sent its FIN.
    Ok("closed")
}

/// What epoll_wait reports of the one that is watched; nothing when the time is up.
fn reported(epoll: &Epoll, limit: EpollTimeout) -> io::Result<EpollFlags> {
    let mut events = [EpollEvent::empty()];
    loop {
        match epoll.wait(&mut events, limit) {
            Err(Errno::EINTR) => {}
            count => {
                return Ok(if count? == 0 { EpollFlags::empty() } else { events[0].events() });
            }
        }
    }
}
