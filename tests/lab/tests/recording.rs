//! The tests of the witness's record: whatever becomes of a subject, its record is complete and
//! nothing stays behind.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use judge::Test;
use lab::need::Need;
use lab::process::Process;
use lab::subject::{Launch, Running};
use lab::wait;
use lab::witness::bits::{Events, Flags};
use lab::witness::record::{Arguments, Call, CallOutcome, Event, Object, Record, What};
use nix::sys::signal::Signal;

fn main() -> ExitCode {
    if let [_, be, part] = &std::env::args().collect::<Vec<_>>()[..]
        && be == BE
    {
        return match part.as_str() {
            "copies a connection" => copies_a_connection(),
            "polls" => polls(),
            "has busy threads" => has_busy_threads(),
            "watches" => watches(),
            other => panic!("no part {other:?}"),
        };
    }
    judge::tests([
        Test::new(TRACED, what_is_read_and_written_is_recorded_with_its_bytes),
        Test::new(&[], bits_are_written_as_their_names_and_read_again),
        Test::new(TRACED, children_and_what_they_become_are_followed),
        Test::new(TRACED, a_subject_killed_inside_a_call_leaves_that_call_open),
        Test::new(TRACED, signals_are_recorded_and_delivered_those_of_real_time_too),
        Test::new(TRACED, a_subject_that_crashes_is_recorded_to_its_end),
        Test::new(TRACED, it_can_be_stopped_and_goes_on),
        Test::new(TRACED, a_copy_of_a_connection_is_what_the_connection_is),
        Test::new(TRACED, a_wait_that_a_stop_has_interrupted_goes_on_with_its_arguments),
        Test::new(TRACED, it_can_be_stopped_while_what_it_made_goes_on),
        Test::new(TRACED, what_forks_away_is_known_and_ends_with_the_subject),
        Test::new(TRACED, what_ignores_sigterm_ends_with_the_subject),
        Test::new(TRACED, a_subject_dropped_at_any_moment_leaves_nothing),
        Test::new(TRACED, what_cannot_be_executed_is_said_with_its_path),
        Test::new(TRACED, no_thread_is_kept_waiting_by_busy_ones),
        Test::new(TRACED, where_ptrace_is_refused_one_sentence_names_the_setting),
        Test::new(TRACED, many_subjects_are_witnessed_at_once_and_kept_apart),
    ])
}

const TRACED: &[Need] = &[Need::Ptrace];

/// With this argument the program plays a part that a test watches.
const BE: &str = "--be";

/// A shell under the witness.
fn shell(script: &str) -> Running {
    let launch = Launch::new("/bin/sh").arg("-c").arg(script).witnessed();
    launch.start().expect("the shell starts")
}

/// This program itself under the witness, in one of its parts.
fn ourselves(part: &str, stdin: impl Into<Stdio>) -> Running {
    let launch = Launch::new(std::env::current_exe().unwrap()).arg(BE).arg(part);
    launch.stdin(stdin).witnessed().start().expect("this program starts")
}

fn calls<'a>(record: &'a Record, name: &str) -> Vec<&'a Call> {
    let all = record.events.iter().filter_map(|event| match &event.what {
        What::Call(call) => Some(call),
        _ => None,
    });
    all.filter(|call| call.name == name).collect()
}

fn happened(record: &Record, what: &What) -> bool {
    record.events.iter().any(|event| event.what == *what)
}

/// The record without the calls: what a failure shows.
fn outline(record: &Record) -> Vec<&Event> {
    record.events.iter().filter(|event| !matches!(event.what, What::Call(_))).collect()
}

fn what_is_read_and_written_is_recorded_with_its_bytes() {
    let mut subject = shell("echo hello; echo never >&2");
    assert_eq!(subject.exit_status().unwrap().code(), Some(0));
    let record = subject.record().unwrap();
    assert_eq!(record.threads.len(), 1);
    let told = calls(&record, "write").into_iter().find_map(|call| match &call.arguments {
        Arguments::Write { to, offered, bytes, .. } if to.number == 1 => {
            Some((to.object.clone(), *offered, bytes.0.clone(), call.outcome.clone()))
        }
        _ => None,
    });
    let stdout = Object::Other("stdout".to_owned());
    assert_eq!(told, Some((stdout, 6, r"hello\n".to_owned(), CallOutcome::Value(6))));
    assert!(happened(&record, &What::Ended(0)), "{:?}", outline(&record));
    assert!(record.events.is_sorted_by_key(|event| event.at));
}

