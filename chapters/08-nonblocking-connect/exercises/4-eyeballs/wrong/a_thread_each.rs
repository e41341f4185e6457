//! A thread for each address, which sleeps for its head start and then connects.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((head_start, limit, addresses)) = understood(&arguments) else {
        eprintln!("write: eyeballs HEAD_START_MS LIMIT_MS ADDR:PORT...");
        return ExitCode::from(2);
    };
    let told = first_answer(&addresses, head_start, limit).and_then(|winner| {
        let Some(winner) = winner else { return Ok(false) };
        writeln!(io::stdout(), "{winner}").map(|()| true)
    });
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("nobody has answered");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("eyeballs: {error}");
            ExitCode::FAILURE
        }
    }
}

fn understood(arguments: &[String]) -> Option<(Duration, Duration, Vec<SocketAddr>)> {
    let [head_start, limit, addresses @ ..] = arguments else { return None };
    let milliseconds = |text: &String| Some(Duration::from_millis(text.parse().ok()?));
    let addresses: Option<Vec<_>> = addresses.iter().map(|text| text.parse().ok()).collect();
    Some((milliseconds(head_start)?, milliseconds(limit)?, addresses?))
}

fn first_answer(
    addresses: &[SocketAddr],
    head_start: Duration,
    limit: Duration,
) -> io::Result<Option<SocketAddr>> {
    let (tell, told) = mpsc::channel();
    for (before, &address) in (0..).zip(addresses) {
        let tell = tell.clone();
        thread::spawn(move || {
            thread::sleep(head_start * before);
            if TcpStream::connect_timeout(&address, limit).is_ok() {
                let _ = tell.send(address);
            }
        });
    }
    drop(tell);
    Ok(told.recv_timeout(limit).ok())
}
