//! A network of one's own, where routes can be missing, forbidden or unreachable.
//!
//! The subject is put into a new user namespace and a new network namespace (`user_namespaces(7)`,
//! `network_namespaces(7)`) between fork and exec: no root, no `ip` and no second process. Nothing it
//! sends can leave the machine, so any address may be tried in there.

use std::ffi::CString;
use std::io::{self, ErrorKind};
use std::net::IpAddr;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

/// What the kernel does with a packet to a destination: the type of a route, rtnetlink(7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// A connect fails with `EHOSTUNREACH`.
    Unreachable,
    /// A connect fails with `EACCES`.
    Prohibit,
    /// A connect fails with `EINVAL`: no silent drop, whatever the name says.
    Blackhole,
}

/// A network namespace to be made. A new one has only `lo`, which is down: every connect fails with
/// `ENETUNREACH`: ip-route(8), rtnetlink(7).
#[derive(Debug, Clone, Default)]
pub struct Network {
    loopback: bool,
    routes: Vec<(Route, IpAddr, u8)>,
    local_port: Option<u16>,
}

impl Network {
    /// Nothing but `lo`, and that down.
    #[must_use]
    pub fn bare() -> Self {
        Self::default()
    }

    /// With `lo` up: 127.0.0.0/8 and `::1` work.
    #[must_use]
    pub fn with_loopback() -> Self {
        Self { loopback: true, ..Self::default() }
    }

    /// Adds a route for the network `address/prefix`, where `prefix` is a number of bits.
    #[must_use]
    pub fn route(mut self, kind: Route, address: IpAddr, prefix: u8) -> Self {
        self.routes.push((kind, address, prefix));
        self
    }

    /// Lets the kernel choose one local port only: `ip_local_port_range`, ip(7). A connect from there to
    /// this very port of 127.0.0.1, where nobody listens, is a self-connect.
    #[must_use]
    pub fn only_local_port(mut self, port: u16) -> Self {
        self.local_port = Some(port);
        self
    }

    /// Makes the namespace and puts this process into it, for good. The process must have one thread.
    ///
    /// # Errors
    ///
    /// One of kind `Unsupported`, with a sentence that names the setting, where it is forbidden.
    pub fn enter(&self) -> io::Result<()> {
        self.prepare().enter().map_err(explain)
    }

    /// Everything that [`Prepared::enter`] needs, ready in memory.
    pub(crate) fn prepare(&self) -> Prepared {
        let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
        // Groups cannot be mapped without a privilege unless setgroups(2) is given up first.
        let mut files = vec![
            (c"/proc/self/setgroups".to_owned(), b"deny".to_vec()),
            (c"/proc/self/uid_map".to_owned(), format!("{user} {user} 1\n").into_bytes()),
            (c"/proc/self/gid_map".to_owned(), format!("{group} {group} 1\n").into_bytes()),
        ];
        if let Some(port) = self.local_port {
            let path = c"/proc/sys/net/ipv4/ip_local_port_range".to_owned();
            files.push((path, format!("{port} {port}\n").into_bytes()));
        }
        let routes = self.routes.iter().map(|&(kind, to, prefix)| request(kind, to, prefix));
        Prepared { files, loopback: self.loopback, routes: routes.collect() }
    }
}

/// A namespace's making, prepared so that nothing is allocated between fork and exec.
#[derive(Debug)]
pub(crate) struct Prepared {
    files: Vec<(CString, Vec<u8>)>,
    loopback: bool,
    routes: Vec<Vec<u8>>,
}

impl Prepared {
    /// Puts the calling process, which must have one thread, into the new namespaces. Makes system
    /// calls only.
    pub(crate) fn enter(&self) -> io::Result<()> {
        unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
        for (path, text) in &self.files {
            write_file(path, text)?;
        }
        if self.loopback {
            loopback_up()?;
        }
        for request in &self.routes {
            ask_netlink(request)?;
        }
        Ok(())
    }
}