fn bits_are_written_as_their_names_and_read_again() {
    for (bits, text) in [
        (0, "0"),
        (0x1, "IN"),
        (0x8000_2001, "IN|RDHUP|ET"),
        (0x3ff, "IN|PRI|OUT|ERR|HUP|NVAL|RDNORM|RDBAND|WRNORM|WRBAND"),
        (0xF000_0000, "EXCLUSIVE|WAKEUP|ONESHOT|ET"),
        // The last has no name.
        (0x0c00_0404, "OUT|0xc000400"),
    ] {
        let events = Events::from_bits_retain(bits);
        assert_eq!(events.to_string(), text);
        assert_eq!(format!("{events:?}"), text);
        assert_eq!(String::from(events), text);
        assert_eq!(Events::try_from(text.to_owned()), Ok(events));
    }
    let flags = Flags::from_bits_retain(0x4041);
    assert_eq!(flags.to_string(), "OOB|DONTWAIT|NOSIGNAL");
    assert_eq!(Flags::try_from("PEEK|WAITALL|0x8".to_owned()).map(|flags| flags.bits()), Ok(0x10a));
    for wrong in ["in", "IN|", "OOB", "0x1_", "0x100000000"] {
        assert!(Events::try_from(wrong.to_owned()).is_err(), "{wrong}");
    }
}

fn children_and_what_they_become_are_followed() {
    let mut subject = shell("/bin/true; (exit 3); exec sleep 0");
    assert_eq!(subject.exit_status().unwrap().code(), Some(0));
    let record = subject.record().unwrap();
    let processes: Vec<u32> = record.threads.iter().map(|thread| thread.process).collect();
    assert_eq!(processes, [1, 2, 3], "{:?} {:?}", record.threads, outline(&record));
    for expected in
        [What::NewProcess(2), What::NewProcess(3), What::Became("sleep".to_owned()), What::Ended(3)]
    {
        assert!(happened(&record, &expected), "{expected:?} in {:?}", outline(&record));
    }
    // The child's exec is the child's, and the subject's own is the subject's.
    let became = |name: &str| {
        let event = record.events.iter().find(|event| event.what == What::Became(name.to_owned()));
        event.map(|event| event.thread)
    };
    assert_eq!((became("true"), became("sleep")), (Some(2), Some(1)));
}

fn a_subject_killed_inside_a_call_leaves_that_call_open() {
    let (stdin, _writer) = io::pipe().unwrap();
    let launch = Launch::new("/bin/sh").arg("-c").arg("echo go; read line").stdin(stdin);
    let mut subject = launch.witnessed().start().unwrap();
    assert_eq!(subject.line().unwrap().as_deref(), Some("go"));
    let waits = || {
        let record = subject.record().unwrap();
        calls(&record, "read").iter().any(|call| call.outcome == CallOutcome::Pending)
    };
    wait::until("the shell is inside read", waits).unwrap();
    subject.signal(Signal::SIGKILL).unwrap();
    assert_eq!(subject.exit_status().unwrap().signal(), Some(libc::SIGKILL));
    let record = subject.record().unwrap();
    let last = calls(&record, "read").last().map(|call| (call.outcome.clone(), call.returned));
    assert_eq!(last, Some((CallOutcome::Pending, None)));
    assert!(happened(&record, &What::Killed("SIGKILL".to_owned())), "{:?}", outline(&record));
}

fn signals_are_recorded_and_delivered_those_of_real_time_too() {
    let script = "trap 'echo one' USR1; trap 'echo two' 40; kill -s USR1 $$; kill -40 $$";
    let mut subject = shell(script);
    assert_eq!(subject.exit_status().unwrap().code(), Some(0));
    let lines = [subject.line().unwrap(), subject.line().unwrap()];
    assert_eq!(lines, [Some("one".to_owned()), Some("two".to_owned())]);
    let record = subject.record().unwrap();
    for signal in ["SIGUSR1", "SIGRT40"] {
        let what = What::Signal(signal.to_owned());
        assert!(happened(&record, &what), "{signal} in {:?}", outline(&record));
    }
}

