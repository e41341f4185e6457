//! Records as lanes, as lines, as pictures: from records written by hand, and from real runs.

use std::path::Path;
use std::process::ExitCode;

use assert_cmd::cargo::cargo_bin;
use cli::syllabus::{Figure, Syllabus};
use judge::Test;
use lab::need::Need;
use lab::witness::bits::Events;
use lab::witness::record::{
    Arguments, Bytes, Call, CallOutcome, Descriptor, Event, Object, PollEntry, Record, Sets,
    Thread, Timeout, What,
};
use timeline::figures::Picture;
use timeline::lanes::Timeline;
use timeline::recording::{Did, PeerAction, Recording};
use timeline::{raw, sequence, summary, text};

fn main() -> ExitCode {
    judge::tests([
        Test::new(&[], the_lanes_show_question_sleep_and_answer),
        Test::new(&[], no_line_is_wider_than_it_may_be),
        Test::new(&[], what_repeats_itself_is_told_once),
        Test::new(&[], what_repeats_itself_within_a_repetition_is_told_once),
        Test::new(&[], who_looks_without_waiting_does_not_sleep),
        Test::new(&[], what_does_not_block_does_not_sleep_however_long_it_takes),
        Test::new(&[], a_descriptor_beyond_sixteen_is_written_as_a_number),
        Test::new(&[], an_array_is_broken_between_its_entries),
        Test::new(&[], every_call_has_a_raw_line),
        Test::new(&[], the_summary_counts_waits_threads_and_calls_for_a_message),
        Test::new(&[], a_recording_survives_its_file),
        Test::new(&[], a_sequence_has_no_time_no_port_and_no_number),
        Test::new(&[], a_picture_can_stand_in_a_page),
        Test::new(&[Need::Ptrace], one_byte_at_a_time_still_makes_the_same_sequences),
        Test::new(&[Need::Ptrace], another_sequence_is_found),
    ])
}

/// Milliseconds in nanoseconds.
const MS: u64 = 1_000_000;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn listener() -> Descriptor {
    Descriptor { number: 3, opening: 1, object: Object::Listener("127.0.0.1:7003".to_owned()) }
}

fn client() -> Descriptor {
    let object = Object::Connection {
        local: "127.0.0.1:7003".to_owned(),
        peer: "127.0.0.1:40000".to_owned(),
        accepted: true,
    };
    Descriptor { number: 4, opening: 2, object }
}

fn call(at: u64, name: &str, arguments: Arguments, value: i64, returned: u64) -> Event {
    let outcome = CallOutcome::Value(value);
    let what = Call {
        name: name.to_owned(),
        arguments,
        outcome,
        returned: Some(returned * MS),
        injected: false,
    };
    Event { at: at * MS, thread: 1, what: What::Call(what) }
}

fn select(at: u64, asked: &[Descriptor], ready: &[Descriptor], returned: u64) -> Event {
    let sets = |members: &[Descriptor]| Sets { read: Some(members.to_vec()), ..Sets::default() };
    let arguments = Arguments::Select {
        nfds: 5,
        before: sets(asked),
        after: Some(sets(ready)),
        timeout: Timeout::Forever,
    };
    call(at, "pselect6", arguments, 1, returned)
}

fn read(at: u64, bytes: &str) -> Event {
    let arguments = Arguments::Read {
        from: client(),
        room: 16384,
        flags: serde_json::from_str("\"0\"").expect("no flag"),
        bytes: Bytes::of(bytes.as_bytes()),
    };
    call(at, "recvfrom", arguments, i64::try_from(bytes.len()).expect("few bytes"), at)
}

fn done(at: u64, did: Did) -> PeerAction {
    PeerAction { at: at * MS, until: at * MS, who: "ann".to_owned(), did }
}

