//! A thread for each port.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((limit, address, ports)) = understood(&arguments) else {
        eprintln!("write: ports MS ADDR PORT...");
        return ExitCode::from(2);
    };
    match ask_all(address, &ports, limit).and_then(|answers| print(&ports, &answers)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ports {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn understood(arguments: &[String]) -> Option<(Duration, IpAddr, Vec<u16>)> {
    let [limit, address, ports @ ..] = arguments else { return None };
    let ports: Option<Vec<u16>> = ports.iter().map(|port| port.parse().ok()).collect();
    let ports = ports.filter(|ports| !ports.is_empty())?;
    Some((Duration::from_millis(limit.parse().ok()?), address.parse().ok()?, ports))
}

fn print(ports: &[u16], answers: &[String]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for (port, answer) in ports.iter().zip(answers) {
        writeln!(stdout, "{port} {answer}")?;
    }
    stdout.flush()
}

/// `open`, `closed`, or what else the kernel says: the end of a connect, in words.
fn told(error: Option<&io::Error>) -> String {
    match error {
        None => "open".to_owned(),
        Some(error) if error.kind() == ErrorKind::ConnectionRefused => "closed".to_owned(),
        Some(error) => error.to_string(),
    }
}

fn ask_all(address: IpAddr, ports: &[u16], limit: Duration) -> io::Result<Vec<String>> {
    let ask = |port: u16| {
        move || match TcpStream::connect_timeout(&SocketAddr::new(address, port), limit) {
            Err(error) if error.kind() == ErrorKind::TimedOut => "silent".to_owned(),
            done => told(done.err().as_ref()),
        }
    };
    let asked: Vec<_> = ports.iter().map(|&port| thread::spawn(ask(port))).collect();
    Ok(asked.into_iter().map(|asked| asked.join().expect("it does not panic")).collect())
}