fn a_subject_that_crashes_is_recorded_to_its_end() {
    let mut subject = shell("kill -s SEGV $$");
    assert_eq!(subject.exit_status().unwrap().signal(), Some(libc::SIGSEGV));
    let record = subject.record().unwrap();
    assert!(happened(&record, &What::Killed("SIGSEGV".to_owned())), "{:?}", outline(&record));
}

fn it_can_be_stopped_and_goes_on() {
    let (stdin, writer) = io::pipe().unwrap();
    let launch = Launch::new("/bin/sh").arg("-c").arg("echo go; read line; echo $line");
    let mut subject = launch.stdin(stdin).witnessed().start().unwrap();
    assert_eq!(subject.line().unwrap().as_deref(), Some("go"));
    subject.stop().unwrap();
    io::Write::write_all(&mut &writer, b"after\n").unwrap();
    // Stopped means that it does not answer; only an absence is shown by a window.
    std::thread::sleep(wait::QUIET);
    assert!(calls(&subject.record().unwrap(), "write").len() == 1);
    subject.go_on().unwrap();
    assert_eq!(subject.line().unwrap().as_deref(), Some("after"));
    assert_eq!(subject.exit_status().unwrap().code(), Some(0));
    let record = subject.record().unwrap();
    assert!(happened(&record, &What::Stopped("SIGSTOP".to_owned())), "{:?}", outline(&record));
}

/// A part.
fn copies_a_connection() -> ExitCode {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let connected = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let accepted = listener.accept().unwrap().0;
    io::Write::write_all(&mut accepted.try_clone().unwrap(), b"accepted").unwrap();
    io::Write::write_all(&mut connected.try_clone().unwrap(), b"connected").unwrap();
    ExitCode::SUCCESS
}

fn a_copy_of_a_connection_is_what_the_connection_is() {
    let mut subject = ourselves("copies a connection", Stdio::null());
    assert_eq!(subject.exit_status().unwrap().code(), Some(0));
    let record = subject.record().unwrap();
    let wrote = record.events.iter().filter_map(|event| match &event.what {
        What::Call(Call { arguments: Arguments::Write { to, bytes, .. }, .. }) => {
            let Object::Connection { accepted, .. } = &to.object else { return None };
            Some((bytes.0.clone(), *accepted))
        }
        _ => None,
    });
    let wrote: Vec<_> = wrote.collect();
    assert_eq!(wrote, [("accepted".to_owned(), true), ("connected".to_owned(), false)]);
}

/// A part.
fn polls() -> ExitCode {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    let stdin = io::stdin();
    let mut entries = [PollFd::new(std::os::fd::AsFd::as_fd(&stdin), PollFlags::POLLIN)];
    nix::unistd::getuid();
    poll(&mut entries, PollTimeout::NONE).unwrap();
    ExitCode::SUCCESS
}

fn a_wait_that_a_stop_has_interrupted_goes_on_with_its_arguments() {
    let (stdin, writer) = io::pipe().unwrap();
    let mut subject = ourselves("polls", stdin);
    let waits = || {
        let record = subject.record().unwrap();
        let own = |event: &&Event| matches!(&event.what, What::Call(call) if call.name != "getuid");
        let polled = |event: &Event| match &event.what {
            What::Call(Call { arguments: Arguments::Poll { entries, .. }, outcome, .. }) => {
                Some((entries.first()?.revents.to_string(), outcome.clone()))
            }
            _ => None,
        };
        // What the runtime asks before is not the subject's doing.
        let before = record.events.iter().take_while(own).count();
        record.events[before..].iter().filter_map(polled).collect::<Vec<_>>()
    };
    wait::until("it polls", || waits().len() == 1).unwrap();
    subject.stop().unwrap();
    subject.go_on().unwrap();
    // Both the stop and the end of it may interrupt the wait.
    wait::until("it polls again", || waits().len() > 1).unwrap();
    io::Write::write_all(&mut &writer, b"x").unwrap();
    let last = Some(("IN".to_owned(), CallOutcome::Value(1)));
    wait::until("it has polled", || waits().last().cloned() == last).unwrap();
    assert_eq!(subject.exit_status().unwrap().code(), Some(0));
}