/// A client comes, sends twice and is read twice.
fn by_hand() -> Recording {
    let other = Arguments::Other([0; 6]);
    let accept =
        Arguments::Accept { listener: listener(), nonblocking: false, accepted: Some(client()) };
    let socket = Arguments::Socket {
        family: "AF_INET".to_owned(),
        kind: "SOCK_STREAM".to_owned(),
        nonblocking: false,
    };
    let listen = Arguments::Listen { socket: listener(), backlog: 8 };
    let mut pending = select(18, &[listener(), client()], &[], 0);
    if let What::Call(call) = &mut pending.what {
        call.outcome = CallOutcome::Pending;
        call.returned = None;
    }
    let events = vec![
        call(1, "mmap", other, 0, 1),
        call(2, "socket", socket, 3, 2),
        call(3, "listen", listen, 0, 3),
        select(4, &[listener()], &[listener()], 6),
        call(7, "accept4", accept, 4, 7),
        select(8, &[listener(), client()], &[client()], 12),
        read(13, "hello\n"),
        pending,
    ];
    let sent = |text: &str| Did::Sends(6, Bytes::of(text.as_bytes()));
    Recording {
        name: "by hand".to_owned(),
        record: Record {
            program: "server".to_owned(),
            architecture: "x86_64".to_owned(),
            kernel: "6.18.1-anything".to_owned(),
            threads: vec![Thread { number: 1, process: 1, tid: 100 }],
            events,
            ..Record::default()
        },
        peers: vec![
            done(5, Did::Connects("127.0.0.1:40000".to_owned())),
            done(10, sent("hello\n")),
        ],
    }
}

fn plain(lines: &[String]) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in lines.join("\n").chars() {
        match letter {
            '\u{1b}' => inside = true,
            'm' if inside => inside = false,
            _ if inside => {}
            letter => text.push(letter),
        }
    }
    text
}

fn the_lanes_show_question_sleep_and_answer() {
    let lanes = text::lanes(&Timeline::of(&by_hand()), 100);
    let expected = "\
      ms  server         kernel                    ann
    0.00  socket         3
    1.00  listen 3, backlog 8
    2.00  select         (sleeps)
            read   0000 1000
    3.00  |                                        connects
    4.00  <- select      1 bit left
                           read   0000 1000
    5.00  accept 3       4 (ann)
    6.00  select         (sleeps)
            read   0001 1000
    8.00  |                                        sends \"hello\\n\"
   10.00  <- select      1 bit left
                           read   0001 0000
   11.00  read 4 (ann)   6 of 16,384: \"hello\\n\"
   16.00  select         (sleeps to the end)
            read   0001 1000";
    let words = |text: &str| -> Vec<Vec<String>> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        text.lines().map(words).collect()
    };
    assert_eq!(words(&plain(&lanes)), words(expected), "\n{}", plain(&lanes));
}

fn no_line_is_wider_than_it_may_be() {
    for width in [60, 80, 100] {
        for figure in Picture::all(root()).expect("the figures") {
            let kept = figure.kept(root()).expect("the recording");
            let lines = plain(&text::lanes(&Timeline::of(&kept), width));
            let widest = lines.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{}: {widest:?} of {width}\n{lines}", figure.name());
        }
    }
}

fn what_repeats_itself_is_told_once() {
    let mut recording = by_hand();
    let mut last = recording.record.events.pop().expect("a last event");
    last.at = 100 * MS;
    recording.record.events.extend((0..50).map(|n| read(14 + n, &"x".repeat(7))));
    recording.record.events.push(last);
    let lanes = plain(&text::lanes(&Timeline::of(&recording), 100));
    assert!(lanes.contains("the same 50 more times"), "{lanes}");
    assert!(lanes.lines().count() < 30, "{lanes}");
}

