//! Numbers of the socket interface, with the names that the manual pages give them.

use nix::errno::Errno;

use super::calls::ERESTART_RESTARTBLOCK;

/// A name from a list, or the number.
fn named(number: i32, names: &[(i32, &str)]) -> String {
    let known = names.iter().find(|(known, _)| *known == number);
    known.map_or_else(|| number.to_string(), |(_, name)| (*name).to_owned())
}

pub(super) fn family(number: i32) -> String {
    named(
        number,
        &[
            (libc::AF_UNIX, "AF_UNIX"),
            (libc::AF_INET, "AF_INET"),
            (libc::AF_INET6, "AF_INET6"),
            (libc::AF_NETLINK, "AF_NETLINK"),
        ],
    )
}

pub(super) fn kind(number: i32) -> String {
    named(
        number & !(libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC),
        &[
            (libc::SOCK_STREAM, "SOCK_STREAM"),
            (libc::SOCK_DGRAM, "SOCK_DGRAM"),
            (libc::SOCK_RAW, "SOCK_RAW"),
        ],
    )
}

pub(super) fn level(number: i32) -> String {
    named(
        number,
        &[
            (libc::SOL_SOCKET, "SOL_SOCKET"),
            (libc::IPPROTO_TCP, "IPPROTO_TCP"),
            (libc::IPPROTO_IP, "IPPROTO_IP"),
            (libc::IPPROTO_IPV6, "IPPROTO_IPV6"),
        ],
    )
}

pub(super) fn option(level: i32, number: i32) -> String {
    let names: &[(i32, &str)] = match level {
        libc::SOL_SOCKET => &[
            (libc::SO_REUSEADDR, "SO_REUSEADDR"),
            (libc::SO_REUSEPORT, "SO_REUSEPORT"),
            (libc::SO_TYPE, "SO_TYPE"),
            (libc::SO_ERROR, "SO_ERROR"),
            (libc::SO_SNDBUF, "SO_SNDBUF"),
            (libc::SO_RCVBUF, "SO_RCVBUF"),
            (libc::SO_SNDLOWAT, "SO_SNDLOWAT"),
            (libc::SO_RCVLOWAT, "SO_RCVLOWAT"),
            (libc::SO_SNDTIMEO, "SO_SNDTIMEO"),
            (libc::SO_RCVTIMEO, "SO_RCVTIMEO"),
            (libc::SO_KEEPALIVE, "SO_KEEPALIVE"),
            (libc::SO_LINGER, "SO_LINGER"),
            (libc::SO_OOBINLINE, "SO_OOBINLINE"),
            (libc::SO_ACCEPTCONN, "SO_ACCEPTCONN"),
            (libc::SO_DOMAIN, "SO_DOMAIN"),
            (libc::SO_PROTOCOL, "SO_PROTOCOL"),
        ],
        libc::IPPROTO_TCP => &[
            (libc::TCP_NODELAY, "TCP_NODELAY"),
            (libc::TCP_CORK, "TCP_CORK"),
            (libc::TCP_SYNCNT, "TCP_SYNCNT"),
            (libc::TCP_DEFER_ACCEPT, "TCP_DEFER_ACCEPT"),
            (libc::TCP_QUICKACK, "TCP_QUICKACK"),
            (libc::TCP_USER_TIMEOUT, "TCP_USER_TIMEOUT"),
        ],
        libc::IPPROTO_IP => &[
            (libc::IP_TTL, "IP_TTL"),
            (libc::IP_MINTTL, "IP_MINTTL"),
            (libc::IP_RECVERR, "IP_RECVERR"),
        ],
        libc::IPPROTO_IPV6 => &[(libc::IPV6_V6ONLY, "IPV6_V6ONLY")],
        _ => &[],
    };
    named(number, names)
}

pub(super) fn command(number: i32) -> String {
    named(
        number,
        &[
            (libc::F_DUPFD, "F_DUPFD"),
            (libc::F_DUPFD_CLOEXEC, "F_DUPFD_CLOEXEC"),
            (libc::F_GETFD, "F_GETFD"),
            (libc::F_SETFD, "F_SETFD"),
            (libc::F_GETFL, "F_GETFL"),
            (libc::F_SETFL, "F_SETFL"),
        ],
    )
}

pub(super) fn operation(number: i32) -> String {
    named(
        number,
        &[
            (libc::EPOLL_CTL_ADD, "EPOLL_CTL_ADD"),
            (libc::EPOLL_CTL_DEL, "EPOLL_CTL_DEL"),
            (libc::EPOLL_CTL_MOD, "EPOLL_CTL_MOD"),
        ],
    )
}

pub(super) fn how(number: i32) -> String {
    named(
        number,
        &[(libc::SHUT_RD, "SHUT_RD"), (libc::SHUT_WR, "SHUT_WR"), (libc::SHUT_RDWR, "SHUT_RDWR")],
    )
}

/// An errno's symbol: `ECONNREFUSED`. Those by which the kernel restarts a call never reach a program, but a witness
/// sees them: include/linux/errno.h.
#[must_use]
pub fn errno_name(number: i32) -> String {
    match number {
        512 => "ERESTARTSYS".to_owned(),
        513 => "ERESTARTNOINTR".to_owned(),
        514 => "ERESTARTNOHAND".to_owned(),
        ERESTART_RESTARTBLOCK => "ERESTART_RESTARTBLOCK".to_owned(),
        _ => match Errno::from_raw(number) {
            Errno::UnknownErrno => format!("errno {number}"),
            errno => format!("{errno:?}"),
        },
    }
}
