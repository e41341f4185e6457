//! The time runs from the beginning of a connection, whatever its client says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use ch02_blocking_server::{Accepted, Acceptor, BUFFER, Narrator, ServerArguments, answer};
use clap::Parser;
use nix::errno::Errno;
use nix::sys::select::{FD_SETSIZE, FdSet, select};
use nix::sys::time::{TimeVal, TimeValLike};

/// Serves many clients, and none that is silent.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments<7003>,
    /// How long a client may be silent, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 10_000)]
    idle: u32,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let idle = Duration::from_millis(arguments.idle.into());
    arguments.server.run(|listener, narrator| serve(listener, narrator, idle))
}

struct Client {
    stream: TcpStream,
    /// It is sent away if it has said nothing by then.
    deadline: Instant,
}

fn serve(listener: &TcpListener, narrator: Narrator, idle: Duration) -> io::Result<Infallible> {
    let mut acceptor = Acceptor::new(listener, FD_SETSIZE as u64, narrator)?;
    let mut clients: BTreeMap<RawFd, Client> = BTreeMap::new();
    let mut buffer = [0; BUFFER];
    loop {
        let ready: Vec<RawFd> = {
            let mut readable = FdSet::new();
            let (asked, pause) = acceptor.before_wait();
            for socket in asked.into_iter().chain(clients.values().map(|one| one.stream.as_fd())) {
                readable.insert(socket);
            }
            // The wait ends with the first that is due: a deadline, or the end of a pause.
            let nearest = clients.values().map(|client| client.deadline).min();
            let left = nearest.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let pause = pause.map(|pause| Duration::from_millis(pause.into()));
            let mut limit = left.into_iter().chain(pause).min().map(rounded_up);
            match select(None, &mut readable, None, None, limit.as_mut()) {
                Err(Errno::EINTR) => continue,
                woken => woken?,
            };
            readable.fds(None).map(|fd| fd.as_raw_fd()).collect()
        };
        for fd in ready {
            if fd == listener.as_raw_fd() {
                if let Accepted::Client(stream) = acceptor.accept()? {
                    let deadline = Instant::now() + idle;
                    clients.insert(stream.as_raw_fd(), Client { stream, deadline });
                }
            } else if let Some(client) = clients.get_mut(&fd) {
                match answer(&client.stream, &mut buffer) {
                    Ok(1..) => continue,
                    Ok(0) => {}
                    Err(error) => narrator.client_lost(&error),
                }
                clients.remove(&fd);
                acceptor.resume();
            }
        }
        // After those who have spoken: however late we are, they are not silent.
        let (now, before) = (Instant::now(), clients.len());
        clients.retain(|_, client| client.deadline > now);
        if clients.len() < before {
            acceptor.resume();
        }
    }
}

/// In the milliseconds of a time limit. Rounded down, the last of them would be spent turning round.
fn rounded_up(left: Duration) -> TimeVal {
    let milliseconds = left.as_nanos().div_ceil(1_000_000);
    TimeVal::milliseconds(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}
