//! The checks of the witness's eyes: impostors that a client cannot tell from the real thing.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use judge::Test;
use lab::need::Need;
use lab::peer::{Client, upper};
use lab::rig::RefusingPort;
use lab::subject::{Launch, Server};
use lab::wait::{self, QUIET};
use lab::witness::bits::Events;
use lab::witness::lie::Lie;
use lab::witness::record::{Arguments, Call, CallOutcome, Object, Record, What};
use lab::witness::sentences::{Contradiction, Mark, Sentence, common_name};
use nix::errno::Errno;

const TRACED: &[Need] = &[Need::Ptrace];

fn main() -> ExitCode {
    judge::tests([
        Test::new(TRACED, a_thread_each_behind_a_select_is_seen),
        Test::new(TRACED, poll_that_poses_as_select_is_seen),
        Test::new(TRACED, a_busy_loop_is_seen),
        Test::new(TRACED, a_sweep_over_everybody_after_a_nap_in_select_is_seen),
        Test::new(TRACED, an_event_that_is_reported_for_ever_and_ignored_is_seen),
        Test::new(TRACED, level_that_poses_as_edge_is_seen),
        Test::new(TRACED, one_read_for_an_edge_is_seen_when_a_message_does_not_fit),
        Test::new(TRACED, a_reply_that_is_left_over_without_a_full_buffer_is_seen),
        Test::new(TRACED, a_pause_that_outlasts_the_lack_of_places_is_seen),
        Test::new(TRACED, a_server_that_sleeps_is_quiet_and_one_that_never_sleeps_is_not),
        Test::new(TRACED, a_client_that_never_asks_so_error_is_seen),
        Test::new(TRACED, a_client_that_asks_so_error_before_any_report_is_seen),
        Test::new(TRACED, a_lie_is_told_marked_and_leaves_everything_else_as_it_is),
        Test::new(TRACED, a_lie_about_a_close_is_about_what_has_no_path),
        Test::new(TRACED, an_option_and_a_report_are_what_a_lie_says),
        Test::new(TRACED, reads_and_writes_in_pieces_are_shortened_too),
        Test::new(TRACED, a_wait_that_reports_nothing_leaves_no_report_of_before),
        Test::new(TRACED, an_option_that_is_said_to_be_read_is_zero),
        Test::new(TRACED, lateness_holds_only_the_thread_concerned),
        Test::new(TRACED, a_witness_interrupts_no_call_of_another_thread),
    ])
}

/// A call with a time limit of its own is not made again by the kernel: EINTR would be seen, signal(7).
fn a_witness_interrupts_no_call_of_another_thread() {
    let (ours, theirs) = UnixStream::pair().expect("a pair");
    // Any limit will do: it only has to be longer than all that follows.
    ours.set_read_timeout(Some(Duration::from_secs(3600))).expect("a time limit");
    let reader = thread::spawn(move || (&ours).read(&mut [0]));
    // The more are stopped at the same time, the fewer threads are left that have not been told of it yet.
    let server = |_| impostor("poll-as-select").witnessed().server().expect("a server");
    let mut servers: Vec<Server> = (0..6).map(server).collect();
    thread::scope(|scope| {
        for server in &mut servers {
            scope.spawn(move || (0..50).for_each(|_| echoes(server).expect("replies")));
        }
    });
    // If the read has ended before, nobody is left to write to; what it met says more.
    let _ = (&theirs).write_all(b"x");
    assert_eq!(reader.join().expect("no panic").map_err(|error| error.to_string()), Ok(1));
}

/// Short reads and writes, whose register the subject finds as it was; and an errno that is told twice.
fn a_lie_is_told_marked_and_leaves_everything_else_as_it_is() {
    let interrupted = Lie::errno("poll", Errno::EINTR).only(2, 3);
    let lies = [Lie::at_most("read", 5), Lie::at_most("write", 3), interrupted];
    let launch = lies.into_iter().fold(impostor("poll-as-select"), Launch::lie);
    let server = launch.server().expect("a server");
    echoes(&server).expect("replies");
    let record = server.record().expect("it is witnessed");
    let injected: Vec<&Call> = record
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Call(call) if call.injected => Some(call),
            _ => None,
        })
        .collect();
    let errors = injected.iter().filter(|call| call.outcome == CallOutcome::Error("EINTR".into()));
    assert_eq!(errors.count(), 2, "{injected:?}");
    for call in injected {
        let most = if matches!(call.arguments, Arguments::Write { .. }) { 3 } else { 5 };
        let short = matches!(call.outcome, CallOutcome::Value(count) if count <= most);
        assert!(short || call.outcome == CallOutcome::Error("EINTR".into()), "{call}");
        assert!(call.to_string().ends_with(" (INJECTED)"), "{call}");
    }
}

