//! What this machine allows, tried for real or read from its settings.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

use crate::namespace::{self, Network};
use crate::need::{BACKLOG, DESCRIPTORS, Need};
use crate::subject::Launch;

/// Is it allowed here? Tried for real, once in this process.
///
/// # Errors
///
/// One of [`Need::missing`] with the setting which forbids it; another one when that could not be found
/// out.
pub fn look(need: Need) -> io::Result<()> {
    /// The sentence, and whether the machine forbids it.
    type Looked = Result<(), (String, bool)>;
    static LOOKED: [OnceLock<Looked>; Need::ALL.len()] =
        [const { OnceLock::new() }; Need::ALL.len()];
    let looked = LOOKED[need as usize].get_or_init(|| {
        tried(need).map_err(|error| (error.to_string(), Need::of(&error) == Some(need)))
    });
    match looked {
        Ok(()) => Ok(()),
        Err((why, true)) => Err(need.missing(why)),
        Err((why, false)) => {
            let text = format!("cannot see whether there is {} here: {why}", need.name());
            Err(io::Error::other(text))
        }
    }
}

fn tried(need: Need) -> io::Result<()> {
    let forbidden = |why: String| need.missing(why);
    match need {
        Need::UserNamespaces => network(),
        Need::Ptrace => witness(),
        Need::Descriptors => descriptors(DESCRIPTORS).map_err(forbidden),
        // How many it takes is seen by who takes them.
        Need::Threads => Ok(()),
        Need::Ipv6 => loopback(Ipv6Addr::LOCALHOST).map_err(|error| {
            let none = [libc::EADDRNOTAVAIL, libc::EAFNOSUPPORT].map(Some);
            if !none.contains(&error.raw_os_error()) {
                return error;
            }
            forbidden(format!(
                "no ::1 here ({error}): sysctl net.ipv6.conf.lo.disable_ipv6 must be 0"
            ))
        }),
        Need::Backlog => backlog(BACKLOG).map_err(forbidden),
        Need::LowPorts => low_ports().map_err(forbidden),
    }
}

/// Can the witness follow a program here?
///
/// # Errors
///
/// [`Need::Ptrace`] with the setting which forbids it; or what else has failed.
pub fn witness() -> io::Result<()> {
    Launch::new("/bin/sh").arg("-c").arg(":").witnessed().start()?.exit_status().map(drop)
}

/// Can a network of one's own be made here, with a router and with every packet captured?
///
/// # Errors
///
/// [`Need::UserNamespaces`] with the setting which forbids it; or what else has failed.
pub fn network() -> io::Result<()> {
    let network = Network::with_loopback().beside_router().captured();
    // What comes out of the child is not taken: it goes with the network.
    let (prepared, _handed_over) = network.prepare()?;
    in_a_child(|| prepared.enter()).map_err(namespace::explain)
}

/// May this process have so many descriptors? Only the hard limit counts: the soft one can be raised.
///
/// # Errors
///
/// A sentence that names the limit.
pub fn descriptors(count: u64) -> Result<(), String> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|errno| errno.to_string())?;
    if hard >= count {
        return Ok(());
    }
    Err(format!(
        "the hard limit of descriptors is {hard}, and {count} are needed: `ulimit -Hn {count}`"
    ))
}

/// Does the kernel keep so many connections for a listener that asks for more? listen(2)
///
/// # Errors
///
/// A sentence that names the setting.
pub fn backlog(count: u32) -> Result<(), String> {
    let largest = setting("net/core/somaxconn")?;
    if largest >= count {
        return Ok(());
    }
    Err(format!("net.core.somaxconn is {largest}, and {count} are needed"))
}

/// Is there a port that needs a privilege?
///
/// # Errors
///
/// A sentence that names the setting.
pub fn low_ports() -> Result<(), String> {
    match setting("net/ipv4/ip_unprivileged_port_start")? {
        // Port 0 stands for one of the kernel's choice.
        0 | 1 => Err("net.ipv4.ip_unprivileged_port_start: every port is free to bind".to_owned()),
        _ => Ok(()),
    }
}

/// A number in `/proc/sys`.
fn setting(name: &str) -> Result<u32, String> {
    let text = fs::read_to_string(format!("/proc/sys/{name}"));
    let text = text.map_err(|error| format!("/proc/sys/{name}: {error}"))?;
    text.trim().parse().map_err(|error| format!("/proc/sys/{name}: {error}"))
}

/// Can a connection be made to `address`, whose port the kernel chooses?
///
/// # Errors
///
/// What bind(2), listen(2) or connect(2) says: `EADDRNOTAVAIL` where there is no such address.
pub fn loopback(address: impl Into<std::net::IpAddr>) -> io::Result<()> {
    let listener = TcpListener::bind(SocketAddr::new(address.into(), 0))?;
    TcpStream::connect_timeout(&listener.local_addr()?, crate::wait::patience()).map(drop)
}

/// Does `attempt` in a child process, so that it changes nothing here; returns its errno.
///
/// `attempt` may make system calls only: no memory is allocated between fork and exit.
pub(crate) fn in_a_child(attempt: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    // SAFETY: the child makes system calls only and leaves with _exit(2).
    let child = match unsafe { fork() }? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            let status = attempt().map_or_else(|error| error.raw_os_error().unwrap_or(-1), |()| 0);
            // SAFETY: ends the process at once, without running anything of ours.
            unsafe { libc::_exit(status) }
        }
    };
    // __WNOTHREAD: only this thread's children, so that nobody else's are taken.
    match waitpid(child, Some(WaitPidFlag::__WNOTHREAD))? {
        WaitStatus::Exited(_, 0) => Ok(()),
        WaitStatus::Exited(_, errno) => Err(io::Error::from_raw_os_error(errno)),
        other => Err(io::Error::other(format!("the child ended unexpectedly: {other:?}"))),
    }
}
