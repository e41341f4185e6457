//! One after the other, with reads that sleep.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

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
        sources.push(Source { stream, address, count: 0, end: None });
    }
    for source in &mut sources {
        while source.end.is_none() {
            source.read();
        }
    }
    let mut stdout = io::stdout().lock();
    for source in &sources {
        writeln!(stdout, "{source}")?;
    }
    stdout.flush()?;
    Ok(sources.iter().all(|source| matches!(source.end, Some(End::Complete))))
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