fn what_repeats_itself_within_a_repetition_is_told_once() {
    let mut recording = by_hand();
    let mut last = recording.record.events.pop().expect("a last event");
    last.at = 100 * MS;
    // Ten bursts: some reads of bytes, then one of none.
    let mut at = 14;
    for burst in 0..10 {
        let kinds = std::iter::repeat_n("x", 4 + burst % 3).chain([""]);
        for kind in kinds {
            recording.record.events.push(read(at, kind));
            at += 1;
        }
    }
    recording.record.events.push(last);
    let lanes = plain(&text::lanes(&Timeline::of(&recording), 100));
    assert!(lanes.contains("the same 9 more times, from "), "{lanes}");
    assert!(lanes.lines().count() < 30, "{lanes}");
}

fn who_looks_without_waiting_does_not_sleep() {
    let mut recording = by_hand();
    for event in &mut recording.record.events {
        if let What::Call(Call { arguments: Arguments::Select { timeout, .. }, .. }) =
            &mut event.what
        {
            *timeout = Timeout::Nanoseconds(0);
        }
    }
    let timeline = Timeline::of(&recording);
    let drawn = plain(&text::lanes(&timeline, 100));
    assert!(drawn.contains("select, without waiting"), "{drawn}");
    assert!(!drawn.contains("(sleeps"), "{drawn}");
    let lines = summary::lines(&recording, &timeline);
    assert!(lines.contains(&("waits", "select 3".to_owned())), "{lines:?}");
    assert!(lines.contains(&("slept in", "no call".to_owned())), "{lines:?}");
}

fn what_does_not_block_does_not_sleep_however_long_it_takes() {
    let mut recording = by_hand();
    let reads = |event: &Event| matches!(&event.what, What::Call(call) if call.name == "recvfrom");
    let read = recording.record.events.iter().position(reads).expect("a read");
    if let What::Call(call) = &mut recording.record.events[read].what {
        call.returned = Some(17 * MS + MS / 2);
    }
    // A peer does something meanwhile, too.
    recording.peers.push(done(14, Did::HalfCloses));
    let slept = |recording: &Recording| {
        let drawn = plain(&text::lanes(&Timeline::of(recording), 100));
        drawn.lines().any(|line| line.contains("<- read"))
    };
    assert!(slept(&recording), "a descriptor that blocks");
    let arguments = Arguments::Mode {
        descriptor: client(),
        command: "FIONBIO".to_owned(),
        nonblocking: Some(true),
    };
    recording.record.events.insert(read, call(12, "ioctl", arguments, 0, 12));
    assert!(!slept(&recording), "one that does not");
}

fn a_descriptor_beyond_sixteen_is_written_as_a_number() {
    let mut recording = by_hand();
    let high = Descriptor { number: 900, ..client() };
    recording.record.events.push(select(20, &[listener(), high.clone()], &[high], 21));
    let lanes = plain(&text::lanes(&Timeline::of(&recording), 100));
    assert!(lanes.contains("{3 900}"), "{lanes}");
}

fn an_array_is_broken_between_its_entries() {
    let entry = |number| PollEntry {
        descriptor: Descriptor { number, ..client() },
        events: Events::IN,
        revents: Events::IN,
    };
    let entries = (4..30).map(entry).collect();
    let poll = Arguments::Poll { entries, timeout: Timeout::Nanoseconds(300 * MS) };
    let mut recording = by_hand();
    recording.record.events = vec![call(1, "poll", poll, 26, 2)];
    let lanes = plain(&text::lanes(&Timeline::of(&recording), 70));
    assert!(lanes.contains("and 18 more"), "{lanes}");
    assert!(lanes.contains("at most 300 ms"), "{lanes}");
    assert!(lanes.lines().all(|line| line.matches('[').count() == line.matches(']').count()));
}

