//! What the kernel's answers mean, and how every program of the course reports one.

#[cfg(not(target_os = "linux"))]
compile_error!("this course is about Linux: use the dev container or WSL2, see README.md");

use std::fmt;
use std::io;

use nix::errno::Errno;

/// A system call that failed: which call, about which address, and the kernel's answer.
///
/// It is shown as one line: `connect 127.0.0.1:9: ECONNREFUSED: Connection refused (nothing
/// listens on that port)`. The sentence in parentheses is there only where it helps.
#[derive(Debug)]
pub struct CallError {
    call: &'static str,
    subject: String,
    error: io::Error,
    meaning: Option<&'static str>,
}

impl CallError {
    /// `error` came from `call` about `subject`, which is an address, a name or a stream.
    pub fn new(call: &'static str, subject: impl fmt::Display, error: io::Error) -> Self {
        Self { call, subject: subject.to_string(), error, meaning: None }
    }

    /// The same for connect(2), with the sentence that [`explain`] has for its errno.
    pub fn connect(address: impl fmt::Display, error: io::Error) -> Self {
        let meaning = explain(&error).map(|explanation| explanation.meaning);
        Self { meaning, ..Self::new("connect", address, error) }
    }

    /// Adds a plain sentence, shown in parentheses.
    #[must_use]
    pub fn meaning(self, meaning: &'static str) -> Self {
        Self { meaning: Some(meaning), ..self }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.call, self.subject, words(&self.error))?;
        self.meaning.map_or(Ok(()), |meaning| write!(f, " ({meaning})"))
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// The errno's symbol and strerror(3)'s words: `ECONNREFUSED: Connection refused`.
///
/// An error that did not come from the kernel has no errno, and is shown as it is.
#[must_use]
pub fn words(error: &io::Error) -> String {
    let Some(number) = error.raw_os_error() else {
        return error.to_string();
    };
    // Rust prints `Connection refused (os error 111)`: the symbol says more than the number.
    let text = error.to_string();
    let text = text.strip_suffix(&format!(" (os error {number})")).unwrap_or(&text);
    format!("{:?}: {text}", Errno::from_raw(number))
}

/// What an errno of connect(2) means, and what a person can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation {
    /// What happened, in one plain sentence without a full stop.
    pub meaning: &'static str,
    /// What a person can try next.
    pub remedy: &'static str,
}

// ANCHOR: explain
/// Explains an error of connect(2), or of the socket(2) before it.
///
/// The errnos are those of connect(2) and, where the manual is silent, of the Linux kernel:
/// `EHOSTUNREACH`, `ECONNRESET`, `ECONNABORTED` and `EINVAL` come from real connects too. `None` for
/// the rare rest, such as the `ENOPROTOOPT` of an ICMP message about a protocol.
#[must_use]
pub fn explain(error: &io::Error) -> Option<Explanation> {
    let (meaning, remedy) = match Errno::from_raw(error.raw_os_error()?) {
        // The kernel asked, and the other machine, or a firewall in its name, answered "no".
        Errno::ECONNREFUSED => (
            "nothing listens on that port",
            "start the server, or check the port; a firewall can answer so too",
        ),
        Errno::ECONNRESET => (
            "the other side reset the connection while it was being made",
            "try again; if it repeats, look at the server's own log",
        ),
        // The other machine has not answered.
        Errno::ETIMEDOUT => (
            "no answer came until the kernel gave up",
            "check the address; a firewall may be dropping the packets; --timeout gives up sooner",
        ),
        Errno::EHOSTUNREACH => (
            "the last router, or this machine, cannot reach that host",
            "check that the host is up and on the network that the address says",
        ),
        Errno::ENETUNREACH => (
            "this machine has no route to that address, or a router on the way has none, or it is a broadcast address",
            "check the address and the routing table: `ip route get ADDRESS`",
        ),
        // This machine could not even try. (`EACCES` can be an answer, too, of an IPv6 router.)
        Errno::ENETDOWN => (
            "the network interface towards that address is down",
            "bring the interface up: `ip link`",
        ),
        Errno::EADDRNOTAVAIL => (
            "no local port is free for that destination, or the local address is not ours",
            "wait until connections in TIME_WAIT are gone, or widen ip_local_port_range",
        ),
        Errno::EADDRINUSE => {
            ("the local address is in use", "let the kernel choose the local port: do not bind")
        }
        Errno::EACCES => (
            "this machine's routing table, a security policy or an IPv6 firewall forbids it, or it is a broadcast address, for UDP",
            "check `ip route get ADDRESS` and the policy, SELinux's for instance",
        ),
        Errno::EPERM => (
            "a policy of this machine forbids it",
            "check the service's or container's rules: a firewall that drops packets is not reported this way",
        ),
        Errno::EINVAL => (
            "the address cannot be a destination from here",
            "check for a blackhole route, or a socket bound to an address of another network",
        ),
        Errno::EAFNOSUPPORT => (
            "this socket cannot use an address of that family",
            "use an IPv4 address with an IPv4 socket, and IPv6 with IPv6",
        ),
        // The connect is under way, or was: the state of the socket, not of the network.
        Errno::EINPROGRESS => (
            "the connect has begun and is not finished",
            "wait until the socket is writable, then read SO_ERROR: chapter 08",
        ),
        Errno::EALREADY => {
            ("an earlier connect on this socket is not finished", "wait for that one: chapter 08")
        }
        Errno::EISCONN => ("this socket is connected already", "use it, or make a new socket"),
        Errno::ECONNABORTED => (
            "an earlier connect on this socket failed, or this one was ended by hand (`ss -K`)",
            "never reuse a socket whose connect failed: make a new one",
        ),
        Errno::EINTR => (
            "a signal woke the process; the kernel goes on connecting a TCP socket",
            "wait until it is finished: it is not a failure (a Unix socket: connect again)",
        ),
        Errno::EAGAIN => (
            "a Unix socket's accept queue is full, or no local port is left",
            "try again later: nothing is pending",
        ),
        // Resources, and mistakes in the program itself.
        Errno::EMFILE => {
            ("this process has no descriptor left", "close some, or raise the limit: `ulimit -n`")
        }
        Errno::ENFILE => ("the machine has no descriptor left", "raise fs.file-max"),
        Errno::ENOBUFS | Errno::ENOMEM => {
            ("the kernel has no memory for it", "close connections, or find what uses the memory")
        }
        Errno::EBADF => ("that number is not an open descriptor", "look for a close too early"),
        Errno::ENOTSOCK => ("that descriptor is not a socket", "look for a mix-up of descriptors"),
        Errno::EFAULT => ("the address lies outside the process's memory", "a bug in the program"),
        Errno::EPROTOTYPE => (
            "the socket at that path is of another type",
            "use a stream socket for a stream, a datagram socket for a datagram",
        ),
        _ => return None,
    };
    Some(Explanation { meaning, remedy })
}
// ANCHOR_END: explain