/// The calls of the common name that were answered with a lie.
fn injected(server: &Server, name: &str) -> Vec<Call> {
    let record = server.record().expect("it is witnessed");
    let calls = record.events.into_iter().filter_map(|event| match event.what {
        What::Call(call) => Some(call),
        _ => None,
    });
    calls.filter(|call| call.injected && common_name(&call.name) == name).collect()
}

/// A dynamic loader closes files first, how many differs by machine; they are not counted.
fn a_lie_about_a_close_is_about_what_has_no_path() {
    let launch =
        impostor("poll-as-select").lie(Lie::late("close", Duration::from_millis(1)).only(1, 1));
    let server = launch.server().expect("a server");
    echoes(&server).expect("replies");
    let told = injected(&server, "close");
    let [Call { arguments: Arguments::Close { descriptor }, .. }] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(matches!(descriptor.object, Object::Connection { .. }), "{descriptor:?}");
}

/// The lengths of readv and sendmsg stand in the subject's memory, and it finds them there as they were.
fn reads_and_writes_in_pieces_are_shortened_too() {
    let lies = [Lie::at_most("read", 4), Lie::at_most("write", 2)];
    let launch = lies.into_iter().fold(impostor("in-pieces"), Launch::lie);
    let server = launch.server().expect("a server");
    for calls in [["readv", "writev"], ["recvmsg", "sendmsg"]] {
        let mut client = Client::connect(server.address()).expect("a client");
        let question: Vec<u8> = (0..40).map(|at| b'a' + at % 26).collect();
        assert_eq!(client.ask(&question).expect("a reply"), upper(&question));
        leave(client).expect("an end");
        for (call, (name, most)) in calls.into_iter().zip([("read", 4), ("write", 2)]) {
            let told = injected(&server, name);
            let told: Vec<_> = told.iter().filter(|one| one.name == call).collect();
            let full = told.iter().filter(|one| one.outcome == CallOutcome::Value(most));
            assert_eq!(full.count(), 10, "{call} in {told:?}");
            let more =
                |one: &&&Call| matches!(one.outcome, CallOutcome::Value(count) if count > most);
            assert_eq!(told.iter().find(more), None, "{call}");
        }
    }
}

/// A program that took what stood in its array before the wait for a report would go to a client.
fn a_wait_that_reports_nothing_leaves_no_report_of_before() {
    for (name, call) in [("poll-as-select", "poll"), ("busy-select", "select")] {
        let launch = impostor(name).lie(Lie::nothing(call).only(3, 60));
        let server = launch.server().expect("a server");
        echoes(&server).expect("replies");
        let told = injected(&server, call);
        assert_eq!(told.len(), 58, "{told:?}");
        for call in told {
            assert_eq!(call.outcome, CallOutcome::Value(0), "{call}");
            let reports = match &call.arguments {
                Arguments::Poll { entries, .. } => {
                    entries.iter().any(|one| !one.revents.is_empty())
                }
                Arguments::Select { after: Some(after), .. } => {
                    let sets = [&after.read, &after.write, &after.except];
                    sets.into_iter().flatten().any(|set| !set.is_empty())
                }
                _ => true,
            };
            assert!(!reports, "{call}");
        }
    }
}

