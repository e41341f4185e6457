//! The checks of the laboratory's rigs: each gives exactly what its documentation says.

use std::io::{self, Read, Write};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use lab::ask::{EVERYTHING, InSets, Question, Watch, poll, select};
use lab::need::Need;
use lab::process::Process;
use lab::rig::{BlackHole, FullQueue, Pending, RefusingPort, errno, min_ttl, small};
use lab::sockets::{arrived, unread, unsent};
use lab::wait::{QUIET, patience};
use lab::witness::bits::Events;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use socket2::{Domain, SockRef, Socket, Type};

/// How often a rig that has to be reliable is made.
const ROUNDS: usize = 300;

/// What poll(2) reports for the socket within `bound`, asked for readable and writable.
fn events(socket: &impl AsRawFd, bound: Duration) -> Events {
    poll(socket, Events::IN | Events::OUT, bound).expect("poll")
}

fn symbol(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or_default())
}

fn so_error(socket: &impl AsFd) -> Option<Errno> {
    SockRef::from(socket).take_error().expect("getsockopt").map(|error| symbol(&error))
}

/// A non-blocking connect that has begun.
fn begin(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("socket");
    socket.set_nonblocking(true).expect("O_NONBLOCK");
    let error = socket.connect(&address.into()).expect_err("a connect in progress");
    assert_eq!(symbol(&error), Errno::EINPROGRESS);
    socket
}

/// A recipe that must give `expected` in every round.
fn gives(expected: Errno, rounds: usize, recipe: fn() -> io::Result<io::Error>) {
    for round in 0..rounds {
        let error = recipe().unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(symbol(&error), expected, "round {round}: {error}");
    }
}

#[test]
fn a_pending_connect_reports_nothing_until_it_is_completed() {
    for round in 0..ROUNDS {
        let pending = Pending::new().expect("pending");
        assert!(events(&pending, Duration::ZERO).is_empty(), "round {round}");
        let peer = pending.complete().expect("complete");
        assert_eq!(events(&pending, patience()), Events::OUT, "round {round}");
        assert_eq!(so_error(&pending), None, "round {round}");
        // A connection in both directions.
        assert_eq!(pending.socket().send(b"a").expect("send"), 1);
        peer.socket().send(b"b").expect("send");
        let mut byte = [0];
        peer.socket().read_exact(&mut byte).expect("read");
        assert_eq!(byte, *b"a");
        assert!(events(&pending, patience()).contains(Events::IN));
        pending.socket().read_exact(&mut byte).expect("read");
        assert_eq!(byte, *b"b");
    }
}

#[test]
fn a_pending_connect_stays_pending() {
    let pending = Pending::new().expect("pending");
    assert!(events(&pending, QUIET).is_empty());
    assert_eq!(so_error(&pending), None);
}

#[test]
fn a_pending_connect_fails_late_when_told_to() {
    for round in 0..ROUNDS {
        let pending = Pending::new().expect("pending");
        pending.fail().expect("fail");
        let expected = Events::OUT | Events::ERR | Events::HUP;
        assert_eq!(events(&pending, patience()), expected, "round {round}");
        assert_eq!(so_error(&pending), Some(Errno::ECONNRESET), "round {round}");
    }
}

#[test]
fn a_pending_connect_can_be_completed_and_reset() {
    for round in 0..ROUNDS {
        let socket = Pending::new().and_then(Pending::complete_and_reset).expect("reset");
        let ended = Events::IN | Events::OUT | Events::ERR | Events::HUP;
        let start = Instant::now();
        let mut came = events(&socket, patience());
        while came != ended && start.elapsed() < patience() {
            // Connected first, and reset an instant later.
            came = events(&socket, patience());
        }
        assert_eq!(came, ended, "round {round}");
        assert_eq!(so_error(&socket), Some(Errno::ECONNRESET), "round {round}");
    }
}

#[test]
fn a_black_hole_leaves_a_connect_pending_and_completes_it_when_opened() {
    let hole = BlackHole::new().expect("black hole");
    let socket = begin(hole.address());
    assert!(events(&socket, QUIET).is_empty());
    let listener = hole.open().expect("open");
    assert_eq!(events(&socket, patience()), Events::OUT);
    assert_eq!(so_error(&socket), None);
    listener.accept().expect("accept");
}

#[test]
fn a_black_hole_can_refuse_late() {
    let hole = BlackHole::new().expect("black hole");
    let socket = begin(hole.address());
    assert!(events(&socket, QUIET).is_empty());
    let _port = hole.refuse().expect("refuse");
    assert!(events(&socket, patience()).contains(Events::ERR));
    assert_eq!(so_error(&socket), Some(Errno::ECONNREFUSED));
}

#[test]
fn a_black_hole_works_on_ipv6_where_there_is_ipv6() {
    match BlackHole::at((Ipv6Addr::LOCALHOST, 0).into()) {
        Ok(hole) => assert!(events(&begin(hole.address()), QUIET).is_empty()),
        Err(error) => {
            let none = [Errno::EADDRNOTAVAIL, Errno::EAFNOSUPPORT];
            assert!(none.contains(&symbol(&error)), "{error}");
        }
    }
}

