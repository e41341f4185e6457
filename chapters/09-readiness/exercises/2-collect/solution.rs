//! Collects what several servers send until they close, all at once, and tells who sent all of it.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::process::ExitCode;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

fn main() -> ExitCode {
    let addresses: Option<Vec<SocketAddr>> =
        std::env::args().skip(1).map(|text| text.parse().ok()).collect();
    let Some(addresses) = addresses.filter(|addresses| !addresses.is_empty()) else {
        eprintln!("write: collect ADDR:PORT...");
        return ExitCode::from(2);
    };
    match collect(&addresses) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("collect: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A server, how many bytes it has sent, and how its stream has ended, if it has.
struct Source {
    stream: TcpStream,
    address: SocketAddr,
    count: usize,
    end: Option<End>,
}

enum End {
    Complete,
    Broken(io::Error),
}

/// Were all of them complete?
fn collect(addresses: &[SocketAddr]) -> io::Result<bool> {
    let mut sources = Vec::new();
    for &address in addresses {
        let stream = TcpStream::connect(address)?;
        stream.set_nonblocking(true)?;
        sources.push(Source { stream, address, count: 0, end: None });
    }
    while sources.iter().any(|source| source.end.is_none()) {
        wait(&mut sources)?;
    }
    let mut stdout = io::stdout().lock();
    for source in &sources {
        writeln!(stdout, "{source}")?;
    }
    stdout.flush()?;
    Ok(sources.iter().all(|source| matches!(source.end, Some(End::Complete))))
}

/// Waits once, and reads from those that something is reported of.
fn wait(sources: &mut [Source]) -> io::Result<()> {
    let running = |source: &&mut Source| source.end.is_none();
    let mut sources: Vec<&mut Source> = sources.iter_mut().filter(running).collect();
    let streams = sources.iter().map(|source| source.stream.as_fd());
    let mut entries: Vec<PollFd> =
        streams.map(|stream| PollFd::new(stream, PollFlags::POLLIN)).collect();
    match poll(&mut entries, PollTimeout::NONE) {
        Err(Errno::EINTR) => return Ok(()),
        count => count?,
    };
    let came: Vec<PollFlags> = entries.iter().filter_map(PollFd::revents).collect();
    for (source, _) in sources.iter_mut().zip(came).filter(|(_, came)| !came.is_empty()) {
        source.read();
    }
    Ok(())
}

impl Source {
    /// Reads a piece, or learns how the stream has ended.
    fn read(&mut self) {
        let mut buffer = [0; 4096];
        match self.stream.read(&mut buffer) {
            Ok(0) => self.end = Some(End::Complete),
            Ok(count) => self.count += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            // The pending error is given once: nobody may have asked for it before.
            Err(error) => self.end = Some(End::Broken(error)),
        }
    }
}

/// `127.0.0.1:7001 complete, 12 bytes`
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, count, .. } = self;
        match &self.end {
            Some(End::Broken(error)) => write!(f, "{address} broken after {count} bytes: {error}"),
            _ => write!(f, "{address} complete, {count} bytes"),
        }
    }
}
