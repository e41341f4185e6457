//! What the call itself returns, and what becomes of the descriptor.

use std::ffi::{CStr, CString};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::process;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use lab::ask::{self, wait_for};
use lab::process::Process;
use lab::rig::errno::BROADCAST;
use lab::rig::{BlackHole, RefusingPort, accept_within, min_ttl};
use lab::sockets::{ANY_PORT, listener};
use lab::wait::{self, patience};
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::socket::{SockFlag, accept4};
use socket2::{Domain, SockAddr, Socket, Type};

use super::finished::unix_listener;
use super::{begin, state};
use crate::experiments::answer::{outcome, so_error};
use crate::experiments::child::{Child, child};
use crate::experiments::readiness::expect_readiness;
use crate::experiments::signals::{no_more_ticks, ticks};
use crate::experiments::time::timed;
use crate::seen::Seen;

/// How often a signal comes.
const TICK: Duration = Duration::from_millis(20);

/// C132: fcntl, a flag of socket(2), and what an accepted socket has.
pub(super) fn ways_to_non_blocking(seen: &mut Seen) -> io::Result<()> {
    // Loopback does not say ECONNREFUSED to the call itself, unless the call waits for it.
    let refusing = RefusingPort::new()?;
    let by_fcntl = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    seen.expect("O_NONBLOCK of a new socket", is_non_blocking(&by_fcntl)?, false);
    fcntl(&by_fcntl, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    seen.expect("after fcntl(F_SETFL, O_NONBLOCK)", is_non_blocking(&by_fcntl)?, true);
    let answer = outcome(by_fcntl.connect(&refusing.address().into()));
    seen.says("connect of that socket, to a port where nobody listens", &answer, "EINPROGRESS");

    let by_flag = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
    seen.expect("O_NONBLOCK after socket(SOCK_NONBLOCK)", is_non_blocking(&by_flag)?, true);
    let answer = outcome(by_flag.connect(&refusing.address().into()));
    seen.says("connect of that socket", &answer, "EINPROGRESS");

    let listener = listener()?;
    listener.set_nonblocking(true)?;
    let _ours = begin(listener.local_addr()?)?;
    let accepted = accept_within(&listener, patience())?;
    let did = "O_NONBLOCK of a socket accepted from a non-blocking listener";
    seen.expect(did, is_non_blocking(&accepted)?, false);

    let _another = begin(listener.local_addr()?)?;
    wait_for(&listener, Events::IN)?;
    let accepted = accept4(listener.as_raw_fd(), SockFlag::SOCK_NONBLOCK)?;
    // SAFETY: the kernel has just opened it for us, and nobody else knows it.
    let accepted = unsafe { OwnedFd::from_raw_fd(accepted) };
    seen.expect("the same from accept4(SOCK_NONBLOCK)", is_non_blocking(&accepted)?, true);
    Ok(())
}

/// C137: a time limit on sending is one on connect, too; and a signal ends the call.
pub(super) fn ends_early(seen: &mut Seen) -> io::Result<()> {
    let limit = Duration::from_millis(50);
    let hole = BlackHole::new()?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_write_timeout(Some(limit))?;
    let (answer, took) = timed(|| outcome(socket.connect(&hole.address().into())));
    let did = "blocking connect with SO_SNDTIMEO of 50 ms, no answer";
    seen.says(did, &answer, "EINPROGRESS");
    // The kernel counts this limit in clock ticks, which may come late and then fast.
    let fits = took >= limit / 2;
    seen.require("it returned after", lab::shown::duration(took), "about 50 ms or more", fits);
    seen.expect("O_NONBLOCK of that socket", is_non_blocking(&socket)?, false);
    state(seen, "its state: the attempt goes on", &socket, "SYN_SENT")?;

    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    ticks(TICK, false)?;
    let answer = outcome(socket.connect(&hole.address().into()));
    no_more_ticks()?;
    seen.says("blocking connect without a limit, and a signal with a handler", &answer, "EINTR");
    state(seen, "its state then", &socket, "SYN_SENT")?;
    Ok(())
}

/// C142: the two return values.
pub(super) fn returns_0_or_errno(seen: &mut Seen) -> io::Result<()> {
    let good = listener()?;
    let refusing = RefusingPort::new()?;
    for (name, to, value, errno) in [
        ("a listener", good.local_addr()?, 0, "0"),
        ("a port where nobody listens", refusing.address(), -1, "ECONNREFUSED"),
        ("127.255.255.255, a broadcast address", BROADCAST, -1, "ENETUNREACH"),
    ] {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let to = SockAddr::from(to);
        let got = raw_connect(socket.as_raw_fd(), to.as_ptr().cast(), to.len());
        seen.expect(format!("what connect returned, to {name}"), got, value);
        seen.says("and errno", outcome(Errno::result(got)), errno);
    }
    Ok(())
}

/// C143: UDP and Unix sockets connect, too.
pub(super) fn not_only_tcp(seen: &mut Seen) -> io::Result<()> {
    let closed = UdpSocket::bind(ANY_PORT)?;
    let socket = UdpSocket::bind(ANY_PORT)?;
    seen.says("connect of a UDP socket", outcome(socket.connect(closed.local_addr()?)), "0");
    // Connected elsewhere, it takes none of our datagrams: as if nobody had the port.
    closed.connect((Ipv4Addr::LOCALHOST, 9))?;
    socket.send(b"x")?;
    let did = "after one datagram, which nobody takes";
    expect_readiness(seen, did, &socket, "rw-", "OUT|ERR")?;
    socket.set_read_timeout(Some(patience()))?;
    seen.says("recv: what the ICMP message said", outcome(socket.recv(&mut [0])), "ECONNREFUSED");

    let silent = UdpSocket::bind(ANY_PORT)?;
    silent.set_nonblocking(true)?;
    socket.connect(silent.local_addr()?)?;
    let got = outcome(silent.recv(&mut [0]));
    seen.says("connect once more, to another: recv there", got, "EAGAIN");
    socket.send(b"x")?;
    wait_for(&silent, Events::IN)?;
    seen.says("after one datagram: recv there", outcome(silent.recv(&mut [0])), "0");

    let (_listener, address) = unix_listener("not-only-tcp")?;
    let unix = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    seen.says("connect of a Unix socket", outcome(unix.connect(&address)), "0");
    Ok(())
}

/// C144: a signal ends the call and not the attempt.
pub(super) fn interrupted(seen: &mut Seen) -> io::Result<()> {
    let meeting = Meeting::new()?;
    ticks(TICK, false)?;
    let answer = meeting.connect();
    no_more_ticks()?;
    seen.says(
        "blocking connect, and a signal with a handler, without SA_RESTART",
        &answer,
        "EINTR",
    );
    seen.says("SO_ERROR", so_error(&meeting.caller)?, "0");
    state(seen, "the state: the attempt goes on", &meeting.caller, "SYN_SENT")?;
    meeting.caller.set_nonblocking(true)?;
    seen.says("connect on the same socket, made non-blocking", meeting.connect(), "EALREADY");
    meeting.caller.set_nonblocking(false)?;
    let peer = meeting.answer_when(|| Ok(()))?;
    seen.says(
        "connect on the same socket, blocking again; the peer answers now",
        meeting.connect(),
        "0",
    );
    seen.says("connect once more", meeting.connect(), "EISCONN");
    seen.says("the peer", peer.end()?, "exit 0");

    let meeting = Meeting::new()?;
    ticks(TICK, false)?;
    let answer = meeting.connect();
    no_more_ticks()?;
    seen.says("the same again, interrupted", &answer, "EINTR");
    let peer = meeting.answer_when(|| Ok(()))?;
    let saw = ask::poll(&meeting.caller, Events::OUT, patience())?;
    seen.says("poll for OUT instead of a second connect", saw, "OUT");
    seen.says("SO_ERROR", so_error(&meeting.caller)?, "0");
    seen.says("the peer", peer.end()?, "exit 0");

    let meeting = Meeting::new()?;
    let (mut told, tell) = io::pipe()?;
    TELL.store(tell.as_raw_fd(), Ordering::Relaxed);
    let peer = meeting.answer_when(|| {
        // What was told before the call slept does not count.
        while !ask::poll(&told, Events::IN, Duration::ZERO)?.is_empty() {
            io::Read::read(&mut told, &mut [0; 64])?;
        }
        wait_for(&told, Events::IN).map(drop)
    })?;
    ticks(TICK, true)?;
    tell_of_ticks()?;
    let answer = meeting.connect();
    no_more_ticks()?;
    let did = "blocking connect with SA_RESTART; the peer answers after a signal was handled";
    seen.says(did, &answer, "0");
    seen.says("the peer", peer.end()?, "exit 0");

    let hole = BlackHole::new()?;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_write_timeout(Some(patience()))?;
    ticks(TICK, true)?;
    let answer = outcome(socket.connect(&hole.address().into()));
    no_more_ticks()?;
    seen.says("blocking connect with SA_RESTART and SO_SNDTIMEO of 10 s", &answer, "EINTR");
    Ok(())
}

/// Where the handler of [`tell_of_ticks`] writes.
static TELL: AtomicI32 = AtomicI32::new(-1);

/// From now on the signal's handler, with `SA_RESTART`, writes a byte to [`TELL`].
fn tell_of_ticks() -> io::Result<()> {
    extern "C" fn tell(_signal: libc::c_int) {
        // SAFETY: write(2) is allowed in a handler; one byte of a constant is read.
        unsafe { libc::write(TELL.load(Ordering::Relaxed), c"x".as_ptr().cast(), 1) };
    }
    let action = SigAction::new(SigHandler::Handler(tell), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler makes one system call and keeps nothing.
    unsafe { sigaction(Signal::SIGALRM, &action) }?;
    Ok(())
}

/// Two bound sockets. The first connects to the second, blocking, and hears nothing until the second
/// connects to it: a simultaneous open, RFC 9293, section 3.5.
struct Meeting {
    caller: Socket,
    other: Socket,
}

impl Meeting {
    fn new() -> io::Result<Self> {
        let bound = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
            socket.bind(&ANY_PORT.into())?;
            Ok::<_, io::Error>(socket)
        };
        let (caller, other) = (bound()?, bound()?);
        min_ttl::drop_all(&caller)?;
        Ok(Self { caller, other })
    }

    /// The caller's connect.
    fn connect(&self) -> String {
        outcome(self.other.local_addr().and_then(|to| self.caller.connect(&to)))
    }

    /// A child that lets the connect succeed when this process sleeps and `then` has returned.
    fn answer_when(&self, mut then: impl FnMut() -> io::Result<()>) -> io::Result<Child> {
        let parent = Process(process::id());
        child(|| {
            let asleep = || parent.state().is_ok_and(|state| state == 'S');
            let done = wait::until("the caller sleeps", asleep)
                .and_then(|()| then())
                .and_then(|()| min_ttl::accept_all(&self.caller))
                .and_then(|()| self.other.connect(&self.caller.local_addr()?));
            u8::from(done.is_err())
        })
    }
}

/// C145: each of the three arguments, wrong.
pub(super) fn parameters(seen: &mut Seen) -> io::Result<()> {
    let good = listener()?;
    let to = SockAddr::from(good.local_addr()?);
    let (address, length) = (to.as_ptr().cast(), to.len());
    let ask = |fd: RawFd, address, length| outcome(Errno::result(raw_connect(fd, address, length)));
    let socket = || Socket::new(Domain::IPV4, Type::STREAM, None);
    seen.says(
        "connect(socket, address, its size)",
        ask(socket()?.as_raw_fd(), address, length),
        "0",
    );
    let got = ask(socket()?.as_raw_fd(), address, length - 1);
    seen.says("with a size that is too small by one", &got, "EINVAL");
    let got = ask(socket()?.as_raw_fd(), std::ptr::null(), length);
    seen.says("with a null pointer", &got, "EFAULT");
    let six = SockAddr::from(SocketAddr::from(([0_u16, 0, 0, 0, 0, 0, 0, 1], 9)));
    let got = ask(socket()?.as_raw_fd(), six.as_ptr().cast(), six.len());
    seen.says("an IPv4 socket with an address of IPv6", &got, "EAFNOSUPPORT");
    let (reader, _writer) = io::pipe()?;
    seen.says("with a pipe", ask(reader.as_raw_fd(), address, length), "ENOTSOCK");
    seen.says("with a descriptor that is not open", ask(-1, address, length), "EBADF");
    Ok(())
}

/// C155: the numbers are this architecture's, the symbols are everybody's.
pub(super) fn numbers(seen: &mut Seen) -> io::Result<()> {
    let refusing = RefusingPort::new()?;
    // Linux has other numbers where it follows an older system: on MIPS, SPARC, Alpha, PA-RISC.
    let same = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));
    for (did, to, symbol, number) in [
        ("a port where nobody listens", refusing.address(), Errno::ECONNREFUSED, 111),
        ("a broadcast address", BROADCAST, Errno::ENETUNREACH, 101),
    ] {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        let error = socket.connect(&to.into()).err();
        let saw = error.as_ref().and_then(io::Error::raw_os_error).unwrap_or_default();
        let did = format!("connect to {did}, {symbol:?}: the number");
        seen.expect(did, saw, if same { number } else { symbol as i32 });
    }
    let timed_out = Errno::ETIMEDOUT as i32;
    seen.expect("ETIMEDOUT: the number", timed_out, if same { 110 } else { timed_out });
    let mut known = Vec::new();
    for errno in [
        Errno::ECONNREFUSED,
        Errno::ENETUNREACH,
        Errno::ETIMEDOUT,
        Errno::EHOSTUNREACH,
        Errno::EINPROGRESS,
        Errno::EALREADY,
        Errno::EISCONN,
    ] {
        let did = format!("{errno:?}, here on {}", std::env::consts::ARCH);
        seen.note(did, format!("{}, {:?}", errno as i32, errno.desc()));
        known.push(errno as i32);
    }
    known.sort_unstable();
    known.dedup();
    seen.expect("different numbers among these seven", known.len(), 7);
    Ok(())
}

