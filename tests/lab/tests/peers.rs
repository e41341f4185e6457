//! The peers by hand: each does what its character says, tells it, obeys its limit and `stop`.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lab::peer::by_hand::{self, Kind, Role};
use lab::peer::{Client, upper};
use lab::wait::{PATIENCE, QUIET};

/// A writer that hands each line on.
struct Lines(Sender<String>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes).trim_end().to_owned();
        self.0.send(line).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A peer on a thread of its own; stopped when it is dropped.
struct Peer {
    lines: Receiver<String>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Peer {
    fn start(kind: Kind, address: SocketAddr, limit: Duration) -> Self {
        let (sender, lines) = mpsc::channel();
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        let run = move || by_hand::run(kind, address, limit, &theirs, &mut Lines(sender));
        Self { lines, stop, thread: Some(thread::spawn(run)) }
    }

    /// A listener on a port of the kernel's choice, and its address from its first line.
    fn listener(kind: Kind) -> (Self, SocketAddr) {
        let peer = Self::start(kind, any_port(), PATIENCE);
        let line = peer.line();
        let address = line.split(' ').find_map(|word| word.trim_end_matches(',').parse().ok());
        (peer, address.unwrap_or_else(|| panic!("an address in {line:?}")))
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line")
    }

    /// Waits for its end: what it told, and how it ended.
    fn finish(mut self) -> (Vec<String>, io::Result<()>) {
        let ended = self.thread.take().expect("one finish").join().expect("no panic");
        (self.lines.iter().collect(), ended)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Runs a client against `upper` to its end: its lines without durations and ports.
fn told_to_upper(kind: Kind, limit: Duration) -> Vec<String> {
    let (_server, address) = Peer::listener(Kind::Upper);
    let (lines, ended) = Peer::start(kind, address, limit).finish();
    ended.unwrap_or_else(|error| panic!("{kind}: {error}; it told {lines:?}"));
    let plain = |line: String| {
        let line = line.replace(&address.to_string(), "ADDRESS");
        line.split(" after ").next().unwrap_or_default().to_owned()
    };
    lines.into_iter().map(plain).collect()
}

#[test]
fn a_name_stands_for_one_kind() {
    for kind in Kind::ALL {
        assert_eq!(kind.name().parse(), Ok(kind));
        assert!(!kind.description().is_empty());
    }
    assert!("plite".parse::<Kind>().is_err());
    let connecting = Kind::ALL.iter().filter(|kind| kind.role() == Role::Connects);
    assert_eq!(connecting.count(), 9);
}

#[test]
fn polite_asks_twice_and_reads_to_the_end() {
    let told = told_to_upper(Kind::Polite, PATIENCE);
    let expected = [
        "polite: connected to ADDRESS",
        r#"polite: sent 6 bytes "hello\n""#,
        r#"polite: got 6 bytes "HELLO\n""#,
        r#"polite: sent 6 bytes "again\n""#,
        r#"polite: got 6 bytes "AGAIN\n""#,
        "polite: half-closed",
        "polite: end of stream, closed",
    ];
    assert_eq!(told, expected);
}

#[test]
fn half_closing_urgent_and_resetting_get_their_replies() {
    let told = told_to_upper(Kind::HalfClosing, PATIENCE);
    assert_eq!(told[2], "half-closing: half-closed");
    assert_eq!(told[3], r#"half-closing: got 12 bytes "HELLO\nAGAIN\n""#);
    let told = told_to_upper(Kind::Urgent, PATIENCE);
    assert_eq!(told[2], r#"urgent: sent 1 urgent byte "!""#);
    assert_eq!(told[4], r#"urgent: got 6 bytes "HELLO\n""#);
    let told = told_to_upper(Kind::Resetting, PATIENCE);
    assert_eq!(told.last().map(String::as_str), Some("resetting: reset the connection (RST)"));
}

#[test]
fn a_reset_reaches_the_server_as_a_reset() {
    let (server, address) = Peer::listener(Kind::Upper);
    let (_, ended) = Peer::start(Kind::Resetting, address, PATIENCE).finish();
    ended.expect("resetting does what it wants");
    assert_eq!(server.line(), "upper: client 1: accepted");
    assert!(server.line().starts_with("upper: client 1: lost after 6 bytes"));
}

#[test]
fn silent_says_nothing_until_its_limit() {
    let told = told_to_upper(Kind::Silent, QUIET);
    let expected = ["silent: connected to ADDRESS", "silent: says nothing", "silent: closed"];
    assert_eq!(told, expected);
}

#[test]
fn flooding_gets_every_byte_that_it_sent() {
    let told = told_to_upper(Kind::Flooding, QUIET);
    let last = told.last().expect("a last line");
    assert!(last.contains("every one right"), "{last}");
}

#[test]
fn late_gets_all_its_bytes_after_the_server_was_blocked() {
    let told = told_to_upper(Kind::Late, PATIENCE);
    assert!(told[2].ends_with("then the server took no more for 1.00 s"), "{told:?}");
    assert_eq!(told[5], "late: got 16777216 bytes, every one right,");
}

#[test]
fn greedy_stays_although_the_server_takes_no_more() {
    let told = told_to_upper(Kind::Greedy, Duration::from_secs(4));
    assert!(told[2].ends_with("then the server took no more for 1.00 s"), "{told:?}");
    assert_eq!(told[4], "greedy: closed, nothing read");
}

#[test]
fn vanishing_leaves_and_the_server_goes_on() {
    let (_server, address) = Peer::listener(Kind::Upper);
    let (told, ended) = Peer::start(Kind::Vanishing, address, PATIENCE).finish();
    ended.expect("vanishing does what it wants");
    assert_eq!(told.last().map(String::as_str), Some("vanishing: closed, nothing read"));
    let mut client = Client::connect(address).expect("the server is there");
    assert_eq!(client.ask(b"still there?").expect("a reply"), upper(b"still there?"));
}

#[test]
fn upper_closes_for_a_client_that_has_closed_before_it_was_accepted() {
    let (server, address) = Peer::listener(Kind::Upper);
    for number in 1..=20 {
        let mut client = Client::connect(address).expect("a listener");
        client.half_close().expect("a connection");
        assert_eq!(client.receive_rest().expect("an end"), b"");
        assert_eq!(server.line(), format!("upper: client {number}: accepted"));
        assert!(server.line().ends_with("end of stream after 0 bytes, closed"));
    }
}

#[test]
fn banner_speaks_first_and_mute_never() {
    let (_server, address) = Peer::listener(Kind::Banner);
    let mut client = Client::connect(address).expect("a listener");
    assert_eq!(client.receive(8).expect("a greeting"), b"welcome\n");
    assert_eq!(client.ask(b"hello").expect("a reply"), b"HELLO");

    let (server, address) = Peer::listener(Kind::Mute);
    let mut client = Client::connect(address).expect("a listener");
    client.send(b"hello").expect("it reads");
    assert_eq!(server.line(), "mute: client 1: accepted");
    assert_eq!(server.line(), "mute: client 1: got 5 bytes, says nothing");
    assert!(client.hears_nothing_for(QUIET).expect("a connection"));
}

#[test]
fn never_accepting_tells_who_waits() {
    let (peer, address) = Peer::listener(Kind::NeverAccepting);
    let _waiting = TcpStream::connect(address).expect("the accept queue has room");
    assert!(peer.line().contains("never accepts"));
    assert!(peer.line().ends_with("a connection waits in the accept queue"));
}

#[test]
fn refusing_refuses_and_a_black_hole_does_not_answer() {
    let (_peer, address) = Peer::listener(Kind::Refusing);
    let (_, ended) = Peer::start(Kind::Polite, address, PATIENCE).finish();
    let error = ended.expect_err("nobody listens").to_string();
    assert_eq!(error, format!("connect {address}: ECONNREFUSED: Connection refused"));

    let (_peer, address) = Peer::listener(Kind::BlackHole);
    let (_, ended) = Peer::start(Kind::Polite, address, QUIET).finish();
    let error = ended.expect_err("no packet arrives").to_string();
    assert_eq!(error, format!("connect {address}: no answer within 200.0 ms"));
}

#[test]
fn a_busy_address_is_an_error_with_its_name() {
    let (_peer, address) = Peer::listener(Kind::Upper);
    let (_, ended) = Peer::start(Kind::Mute, address, PATIENCE).finish();
    let error = ended.expect_err("the port is taken").to_string();
    assert_eq!(error, format!("bind {address}: EADDRINUSE: Address already in use"));
}

#[test]
fn a_client_that_gets_no_reply_says_so() {
    let (_peer, address) = Peer::listener(Kind::Mute);
    let (_, ended) = Peer::start(Kind::Polite, address, QUIET).finish();
    assert_eq!(ended.expect_err("mute").to_string(), "no reply within 200.0 ms");
}

#[test]
fn every_kind_that_would_stay_ends_soon_after_stop() {
    let (_server, address) = Peer::listener(Kind::Upper);
    let staying = Kind::ALL.into_iter().filter(|kind| {
        kind.role() == Role::Listens
            || matches!(kind, Kind::Silent | Kind::Greedy | Kind::Flooding | Kind::Late)
    });
    for kind in staying {
        let address = if kind.role() == Role::Listens { any_port() } else { address };
        let peer = Peer::start(kind, address, PATIENCE);
        peer.line();
        let start = Instant::now();
        peer.stop.store(true, Ordering::Relaxed);
        peer.finish().1.unwrap_or_else(|error| panic!("{kind}: {error}"));
        // It takes 50 ms at most; a busy machine may need longer, but never up to the limit.
        assert!(start.elapsed() < PATIENCE / 5, "{kind} ended {:?} after stop", start.elapsed());
    }
}

#[test]
fn nobody_listening_to_the_narration_ends_a_peer_quietly() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let start = Instant::now();
    let stop = AtomicBool::new(false);
    by_hand::run(Kind::Upper, any_port(), PATIENCE, &stop, &mut Closed).expect("a quiet end");
    assert!(start.elapsed() < PATIENCE);
}