/// A thread for each client: the second write of all is put off, and the other client is answered meanwhile.
fn lateness_holds_only_the_thread_concerned() {
    let late = Duration::from_secs(2);
    let launch = impostor("threads-behind-select").lie(Lie::late("write", late).only(2, 2));
    let server = launch.server().expect("a server");
    let mut clients = [(); 2].map(|()| Client::connect(server.address()).expect("a client"));
    assert_eq!(clients[0].ask(b"first").expect("a reply"), b"FIRST");
    let counts = || server.record().expect("it is witnessed").counts().expect("it is whole");
    let before = counts().of("send");
    let begun = Instant::now();
    clients[0].send(b"late").expect("room");
    wait::until("the second reply is under way", || counts().of("send") > before).expect("a write");
    let others = (0..10).map(|_| clients[1].ask(b"other").expect("a reply"));
    assert!(others.eq([b"OTHER"; 10]));
    assert!(begun.elapsed() < late, "the other client had to wait, too");
    assert_eq!(clients[0].receive(4).expect("a reply"), b"LATE");
    assert!(begun.elapsed() >= late);
    // And nothing of it is left. When the next reply is there, this thread's last call has long returned.
    assert_eq!(clients[0].ask(b"again").expect("a reply"), b"AGAIN");
    let told = injected(&server, "write");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].outcome, CallOutcome::Value(4), "{}", told[0]);
    assert_eq!(counts().of("nanosleep"), 0);
}

fn impostor(name: &str) -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_impostor")).arg(name)
}

/// What a client can see: bytes come back in order and in upper case, a half-close is answered, one
/// client's silence stops nobody.
fn echoes(server: &Server) -> io::Result<()> {
    let mut silent = Client::connect(server.address())?;
    let mut clients = [Client::connect(server.address())?, Client::connect(server.address())?];
    for client in &mut clients {
        let every: Vec<u8> = (0..=255).collect();
        assert_eq!(client.ask(&every)?, upper(&every));
        assert_eq!(client.ask(b"again")?, b"AGAIN");
    }
    let [first, second] = clients;
    leave(first)?;
    assert_eq!(silent.ask(b"at last")?, b"AT LAST");
    // Whoever looks at the record later shall find nobody who is just leaving.
    leave(second)?;
    leave(silent)
}

fn leave(mut client: Client) -> io::Result<()> {
    client.half_close()?;
    assert!(client.receive_rest()?.is_empty());
    Ok(())
}

/// A server that a client finds nothing wrong with.
fn server(name: &str) -> Server {
    let server = impostor(name).witnessed().server().expect("the impostor starts");
    echoes(&server).expect("a client finds nothing wrong");
    server
}

/// The whole record, of a server that goes back to sleep when its clients are served.
fn at_rest(server: &Server) -> Record {
    server.record_at_rest().expect("it sleeps when nobody wants anything")
}

/// Waits until the record contradicts the sentence: who never sleeps has as many chances as it takes.
fn contradicted<T>(server: &Server, sentence: fn(&Record) -> Sentence<T>) -> Contradiction {
    let mut last = None;
    let seen = wait::until("the record contradicts the sentence", || {
        last = sentence(&server.record().expect("it runs under the witness")).err();
        last.is_some()
    });
    seen.unwrap();
    last.expect("there is one")
}

fn a_thread_each_behind_a_select_is_seen() {
    let server = server("threads-behind-select");
    let record = at_rest(&server);
    record.waits_only_in("select").unwrap();
    record.waits_on_one_thread().unwrap();
    let contradiction = record.talks_on_one_thread().unwrap_err();
    assert!(contradiction.seen.starts_with("3 threads"), "{contradiction}");
    assert_eq!(record.has_a_thread_for_each_connection().unwrap(), 3);
    record.never_sleeps_in_a_read().unwrap_err();
    record.has_one_thread().unwrap_err();
}

fn poll_that_poses_as_select_is_seen() {
    let server = server("poll-as-select");
    let record = at_rest(&server);
    let contradiction = record.waits_only_in("select").unwrap_err();
    assert!(contradiction.seen.starts_with("it waited in: poll"), "{contradiction}");
    // Nothing else is wrong with it.
    record.waits_only_in("poll").unwrap();
    record.talks_on_one_thread().unwrap();
    record.never_sleeps_in_a_read().unwrap();
    record.acts_on_every_answer().unwrap();
    record.reads_only_what_was_reported().unwrap();
    record.never_spins().unwrap();
}

fn a_busy_loop_is_seen() {
    let server = server("busy-select");
    let contradiction = contradicted(&server, Record::never_spins);
    assert!(contradiction.to_string().contains(", 0.000 ms)"), "{contradiction}");
    let record = server.record().unwrap();
    record.never_waits_with_a_zero_timeout().unwrap_err();
    record.waits_only_in("select").unwrap();
    record.talks_on_one_thread().unwrap();
}

