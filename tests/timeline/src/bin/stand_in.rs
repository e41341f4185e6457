//! For the tests of this package: one of the lab's listeners, by name, on a port of the kernel's choice. A
//! line of sh makes of its narration what a lesson's server prints.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lab::peer::by_hand;

/// Longer than any test lasts.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let never = AtomicBool::new(false);
    let peer = by_hand::named(&name);
    match peer.and_then(|peer| peer.run(any, LIMIT, &never, &mut io::stdout())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "stand-in {name}: {error}");
            ExitCode::FAILURE
        }
    }
}