fn every_call_has_a_raw_line() {
    let recording = by_hand();
    let lines = raw::lines(&recording);
    assert_eq!(lines.len(), recording.record.events.len() + recording.peers.len());
    let text = lines.join("\n");
    for line in [
        "[1] mmap(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) = 0",
        "[1] pselect6(5, read {3 4}, write null, except null, forever) = 1 read {4}, write null",
        "[1] accept4(3<listener 127.0.0.1:7003>) = 4 4<127.0.0.1:7003<-127.0.0.1:40000>",
        "--- ann sends \"hello\\n\" ---",
        "forever) = ?",
    ] {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
}

fn the_summary_counts_waits_threads_and_calls_for_a_message() {
    let mut recording = by_hand();
    let reply = Did::Gets(6, Bytes::of(b"HELLO\n"));
    recording.peers.push(done(17, reply));
    let lines = summary::lines(&recording, &Timeline::of(&recording));
    let told = |name: &str| lines.iter().find(|(its, _)| *its == name).map(|(_, told)| &**told);
    assert_eq!(told("waits"), Some("select 3"));
    assert_eq!(told("threads"), Some("1"));
    assert_eq!(told("messages"), Some("1"));
    // The select that was woken, and the read.
    assert_eq!(told("per message"), Some("calls 2, wake-ups 1, from the request to its reply"));
}

fn a_recording_survives_its_file() {
    let recording = by_hand();
    let text = serde_json::to_string(&recording).expect("JSON");
    assert_eq!(Recording::from_json(&text).expect("a recording"), recording);
    // What no lane shows is not kept.
    assert_eq!(recording.trimmed().record.events.len(), 7);
}

fn a_sequence_has_no_time_no_port_and_no_number() {
    let mut later = by_hand();
    for event in &mut later.record.events {
        event.at *= 3;
        if let What::Call(call) = &mut event.what {
            call.returned = call.returned.map(|at| at * 3);
        }
    }
    for done in &mut later.peers {
        done.at *= 3;
    }
    let text = serde_json::to_string(&later)
        .expect("JSON")
        .replace("40000", "50000")
        .replace("7003", "7999");
    let text = text.replace("\"number\":4", "\"number\":9");
    let later = Recording::from_json(&text).expect("a recording");
    let of = |recording: &Recording| sequence::sequence(&Timeline::of(recording), true);
    assert_eq!(of(&later), of(&by_hand()));
    assert!(of(&later).contains(&"ann: sends \"hello\\n\"".to_owned()));
}

fn a_picture_can_stand_in_a_page() {
    for figure in Picture::all(root()).expect("the figures") {
        let drawn = figure.draw(&figure.kept(root()).expect("the recording"));
        let name = figure.name();
        assert!(drawn.lines().all(|line| !line.trim().is_empty()), "{name}: a blank line");
        assert!(drawn.contains(&format!("<title id=\"fig-{name}-title\">")), "{name}");
        assert!(drawn.contains("Recorded on Linux "), "{name}");
        // In the width of a telephone the letters must not become too small to be read.
        let width = drawn.split(" width=\"").nth(1).and_then(|rest| rest.split('"').next());
        let width: i32 = width.and_then(|width| width.parse().ok()).expect("a width");
        assert!(width <= 560, "{name}: {width} wide");
    }
}

/// The figures of the small program of this package; the others are looked at by their chapters.
fn one_byte_at_a_time_still_makes_the_same_sequences() {
    for name in ["07-level", "07-edge"] {
        let figure = Picture::named(root(), name).expect("a figure");
        figure.still_holds(root(), cargo_bin!("one-byte-server")).expect(name);
    }
}

fn another_sequence_is_found() {
    // The level-triggered program does not do what the edge-triggered figure shows.
    let lessons = Syllabus::of(root()).expect("the lessons").lessons;
    let figure = |name| lessons.iter().flat_map(|it| &it.figures).find(|it| it.name == name);
    let (edge, level) =
        (figure("07-edge").expect("a figure"), figure("07-level").expect("a figure"));
    let run = Figure { name: edge.name.clone(), until: edge.until.clone(), ..level.clone() };
    let wrong = Picture::of(&run, "a/lesson.toml").expect("a picture");
    let held = wrong.still_holds(root(), cargo_bin!("one-byte-server"));
    let error = held.expect_err("the sequences differ").to_string();
    assert!(error.contains("figure 07-edge: line "), "{error}");
}