#[test]
fn a_rig_refuses_to_leave_loopback() {
    let error = BlackHole::at(([192, 0, 2, 1], 0).into()).expect_err("not loopback");
    assert!(error.to_string().contains("loopback"), "{error}");
}

#[test]
fn data_vanish_until_they_are_accepted_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listener");
    let mut client = TcpStream::connect(listener.local_addr().expect("address")).expect("connect");
    let (mut accepted, _) = listener.accept().expect("accept");
    min_ttl::drop_all(&accepted).expect("IP_MINTTL");
    client.write_all(b"x").expect("write");
    assert_eq!(events(&accepted, QUIET), Events::OUT);
    min_ttl::accept_all(&accepted).expect("IP_MINTTL");
    // The retransmission brings it.
    accepted.set_read_timeout(Some(patience())).expect("SO_RCVTIMEO");
    let mut byte = [0];
    accepted.read_exact(&mut byte).expect("read");
    assert_eq!(byte, *b"x");
}

#[test]
fn a_full_queue_leaves_a_connect_pending() {
    for round in 0..ROUNDS {
        let full = FullQueue::new().expect("full queue");
        assert!(events(&begin(full.address()), Duration::ZERO).is_empty(), "round {round}");
    }
    let full = FullQueue::new().expect("full queue");
    let socket = begin(full.address());
    assert!(events(&socket, QUIET).is_empty());
    let _listener = full.open().expect("open");
    assert_eq!(events(&socket, patience()), Events::OUT);
}

#[test]
fn a_refusing_port_refuses_and_nobody_else_can_have_it() {
    for round in 0..ROUNDS {
        let port = RefusingPort::new().expect("refusing port");
        let error = TcpStream::connect(port.address()).expect_err("refused");
        assert_eq!(symbol(&error), Errno::ECONNREFUSED, "round {round}");
        let error = RefusingPort::at(port.address()).expect_err("taken");
        assert_eq!(symbol(&error), Errno::EADDRINUSE, "round {round}");
    }
}

#[test]
fn small_buffers_are_full_after_a_few_kilobytes() {
    let (client, accepted) = small::connection().expect("small connection");
    for mut stream in [&client, &accepted] {
        stream.set_nonblocking(true).expect("O_NONBLOCK");
        let mut sent = 0;
        let error = loop {
            match stream.write(&[0; 512]) {
                Ok(count) => sent += count,
                Err(error) => break error,
            }
        };
        assert_eq!(symbol(&error), Errno::EAGAIN);
        assert!((1024..64 * 1024).contains(&sent), "{sent} bytes");
    }
    let (_reader, mut writer) = small::pipe().expect("pipe");
    let flags = nix::fcntl::OFlag::O_NONBLOCK;
    nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETFL(flags)).expect("O_NONBLOCK");
    let mut sent = 0;
    while let Ok(count) = writer.write(&[0; 512]) {
        sent += count;
    }
    assert!((4096..=64 * 1024).contains(&sent), "{sent} bytes");
}

#[test]
fn each_recipe_gives_its_errno() {
    gives(Errno::ECONNREFUSED, ROUNDS, errno::connection_refused);
    gives(Errno::ENETUNREACH, ROUNDS, errno::network_unreachable);
    gives(Errno::EADDRNOTAVAIL, ROUNDS, errno::address_not_available);
    gives(Errno::EADDRINUSE, ROUNDS, errno::address_in_use);
    gives(Errno::EINPROGRESS, ROUNDS, errno::in_progress);
    gives(Errno::EALREADY, ROUNDS, errno::already);
    gives(Errno::EISCONN, ROUNDS, errno::is_connected);
    gives(Errno::ECONNABORTED, ROUNDS, errno::connection_aborted);
    gives(Errno::EAGAIN, ROUNDS, errno::try_again);
}

#[test]
fn an_unanswered_connect_times_out() {
    gives(Errno::ETIMEDOUT, 1, errno::timed_out);
}

#[test]
fn a_self_connect_answers_itself() {
    for round in 0..ROUNDS {
        let mut stream = errno::self_connect().expect("self-connect");
        let (ours, theirs) =
            (stream.local_addr().expect("ours"), stream.peer_addr().expect("theirs"));
        assert_eq!(ours, theirs, "round {round}");
        stream.write_all(b"echo").expect("write");
        let mut bytes = [0; 4];
        stream.read_exact(&mut bytes).expect("read");
        assert_eq!(bytes, *b"echo", "round {round}");
    }
}

#[test]
fn an_error_says_which_need_is_missing() {
    let error = Need::Threads.missing("ulimit -u is 5");
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (io::ErrorKind::Unsupported, "ulimit -u is 5")
    );
    assert_eq!(Need::of(&error), Some(Need::Threads));
    // std calls this one unsupported, too; but no setting is behind it.
    let errno = io::Error::from_raw_os_error(nix::libc::ENOSYS);
    assert_eq!((errno.kind(), Need::of(&errno)), (io::ErrorKind::Unsupported, None));
}

