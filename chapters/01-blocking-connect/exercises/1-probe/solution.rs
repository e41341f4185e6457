//! Which of these addresses are open, closed, silent, or out of reach?

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// How long an address may take.
const LIMIT: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let addresses: Result<Vec<SocketAddr>, _> =
        std::env::args().skip(1).map(|text| text.parse()).collect();
    let addresses = match addresses {
        Ok(addresses) if !addresses.is_empty() => addresses,
        _ => {
            eprintln!("write: probe ADDR:PORT...");
            return ExitCode::from(2);
        }
    };
    let mut all_open = true;
    for address in addresses {
        let answer = TcpStream::connect_timeout(&address, LIMIT);
        all_open &= answer.is_ok();
        match answer {
            Ok(_) => println!("{address} open"),
            Err(error) => match error.kind() {
                ErrorKind::ConnectionRefused => println!("{address} closed"),
                ErrorKind::TimedOut => println!("{address} silent"),
                ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => {
                    println!("{address} no route");
                }
                _ => println!("{address} {error}"),
            },
        }
    }
    if all_open { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