/// C156: the source text's function, its logic made anew: whoever fails does not close.
pub(super) fn leaks(seen: &mut Seen) -> io::Result<()> {
    const ATTEMPTS: usize = 50;
    let refusing = RefusingPort::new()?;
    let open = || Process(process::id()).descriptors();

    let before = open()?;
    for _ in 0..ATTEMPTS {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        // Refused; the owner's end closes the socket.
        let _ = socket.connect(&refusing.address().into());
    }
    let did = format!("descriptors left open by {ATTEMPTS} failed connects, where an owner closes");
    seen.expect(did, open()? - before, 0);

    let before = open()?;
    for _ in 0..ATTEMPTS {
        never_closing(refusing.address());
    }
    let did = format!("the same with a function that returns -1 without close, {ATTEMPTS} times");
    seen.expect(did, open()? - before, ATTEMPTS);

    // Let the limit be near, and go on.
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let near = u64::try_from(open()? + 5).map_err(io::Error::other)?;
    setrlimit(Resource::RLIMIT_NOFILE, near, hard)?;
    let mut failed = Errno::ECONNREFUSED;
    for _ in 0..ATTEMPTS {
        let returned = never_closing(refusing.address());
        // Read at once, as the source text's caller does not.
        failed = Errno::last();
        if returned != -1 || failed != Errno::ECONNREFUSED {
            break;
        }
    }
    seen.says("what -1 stands for when descriptors have run out", format!("{failed:?}"), "EMFILE");

    seen.expect("inet_pton(\"localhost\"): no name is looked up", inet_pton_v4(c"localhost"), 0);
    seen.expect("inet_pton(\"127.0.0.1\")", inet_pton_v4(c"127.0.0.1"), 1);
    Ok(())
}

