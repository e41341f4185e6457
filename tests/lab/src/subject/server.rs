//! A subject that serves: it says where it listens.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::sight::NoServer;
use super::{Launch, Running};
use crate::wait;

/// What a server owes whoever started it.
const FIRST_LINE: &str =
    "a server's first line on standard output must be `listening on ADDR:PORT`";

/// How long after the end of its output a program that has ended may still seem to run.
const MOMENT: Duration = Duration::from_secs(1);

/// A message quotes at most so many characters of what a program printed.
const QUOTED: usize = 1000;

/// A subject that has said `listening on ADDR:PORT`.
#[derive(Debug)]
pub struct Server {
    running: Running,
    address: SocketAddr,
}

impl Server {
    /// Starts the server at `path` on a port of the kernel's choice: [`Launch::server`].
    ///
    /// # Errors
    ///
    /// As [`Launch::server`].
    pub fn start(path: impl AsRef<Path>) -> io::Result<Self> {
        Launch::new(path).server()
    }

    /// Takes over a subject that is about to print its first line.
    ///
    /// # Errors
    ///
    /// [`NoServer`], with what came instead.
    pub fn new(mut running: Running) -> io::Result<Self> {
        running.known.serves.store(true, Relaxed);
        match address(&mut running) {
            Ok(address) => Ok(Self { running, address }),
            Err((kind, why)) => match running.standing() {
                Some(standing) => Err(io::Error::new(kind, NoServer { why, standing })),
                None => Err(io::Error::new(kind, why)),
            },
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The address in its first line; or what came instead.
fn address(running: &mut Running) -> Result<SocketAddr, (io::ErrorKind, String)> {
    let wrong = |why: String| (io::ErrorKind::Other, why);
    let line = running.line().map_err(|error| (error.kind(), format!("{error}: {FIRST_LINE}")))?;
    let Some(line) = line else {
        // Its end is told a moment after the end of its output, if it has ended.
        let mut end = None;
        let _ = wait::until_within(MOMENT, "the subject has ended", || {
            end = running.ended().ok().flatten();
            end.is_some()
        });
        let what = end.map_or_else(
            || "it closed its standard output".to_owned(),
            |status| format!("it ended ({status})"),
        );
        return Err(wrong(format!("{what} and said no address: {FIRST_LINE}")));
    };
    let address = line.strip_prefix("listening on ");
    let Some(address) = address.and_then(|text| text.parse::<SocketAddr>().ok()) else {
        let line = beginning(&line);
        return Err(wrong(format!("{FIRST_LINE}; it printed {line:?}")));
    };
    let ip = address.ip().to_canonical();
    // The lab talks to nobody but its own machine, whatever a program says.
    if !(ip.is_loopback() || ip.is_unspecified()) || address.port() == 0 {
        return Err(wrong(format!(
            "it says that it listens on {address}, which is no address of a server on loopback: \
             nobody connects to it; it must listen where --listen says"
        )));
    }
    Ok(address)
}

/// What is quoted of a text that may be endless.
fn beginning(text: &str) -> String {
    let mut quoted: String = text.chars().take(QUOTED).collect();
    if quoted.len() < text.len() {
        quoted.push('\u{2026}');
    }
    quoted
}

impl std::ops::Deref for Server {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl std::ops::DerefMut for Server {
    fn deref_mut(&mut self) -> &mut Running {
        &mut self.running
    }
}
