//! It leaves it to the kernel to give up: two minutes and more.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;

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
        let answer = TcpStream::connect(address);
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
