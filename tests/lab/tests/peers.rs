//! The peers by hand: each does what its character says, tells it, obeys its limit and `stop`.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use lab::peer::by_hand::{self, AtWork, PEERS, Peer, Role};
use lab::peer::{Client, upper};
use lab::wait::{QUIET, patience};

/// A peer on a thread.
fn start(name: &str, address: SocketAddr, limit: Duration) -> AtWork {
    named(name).start(address, limit).expect("a thread")
}

/// A listener on a port of the kernel's choice, its first line told, and its address.
fn listener(name: &str) -> (AtWork, SocketAddr) {
    let (peer, address) = named(name).listen(patience()).expect("an address");
    let first = line(&peer);
    assert!(first.contains(&address.to_string()), "{address} in {first:?}");
    (peer, address)
}

fn named(name: &str) -> &'static Peer {
    by_hand::named(name).expect("a peer")
}

fn line(peer: &AtWork) -> String {
    peer.lines().recv_timeout(patience()).expect("a line").line
}

/// Waits for its end: what it told, and how it ended.
fn finish(mut peer: AtWork) -> (Vec<String>, io::Result<()>) {
    let ended = peer.end();
    (peer.lines().iter().map(|told| told.line).collect(), ended)
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Runs a client against `upper` to its end: its lines without durations and ports.
fn told_to_upper(name: &str, limit: Duration) -> Vec<String> {
    let (_server, address) = listener("upper");
    let (lines, ended) = finish(start(name, address, limit));
    ended.unwrap_or_else(|error| panic!("{name}: {error}; it told {lines:?}"));
    let plain = |line: String| {
        let line = line.replace(&address.to_string(), "ADDRESS");
        line.split(" after ").next().unwrap_or_default().to_owned()
    };
    lines.into_iter().map(plain).collect()
}

#[test]
fn a_name_stands_for_one_kind() {
    for peer in &PEERS {
        assert!(std::ptr::eq(named(peer.name), peer), "two peers are called {peer}");
        assert!(!peer.does.is_empty());
    }
    assert!(by_hand::named("plite").is_err());
    let connecting = PEERS.iter().filter(|peer| peer.role == Role::Connects);
    assert_eq!(connecting.count(), 9);
}

#[test]
fn polite_asks_twice_and_reads_to_the_end() {
    let told = told_to_upper("polite", patience());
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
    let told = told_to_upper("half-closing", patience());
    assert_eq!(told[2], "half-closing: half-closed");
    assert_eq!(told[3], r#"half-closing: got 12 bytes "HELLO\nAGAIN\n""#);
    let told = told_to_upper("urgent", patience());
    assert_eq!(told[2], r#"urgent: sent 1 urgent byte "!""#);
    assert_eq!(told[4], r#"urgent: got 6 bytes "HELLO\n""#);
    let told = told_to_upper("resetting", patience());
    assert_eq!(told.last().map(String::as_str), Some("resetting: reset the connection (RST)"));
}

#[test]
fn a_reset_reaches_the_server_as_a_reset() {
    let (server, address) = listener("upper");
    let (_, ended) = finish(start("resetting", address, patience()));
    ended.expect("resetting does what it wants");
    assert_eq!(line(&server), "upper: client 1: accepted");
    assert!(line(&server).starts_with("upper: client 1: lost after 6 bytes"));
}

#[test]
fn silent_says_nothing_until_its_limit() {
    let told = told_to_upper("silent", QUIET);
    let expected = ["silent: connected to ADDRESS", "silent: says nothing", "silent: closed"];
    assert_eq!(told, expected);
}

#[test]
fn flooding_gets_every_byte_that_it_sent() {
    let told = told_to_upper("flooding", QUIET);
    let last = told.last().expect("a last line");
    assert!(last.contains("every one right"), "{last}");
}

#[test]
fn late_gets_all_its_bytes_after_the_server_was_blocked() {
    let told = told_to_upper("late", patience());
    assert!(told[2].ends_with("then the server took no more for 1.00 s"), "{told:?}");
    assert_eq!(told[5], "late: got 16777216 bytes, every one right,");
}

#[test]
fn greedy_stays_although_the_server_takes_no_more() {
    let told = told_to_upper("greedy", Duration::from_secs(3));
    assert!(told[2].ends_with("then the server took no more for 1.00 s"), "{told:?}");
    assert_eq!(told[4], "greedy: closed, nothing read");
}

#[test]
fn vanishing_leaves_and_the_server_goes_on() {
    let (_server, address) = listener("upper");
    let (told, ended) = finish(start("vanishing", address, patience()));
    ended.expect("vanishing does what it wants");
    assert_eq!(told.last().map(String::as_str), Some("vanishing: closed, nothing read"));
    let mut client = Client::connect(address).expect("the server is there");
    assert_eq!(client.ask(b"still there?").expect("a reply"), upper(b"still there?"));
}

#[test]
fn upper_closes_for_a_client_that_has_closed_before_it_was_accepted() {
    let (server, address) = listener("upper");
    for number in 1..=20 {
        let mut client = Client::connect(address).expect("a listener");
        client.half_close().expect("a connection");
        assert_eq!(client.receive_rest().expect("an end"), b"");
        assert_eq!(line(&server), format!("upper: client {number}: accepted"));
        assert!(line(&server).ends_with("end of stream after 0 bytes, closed"));
    }
}

#[test]
fn banner_speaks_first_and_mute_never() {
    let (_server, address) = listener("banner");
    let mut client = Client::connect(address).expect("a listener");
    assert_eq!(client.receive(8).expect("a greeting"), b"welcome\n");
    assert_eq!(client.ask(b"hello").expect("a reply"), b"HELLO");

    let (server, address) = listener("mute");
    let mut client = Client::connect(address).expect("a listener");
    client.send(b"hello").expect("it reads");
    assert_eq!(line(&server), "mute: client 1: accepted");
    assert_eq!(line(&server), "mute: client 1: got 5 bytes, says nothing");
    assert!(client.hears_nothing_for(QUIET).expect("a connection"));
}

#[test]
fn never_accepting_tells_who_waits() {
    let (peer, address) = listener("never-accepting");
    let _waiting = TcpStream::connect(address).expect("the accept queue has room");
    assert!(line(&peer).contains("never accepts"));
    assert!(line(&peer).ends_with("a connection waits in the accept queue"));
}

#[test]
fn refusing_refuses_and_a_black_hole_does_not_answer() {
    let (_peer, address) = listener("refusing");
    let (_, ended) = finish(start("polite", address, patience()));
    let error = ended.expect_err("nobody listens").to_string();
    assert_eq!(error, format!("connect {address}: ECONNREFUSED: Connection refused"));

    let (_peer, address) = listener("black-hole");
    let (_, ended) = finish(start("polite", address, QUIET));
    let error = ended.expect_err("no packet arrives").to_string();
    assert_eq!(error, format!("connect {address}: no answer within 200.0 ms"));
}

#[test]
fn a_busy_address_is_an_error_with_its_name() {
    let (_peer, address) = listener("upper");
    let (_, ended) = finish(start("mute", address, patience()));
    let error = ended.expect_err("the port is taken").to_string();
    assert_eq!(error, format!("bind {address}: EADDRINUSE: Address already in use"));
}

#[test]
fn a_client_that_gets_no_reply_says_so() {
    let (_peer, address) = listener("mute");
    let (_, ended) = finish(start("polite", address, QUIET));
    assert_eq!(ended.expect_err("mute").to_string(), "no reply within 200.0 ms");
}

#[test]
fn every_kind_that_would_stay_ends_soon_after_stop() {
    let (_server, address) = listener("upper");
    let staying = PEERS.iter().filter(|peer| {
        peer.role == Role::Listens || ["silent", "greedy", "flooding", "late"].contains(&peer.name)
    });
    for peer in staying {
        let address = if peer.role == Role::Listens { any_port() } else { address };
        let at_work = peer.start(address, patience()).expect("a thread");
        line(&at_work);
        let start = Instant::now();
        at_work.stop();
        finish(at_work).1.unwrap_or_else(|error| panic!("{peer}: {error}"));
        // It takes 50 ms at most; a busy machine may need longer, but never up to the limit.
        assert!(start.elapsed() < patience() / 5, "{peer} ended {:?} after stop", start.elapsed());
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
    named("upper").run(any_port(), patience(), &stop, &mut Closed).expect("a quiet end");
    assert!(start.elapsed() < patience());
}