fn a_sweep_over_everybody_after_a_nap_in_select_is_seen() {
    let server = server("sweep-after-select");
    let contradiction = contradicted(&server, Record::reads_only_what_was_reported);
    assert!(contradiction.seen.contains("had no report"), "{contradiction}");
    let record = server.record().unwrap();
    record.waits_only_in("select").unwrap();
    record.talks_on_one_thread().unwrap();
    record.every_connection_is_nonblocking().unwrap();
}

fn an_event_that_is_reported_for_ever_and_ignored_is_seen() {
    let server = server("always-writable");
    let _idle = Client::connect(server.address()).unwrap();
    let contradiction = contradicted(&server, Record::acts_on_every_answer);
    assert!(contradiction.seen.starts_with("OUT of "), "{contradiction}");
    let record = server.record().unwrap();
    record.waits_only_in("epoll_wait").unwrap();
    record.watches_level_triggered().unwrap();
}

fn level_that_poses_as_edge_is_seen() {
    let server = server("level-as-edge");
    let mut client = Client::connect(server.address()).unwrap();
    client.ask(b"hello").unwrap();
    let interests = server.process().interests().unwrap();
    assert!(interests.iter().all(|interest| !interest.is_edge()), "{interests:?}");
    let record = at_rest(&server);
    record.waits_only_in("epoll_wait").unwrap();
    record.every_connection_is_nonblocking().unwrap();
    record.acts_on_every_answer().unwrap();
    let contradiction = record.watches_edge_triggered().unwrap_err();
    assert!(contradiction.seen.contains("level-triggered"), "{contradiction}");
    // It reads as one must after an edge, which none was.
    record.drains_every_edge().unwrap_err();
    assert!(record.reads_per_report().unwrap().iter().all(|reads| *reads > 0));
}

fn one_read_for_an_edge_is_seen_when_a_message_does_not_fit() {
    let server = server("one-read-per-edge");
    let mut client = Client::connect(server.address()).unwrap();
    client.ask(b"hello").unwrap();
    let interests = server.process().interests().unwrap();
    assert!(interests.iter().all(|interest| interest.is_edge()), "{interests:?}");
    // Stopped, so that all of it is one edge.
    server.stop().unwrap();
    let long = vec![b'x'; 3000];
    client.send(&long).unwrap();
    server.go_on().unwrap();
    assert_eq!(client.receive(1024).unwrap(), upper(&long[..1024]));
    let record = at_rest(&server);
    record.watches_edge_triggered().unwrap();
    let contradiction = record.drains_every_edge().unwrap_err();
    assert!(contradiction.seen.contains("was not drained"), "{contradiction}");
    assert!(contradiction.to_string().contains("room 1024, 0) = 1024"), "{contradiction}");
}

fn a_reply_that_is_left_over_without_a_full_buffer_is_seen() {
    let server = server("one-write-per-turn");
    at_rest(&server).owes_only_where_room_will_be_told().unwrap();
    let mut client = Client::connect(server.address()).unwrap();
    let long = vec![b'x'; 3000];
    client.send(&long).unwrap();
    assert_eq!(client.receive(1024).unwrap(), upper(&long[..1024]));
    let record = at_rest(&server);
    record.watches_edge_triggered().unwrap();
    record.drains_every_edge().unwrap();
    let contradiction = record.owes_only_where_room_will_be_told().unwrap_err();
    assert!(contradiction.seen.contains("had met no full buffer"), "{contradiction}");
}

fn a_pause_that_outlasts_the_lack_of_places_is_seen() {
    let server = server("pause-in-select");
    let mut leaves = Client::connect(server.address()).unwrap();
    assert_eq!(leaves.ask(b"hello").unwrap(), b"HELLO");
    let record = at_rest(&server);
    assert_eq!(record.accepts_as_soon_as_there_is_a_place().unwrap(), 0);
    // A limit of numbers: the next one would be the first that it may not have.
    let last = server.process().descriptor_numbers().unwrap().last().copied().unwrap_or_default();
    server.set_descriptor_limit(last + 1).unwrap();
    let mut waits = Client::connect(server.address()).unwrap();
    waits.send(b"room?").unwrap();
    let without = || server.record().unwrap().accepts_without_means().unwrap();
    wait::until("accept finds no place", || without() > 0).unwrap();
    leave(leaves).unwrap();
    assert_eq!(waits.receive(5).unwrap(), b"ROOM?");
    let record = at_rest(&server);
    let contradiction = record.accepts_as_soon_as_there_is_a_place().unwrap_err();
    assert_eq!(contradiction.at.len(), 2, "{contradiction}");
}