fn it_can_be_stopped_while_what_it_made_goes_on() {
    let script = "for i in 1 2 3 4; do while :; do cd /; done & done; echo go; wait";
    let subject = shell(script);
    assert_eq!(subject.line().unwrap().as_deref(), Some("go"));
    for _ in 0..5 {
        subject.stop().unwrap();
        subject.go_on().unwrap();
    }
}

fn what_forks_away_is_known_and_ends_with_the_subject() {
    let mut subject = shell("sleep 1000 & exit 0");
    assert_eq!(subject.exit_status().unwrap().code(), Some(0));
    let running = subject.running();
    assert_eq!(running.len(), 1, "{running:?}");
    drop(subject);
    assert_gone(running[0]);
}

fn what_ignores_sigterm_ends_with_the_subject() {
    let subject = shell("trap '' TERM; echo go; while :; do sleep 1000; done");
    assert_eq!(subject.line().unwrap().as_deref(), Some("go"));
    subject.signal(Signal::SIGTERM).unwrap();
    wait::until("the signal is recorded", || {
        happened(&subject.record().unwrap(), &What::NewProcess(2))
    })
    .unwrap();
    let running = subject.running();
    drop(subject);
    running.into_iter().for_each(assert_gone);
}

fn a_subject_dropped_at_any_moment_leaves_nothing() {
    for round in 0..40 {
        let subject = shell("while :; do /bin/true & done");
        wait::until("it has made something", || subject.running().len() > round % 4).unwrap();
        let running = subject.running();
        drop(subject);
        running.into_iter().for_each(assert_gone);
    }
}

fn what_cannot_be_executed_is_said_with_its_path() {
    let directory = tempfile::tempdir().unwrap();
    let plain = directory.path().join("plain");
    std::fs::write(&plain, "no program").unwrap();
    for (path, kind) in [
        (Path::new("/nowhere/at-all"), io::ErrorKind::NotFound),
        (&plain, io::ErrorKind::PermissionDenied),
        (directory.path(), io::ErrorKind::PermissionDenied),
    ] {
        let error = Launch::new(path).witnessed().start().expect_err("no program");
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().starts_with(&path.display().to_string()), "{error}");
    }
}

/// A part.
fn has_busy_threads() -> ExitCode {
    for _ in 0..16 {
        std::thread::spawn(|| {
            loop {
                nix::unistd::getppid();
            }
        });
    }
    for _ in 0..20 {
        nix::unistd::getuid();
    }
    ExitCode::from(7)
}

fn no_thread_is_kept_waiting_by_busy_ones() {
    let mut subject = ourselves("has busy threads", Stdio::null());
    assert_eq!(subject.exit_status().unwrap().code(), Some(7));
    let record = subject.record().unwrap();
    assert_eq!(calls(&record, "getuid").len(), 20);
}

/// A part: under a witness, nobody else can be one.
fn watches() -> ExitCode {
    let started = Launch::new("/bin/true").witnessed().start();
    println!("{}", started.err().map(|error| error.to_string()).unwrap_or_default());
    ExitCode::SUCCESS
}

fn where_ptrace_is_refused_one_sentence_names_the_setting() {
    let mut subject = ourselves("watches", Stdio::null());
    let came = subject.line().unwrap().expect("it says what came");
    assert!(came.contains("no witness here: ptrace(2) is forbidden here"), "{came}");
    assert!(came.contains("kernel.yama.ptrace_scope"), "{came}");
    assert!(subject.exit_status().unwrap().success());
}

fn many_subjects_are_witnessed_at_once_and_kept_apart() {
    std::thread::scope(|scope| {
        for number in 0..16 {
            scope.spawn(move || {
                let mut subject = shell(&format!("echo {number}; exit {number}"));
                assert_eq!(subject.exit_status().unwrap().code(), Some(number));
                let record = subject.record().unwrap();
                let text = format!(r"{number}\n");
                let wrote = calls(&record, "write").iter().any(|call| {
                    matches!(&call.arguments, Arguments::Write { bytes, .. } if bytes.0 == text)
                });
                assert!(wrote && record.threads.len() == 1);
            });
        }
    });
}

/// Nothing runs under this number any more; a process that has ended may still wait to be reaped.
fn assert_gone(process: Process) {
    let gone = || process.state().map_or(true, |state| state == 'Z');
    wait::until_within(Duration::from_secs(2), "the process is gone", gone).unwrap();
}
