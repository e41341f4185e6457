//! Asked for IN as well: as long as the data is not read, it comes back at once.

use std::io::{self, ErrorKind, Write};
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

/// What is reported, whatever was asked for, of a connection that is over in both directions.
const GONE: EpollFlags = EpollFlags::EPOLLERR.union(EpollFlags::EPOLLHUP);

/// Connects, and waits until the connection has ended, in one way or another.
fn ending(address: SocketAddr, limit: Duration) -> io::Result<&'static str> {
    let mut stream = TcpStream::connect(address)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    // RDHUP alone: data that nobody reads would be reported as IN, again and again.
    epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP, 0))?;
    let came = loop {
        let came = reported(&epoll, EpollTimeout::NONE)?;
        if came.intersects(GONE | EpollFlags::EPOLLRDHUP) {
            break came;
        }
    };
    if came.intersects(GONE) {
        return Ok("reset");
    }
    // A FIN. Who is gone and who has half-closed have sent the same packet: only a byte of ours tells them
    // apart. The one takes it, the other's kernel answers it with an RST.
    match stream.write_all(b"?") {
        // There was an RST between the FIN and this.
        Err(error)
            if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) =>
        {
            return Ok("closed");
        }
        written => written?,
    }
    // The FIN is known: nothing is asked for but what comes unasked.
    epoll.modify(&stream, &mut EpollEvent::new(EpollFlags::empty(), 0))?;
    let came = reported(&epoll, EpollTimeout::try_from(limit).unwrap_or(EpollTimeout::MAX))?;
    Ok(if came.intersects(GONE) { "closed" } else { "half-closed" })
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