fn a_server_that_sleeps_is_quiet_and_one_that_never_sleeps_is_not() {
    let sleeper = server("poll-as-select");
    at_rest(&sleeper);
    let before = Mark::now();
    // The window is the measurement itself: an absence cannot be waited for.
    std::thread::sleep(QUIET);
    sleeper.record().unwrap().since(before).is_quiet().unwrap();
    let busy = server("busy-select");
    let contradiction = contradicted(&busy, Record::is_quiet);
    assert!(contradiction.seen.contains("select"), "{contradiction}");
}

/// The record of a client that connects to a listener and to a port that refuses, and tells of both
/// what is true.
fn client_record(name: &str) -> Record {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let refusing = RefusingPort::new().unwrap();
    let addresses = [listener.local_addr().unwrap(), refusing.address()];
    let launch = addresses.iter().fold(impostor(name), |launch, to| launch.arg(to.to_string()));
    let mut subject = launch.witnessed().start().unwrap();
    let lines = addresses.map(|_| subject.line().unwrap().unwrap());
    assert!(lines[0].contains(" connected "), "{lines:?}");
    assert!(lines[1].contains(" ECONNREFUSED "), "{lines:?}");
    assert!(subject.exit_status().unwrap().success());
    let record = subject.record().unwrap();
    record.connects_once_to_each(&addresses.map(|address| address.to_string())).unwrap();
    record.sleeps_in_connect().unwrap_err();
    record
}

/// Whatever stood in the program's memory before: a refused connect is told that `SO_ERROR` is 0.
fn an_option_and_a_report_are_what_a_lie_says() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = "getsockopt=111".parse::<Lie>().unwrap();
    let address = listener.local_addr().unwrap();
    let launch = impostor("connect-with-early-so-error").arg(address.to_string());
    let subject = launch.lie(said).start().unwrap();
    let line = subject.line().unwrap().unwrap();
    assert!(line.contains("ECONNREFUSED"), "{line}");

    // It asks for IN and OUT, and is told of OUT alone; then that two are ready, of which it finds one.
    let said =
        ["epoll_wait=OUT|PRI:2..4", "epoll_wait=2:5"].map(|said| said.parse::<Lie>().unwrap());
    let server = said.into_iter().fold(impostor("always-writable"), Launch::lie).server().unwrap();
    let _client = Client::connect(server.address()).unwrap();
    wait::until("the lies have been told", || injected(&server, "epoll_wait").len() > 3).unwrap();
    let told = injected(&server, "epoll_wait");
    for call in &told[..3] {
        let Arguments::EpollWait { events, .. } = &call.arguments else { panic!("{call}") };
        let events: Vec<Events> = events.iter().map(|event| event.events).collect();
        assert_eq!((events, &call.outcome), (vec![Events::OUT], &CallOutcome::Value(1)), "{call}");
    }
    assert_eq!(told[3].outcome, CallOutcome::Value(2), "{}", told[3]);
}

fn an_option_that_is_said_to_be_read_is_zero() {
    let refusing = RefusingPort::new().unwrap();
    let zero = "getsockopt=done".parse::<Lie>().unwrap();
    let launch = impostor("connect-with-early-so-error").arg(refusing.address().to_string());
    let mut subject = launch.lie(zero).start().unwrap();
    let line = subject.line().unwrap().unwrap();
    assert!(line.contains(" connected "), "{line}");
    assert!(subject.exit_status().unwrap().success());
}

fn a_client_that_never_asks_so_error_is_seen() {
    let record = client_record("connect-without-so-error");
    let contradiction = record.decides_connects_by_so_error().unwrap_err();
    assert!(contradiction.seen.contains("SO_ERROR had not been asked"), "{contradiction}");
}

fn a_client_that_asks_so_error_before_any_report_is_seen() {
    let record = client_record("connect-with-early-so-error");
    let contradiction = record.decides_connects_by_so_error().unwrap_err();
    assert!(contradiction.seen.contains("before any wait"), "{contradiction}");
}
