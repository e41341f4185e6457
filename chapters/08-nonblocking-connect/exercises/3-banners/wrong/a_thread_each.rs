//! A thread for each server, and a time limit for its reads.

use std::io::{self, BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((limit, addresses)) = understood(&arguments) else {
        eprintln!("write: banners MS ADDR:PORT...");
        return ExitCode::from(2);
    };
    let asked: Vec<_> = addresses
        .into_iter()
        .map(|address| (address, thread::spawn(move || line(address, limit))))
        .collect();
    let mut stdout = io::stdout().lock();
    for (address, asked) in asked {
        let line = match asked.join().expect("it does not panic") {
            Ok(line) => line,
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                "silent".to_owned()
            }
            Err(error) => error.to_string(),
        };
        let _ = writeln!(stdout, "{address}: {line}");
    }
    ExitCode::SUCCESS
}

fn understood(arguments: &[String]) -> Option<(Duration, Vec<SocketAddr>)> {
    let (limit, addresses) = arguments.split_first()?;
    let addresses: Option<Vec<_>> = addresses.iter().map(|text| text.parse().ok()).collect();
    Some((Duration::from_millis(limit.parse().ok()?), addresses?))
}

fn line(address: SocketAddr, limit: Duration) -> io::Result<String> {
    let server = TcpStream::connect_timeout(&address, limit)?;
    server.set_read_timeout(Some(limit))?;
    let mut line = String::new();
    BufReader::new(server).read_line(&mut line)?;
    Ok(if line.is_empty() { "closed".to_owned() } else { line.trim_end().to_owned() })
}
