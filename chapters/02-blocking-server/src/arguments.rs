//! The arguments of every server, and how a server begins and ends.

use std::convert::Infallible;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use ch01_blocking_connect::CallError;
use clap::Args;

use crate::{Narrator, listen};

/// `[--listen ADDR:PORT] [-v]`, with 127.0.0.1 and `PORT` as the default.
#[derive(Args)]
pub struct ServerArguments<const PORT: u16> {
    /// Where to listen; port 0 lets the kernel choose one
    #[arg(long, value_name = "ADDR:PORT", value_parser = address)]
    #[arg(default_value_t = SocketAddr::from(([127, 0, 0, 1], PORT)))]
    listen: SocketAddr,
    /// Tell on standard error every wait and what it returned
    #[arg(short)]
    verbose: bool,
}

impl<const PORT: u16> ServerArguments<PORT> {
    /// Listens, prints the first line, and hands over to `serve`, which returns only on an error.
    ///
    /// Exit status 1 and one line on standard error when the work fails.
    pub fn run<S>(&self, serve: S) -> ExitCode
    where
        S: FnOnce(&TcpListener, Narrator) -> io::Result<Infallible>,
    {
        let error = match self.begin() {
            Ok(listener) => {
                let Err(error) = serve(&listener, Narrator::new(self.verbose));
                CallError::new("serve", self.listen, error)
            }
            Err(error) => error,
        };
        let _ = writeln!(io::stderr(), "{error}");
        ExitCode::FAILURE
    }

    fn begin(&self) -> Result<TcpListener, CallError> {
        let listener = listen(self.listen)?;
        // Port 0 became a real one: whoever started us learns it from this line.
        let address = listener
            .local_addr()
            .map_err(|error| CallError::new("getsockname", self.listen, error))?;
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "listening on {address}")
            .and_then(|()| stdout.flush())
            .map_err(|error| CallError::new("write", "standard output", error))?;
        Ok(listener)
    }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "write a numeric address and a port: 127.0.0.1:7000 or [::1]:7000")
}