/// A descriptor, or -1: and then nobody knows the socket any more.
fn never_closing(to: SocketAddr) -> RawFd {
    let Ok(socket) = Socket::new(Domain::IPV4, Type::STREAM, None) else { return -1 };
    let done = socket.connect(&to.into());
    let fd = socket.into_raw_fd();
    if done.is_ok() { fd } else { -1 }
}

/// inet_pton(3) for IPv4: 1 an address, 0 none.
fn inet_pton_v4(text: &CStr) -> libc::c_int {
    unsafe extern "C" {
        fn inet_pton(
            family: libc::c_int,
            text: *const libc::c_char,
            address: *mut libc::c_void,
        ) -> libc::c_int;
    }
    let text = CString::from(text);
    let mut address = libc::in_addr { s_addr: 0 };
    // SAFETY: the text ends with a NUL byte; the function writes at most one in_addr, which is ours.
    unsafe { inet_pton(libc::AF_INET, text.as_ptr(), (&raw mut address).cast()) }
}

fn is_non_blocking(socket: &impl AsFd) -> io::Result<bool> {
    let flags = fcntl(socket, FcntlArg::F_GETFL)?;
    Ok(OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
}

/// connect(2) with just these arguments: 0 or -1.
fn raw_connect(fd: RawFd, address: *const libc::sockaddr, length: libc::socklen_t) -> libc::c_int {
    // SAFETY: the kernel itself checks the address, reads at most `length` bytes, and keeps nothing.
    unsafe { libc::connect(fd, address, length) }
}