#[test]
fn a_question_tells_what_is_from_what_happened() {
    let (reader, mut writer) = io::pipe().expect("pipe");
    let question = Question::before(&reader).expect("a question");
    writer.write_all(b"x").expect("write");
    let report = question.ask();
    let none = Events::default();
    assert_eq!(report.select, Ok(InSets::READ));
    assert_eq!((report.poll, report.unasked), (Ok(Events::IN), Ok(none)));
    assert_eq!(report.level, Ok([Events::IN, Events::IN]));
    assert_eq!(report.edge, Ok([Events::IN, none]));
    // Now it is there already, and nothing happens.
    let report = Question::before(&reader).expect("a question").ask();
    assert_eq!((report.poll, report.edge), (Ok(Events::IN), Ok([none, none])));
    // A registration brings a report of its own.
    let report = Question::at_once(&reader).expect("a question").ask();
    assert_eq!(report.edge, Ok([Events::IN, none]));
}

#[test]
fn select_is_asked_about_any_number_that_is_open() {
    lab::subject::raise_own_descriptor_limit().expect("a limit");
    let (reader, mut writer) = io::pipe().expect("pipe");
    // Beyond what an fd_set holds, and at the edges of a word of its bits.
    for least in [63, 64, 65, 1023, 1024, 1500] {
        let number = fcntl(&reader, FcntlArg::F_DUPFD_CLOEXEC(least)).expect("a high number");
        let asked = |sets| select(&number, sets, Duration::ZERO).expect("select");
        assert!(asked(InSets::ALL).is_empty(), "{number}");
        writer.write_all(b"x").expect("write");
        assert_eq!(asked(InSets::ALL), InSets::READ, "{number}");
        let (mut byte, mut from) = ([0], reader.try_clone().expect("a reader"));
        from.read_exact(&mut byte).expect("read");
        nix::unistd::close(number).expect("close");
    }
    assert_eq!(select(&-1, InSets::ALL, Duration::ZERO), Err(Errno::EBADF));
}

#[test]
fn a_watch_says_what_epoll_says() {
    let watch = Watch::new().expect("epoll");
    let file = std::fs::File::open("/proc/self/exe").expect("a regular file");
    assert_eq!(watch.add(&file, EVERYTHING, 0), Err(Errno::EPERM));
    assert_eq!(watch.add(&-1, EVERYTHING, 0), Err(Errno::EBADF));
    let (reader, mut writer) = io::pipe().expect("pipe");
    assert_eq!(watch.add(&reader, EVERYTHING, 7), Ok(()));
    assert_eq!(watch.add(&reader, EVERYTHING, 7), Err(Errno::EEXIST));
    assert_eq!(watch.report(Duration::ZERO), Ok(Events::empty()));
    writer.write_all(b"x").expect("write");
    assert_eq!(watch.wait(9, Duration::ZERO), Ok(vec![(7, Events::IN)]));
    assert_eq!(watch.modify(&reader, Events::OUT, 8), Ok(()));
    assert_eq!(watch.report(Duration::ZERO), Ok(Events::empty()));
    assert_eq!(watch.modify(&writer, Events::OUT, 8), Err(Errno::ENOENT));
    assert_eq!((watch.delete(&reader), watch.delete(&reader)), (Ok(()), Err(Errno::ENOENT)));
}

#[test]
fn bytes_on_their_way_are_counted() {
    let (mut ours, theirs) = small::connection().expect("a connection");
    assert_eq!(unread(&theirs).expect("ioctl"), 0);
    ours.write_all(b"hello").expect("write");
    arrived(&theirs, 5).expect("bytes");
    assert_eq!(unread(&theirs).expect("ioctl"), 5);
    assert_eq!(unsent(&ours).expect("ioctl"), 0);
}

#[test]
fn a_threads_state_is_told_until_it_has_ended() {
    let this = Process(std::process::id());
    let (tell, told) = std::sync::mpsc::channel();
    let (stay, leave) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        tell.send(nix::unistd::gettid().as_raw().cast_unsigned()).expect("somebody listens");
        // An error, when nobody can send any more.
        let _ = leave.recv();
    });
    let number = told.recv().expect("a thread");
    let state = || this.thread_state(number).expect("a stat file");
    lab::wait::until("it sleeps", || state() == Some('S')).expect("asleep");
    assert!(!this.all_threads_sleep().expect("threads"), "this one runs");
    drop(stay);
    thread.join().expect("it ends");
    lab::wait::until("it has ended", || state().is_none()).expect("gone");
}

#[test]
fn a_stream_without_an_end_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let flooding = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let bytes = vec![b'x'; 1 << 20];
        // Ends when the client has had enough.
        while stream.write_all(&bytes).is_ok() {}
    });
    let mut client = lab::peer::Client::connect(address).expect("a client");
    let error = client.receive_rest().expect_err("there is no end");
    assert!(error.to_string().contains("no end of the stream"), "{error}");
    drop(client);
    flooding.join().expect("it was told");
}