/// The error of a start in a namespace, as a sentence that names the setting if one forbids it.
pub(crate) fn explain(error: io::Error) -> io::Error {
    let Some(number) = error.raw_os_error() else { return error };
    let errno = Errno::from_raw(number);
    let setting = match errno {
        Errno::EPERM | Errno::EACCES | Errno::ENOSYS | Errno::EINVAL => {
            "kernel.apparmor_restrict_unprivileged_userns must be 0, kernel.unprivileged_userns_clone \
             1 (where they exist), and a container must allow unshare(2)"
        }
        Errno::ENOSPC | Errno::EUSERS => "user.max_user_namespaces is too low",
        Errno::EROFS => "/proc/sys is mounted read-only",
        _ => return error,
    };
    let text = format!("no user and network namespace here: {errno:?}: {setting}");
    io::Error::new(ErrorKind::Unsupported, text)
}

/// An `RTM_NEWROUTE` message for the main table: rtnetlink(7).
fn request(kind: Route, to: IpAddr, prefix: u8) -> Vec<u8> {
    let kind = match kind {
        Route::Unreachable => libc::RTN_UNREACHABLE,
        Route::Prohibit => libc::RTN_PROHIBIT,
        Route::Blackhole => libc::RTN_BLACKHOLE,
    };
    let (family, address) = match to {
        IpAddr::V4(to) => (libc::AF_INET, to.octets().to_vec()),
        IpAddr::V6(to) => (libc::AF_INET6, to.octets().to_vec()),
    };
    let flags = libc::NLM_F_REQUEST | libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_EXCL;
    let small = |number: i32| u16::try_from(number).unwrap_or_default();
    let byte = |number: i32| u8::try_from(number).unwrap_or_default();
    let attribute = 4 + address.len();
    let length = 16 + 12 + attribute;

    // struct nlmsghdr: length, type, flags, sequence number, port.
    let mut message = u32::try_from(length).unwrap_or_default().to_ne_bytes().to_vec();
    message.extend(libc::RTM_NEWROUTE.to_ne_bytes());
    message.extend(small(flags).to_ne_bytes());
    message.extend([0; 8]);
    // struct rtmsg: family, bits of the destination, of the source, TOS, table, who made it,
    // scope, type, flags.
    let table = libc::RT_TABLE_MAIN;
    message.extend([byte(family), prefix, 0, 0, table, libc::RTPROT_STATIC, 0, kind]);
    message.extend([0; 4]);
    // struct rtattr: length, type, the destination.
    message.extend(u16::try_from(attribute).unwrap_or_default().to_ne_bytes());
    message.extend(libc::RTA_DST.to_ne_bytes());
    message.extend(address);
    message
}

fn write_file(path: &CString, text: &[u8]) -> io::Result<()> {
    // SAFETY: the path ends with a NUL byte and lives until open returns.
    let file = unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) };
    let file = Errno::result(file)?;
    // SAFETY: the kernel reads `text.len()` bytes from the slice; the descriptor is open.
    let written = Errno::result(unsafe { libc::write(file, text.as_ptr().cast(), text.len()) });
    // SAFETY: the descriptor was opened above, and nobody else knows it.
    unsafe { libc::close(file) };
    written?;
    Ok(())
}

/// Sets the flag `IFF_UP` of `lo`: netdevice(7).
fn loopback_up() -> io::Result<()> {
    // SAFETY: a structure of plain numbers, for which zero bytes are a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed() as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP).unwrap_or_default();
    // SAFETY: a system call with plain numbers.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    let socket = Errno::result(socket)?;
    // SAFETY: the kernel reads one ifreq from the address, which is ours.
    let done = unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request) };
    let done = Errno::result(done);
    // SAFETY: the descriptor was opened above, and nobody else knows it.
    unsafe { libc::close(socket) };
    done?;
    Ok(())
}

/// Sends one request to the kernel's routing socket and reads its answer: netlink(7).
fn ask_netlink(request: &[u8]) -> io::Result<()> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: a system call with plain numbers.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) };
    let socket = Errno::result(socket)?;
    let mut answer = [0_u8; 256];
    // SAFETY: the kernel reads the request's bytes and writes at most the answer's; both live on.
    let sent = unsafe { libc::send(socket, request.as_ptr().cast(), request.len(), 0) };
    let got = Errno::result(sent).and_then(|_| {
        // SAFETY: the kernel writes at most `answer.len()` bytes to the array, which is ours.
        Errno::result(unsafe { libc::recv(socket, answer.as_mut_ptr().cast(), answer.len(), 0) })
    });
    // SAFETY: the descriptor was opened above, and nobody else knows it.
    unsafe { libc::close(socket) };
    got?;
    // struct nlmsgerr after the header of 16 bytes: zero, or the errno made negative.
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}
