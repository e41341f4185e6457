//! One lane for each participant, and what each of them did: a recording, put side by side.

use lab::witness::record::{Arguments, Call, Event, Outcome, Record, Timeout, What};

use crate::answers::answer;
use crate::names::{Form, Names};
use crate::questions::question;
use crate::recording::{Deed, Did, Recording};
use crate::words::{self, Words, bytes, is_shown, quoted};

/// The lane of the program.
pub const PROGRAM: usize = 0;

/// The lane of what the kernel answered.
pub const KERNEL: usize = 1;

/// A run, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// The lanes' names: the program, the kernel, and each peer in the order of appearance.
    pub lanes: Vec<String>,
    /// What happened, in the order in which it began.
    pub rows: Vec<Row>,
    /// Had the program more than one thread? Then a row's thread matters.
    pub threads: bool,
}

/// One thing that happened. Times are nanoseconds since the record began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// When it began.
    pub at: u64,
    /// When it was over; `None` if it never was.
    pub until: Option<u64>,
    /// Whose lane: a place in [`Timeline::lanes`].
    pub lane: usize,
    /// Which thread of the program; 0 for a peer.
    pub thread: u32,
    /// What kind of thing.
    pub kind: Kind,
    /// The name of the call: `select`. Empty if it is none.
    pub call: String,
    /// What was asked or done.
    pub says: Words,
    /// What the kernel answered.
    pub answer: Option<Words>,
}

/// What kind of thing a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The program prepares its listener.
    Setup,
    /// The program waits with select, poll or epoll.
    Wait,
    /// The same with a time limit of zero: it looks, and does not wait.
    Look,
    /// A call that may sleep, but concerns one descriptor only: accept, connect, read, write.
    Transfer,
    /// Any other call of the program.
    Act,
    /// Something happened to the program: a thread, a signal, its end.
    Note,
    /// A peer did something.
    Deed,
}

impl Timeline {
    /// The timeline of a recording.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let Recording { record, peers, .. } = recording;
        let names = Names(peers);
        let mut lanes = vec![record.program.clone(), "kernel".to_owned()];
        for deed in peers {
            if !lanes[2..].contains(&deed.who) {
                lanes.push(deed.who.clone());
            }
        }
        let lane = |who: &str| 2 + lanes[2..].iter().position(|name| name == who).unwrap_or(0);
        let mut rows: Vec<Row> = peers.iter().map(|deed| of_deed(deed, lane(&deed.who))).collect();
        rows.extend(of_record(record, &names));
        rows.sort_by_key(|row| row.at);
        let threads = shown_threads(&rows) > 1;
        Self { lanes, rows, threads }
    }

    /// Without the rows that prepare the listener.
    #[must_use]
    pub fn without_setup(mut self) -> Self {
        self.rows.retain(|row| row.kind != Kind::Setup);
        self
    }

    /// The rows up to the first one that `ends` is true of, that one included. A call that comes back
    /// later has not come back.
    #[must_use]
    pub fn up_to(mut self, ends: impl Fn(&Row) -> bool) -> Self {
        let Some(at) = self.rows.iter().position(ends) else { return self };
        self.rows.truncate(at + 1);
        let last = self.rows[at].until;
        for row in &mut self.rows[..at] {
            if row.until > last {
                row.until = None;
                row.answer = None;
            }
        }
        self
    }

    /// The program and the kernel alone.
    #[must_use]
    pub fn without_peers(mut self) -> Self {
        self.rows.retain(|row| row.lane <= KERNEL);
        self.lanes.truncate(KERNEL + 1);
        self
    }
}

fn shown_threads(rows: &[Row]) -> usize {
    let mut threads: Vec<u32> = rows.iter().map(|row| row.thread).filter(|&n| n > 0).collect();
    threads.sort_unstable();
    threads.dedup();
    threads.len()
}

/// The program's rows: from its first socket on, and what belongs to it.
fn of_record(record: &Record, names: &Names<'_>) -> Vec<Row> {
    let is_socket = |event: &Event| call_named(event, "socket");
    let from = record.events.iter().position(is_socket).unwrap_or(0);
    // A program that listens prepares it before anything else, up to listen(2).
    let setup = record.events.iter().rposition(|event| call_named(event, "listen"));
    let events = record.events.iter().enumerate().skip(from);
    events.filter_map(|(at, event)| of_event(record, event, setup >= Some(at), names)).collect()
}

fn call_named(event: &Event, name: &str) -> bool {
    matches!(&event.what, What::Call(call) if call.name == name)
}

fn of_event(record: &Record, event: &Event, setup: bool, names: &Names<'_>) -> Option<Row> {
    if !is_shown(event) {
        return None;
    }
    let note = |text: &str| Row {
        at: event.at,
        until: Some(event.at),
        lane: PROGRAM,
        thread: event.thread,
        kind: Kind::Note,
        call: String::new(),
        says: Words::from(text),
        answer: None,
    };
    Some(match &event.what {
        What::Call(call) => of_call(event, call, setup, names),
        What::NewThread(number) => note(&format!("starts thread {number}")),
        What::NewProcess(_) => note("makes a process"),
        What::Signal(name) => note(&format!("gets {name}")),
        What::Stopped(name) => note(&format!("is stopped by {name}")),
        What::Became(name) => note(&format!("becomes {name}")),
        What::Ended(status) if is_first(record, event) => note(&format!("ends: status {status}")),
        What::Ended(_) => note(&format!("thread {} ends", event.thread)),
        // The lab ends what is still running when the script is over: that is no event of the run.
        What::Killed(name) if name == "SIGKILL" => return None,
        What::Killed(name) if is_first(record, event) => note(&format!("is ended by {name}")),
        What::Killed(_) => return None,
    })
}

fn is_first(record: &Record, event: &Event) -> bool {
    record.threads.first().is_some_and(|first| first.number == event.thread)
}

fn of_call(event: &Event, call: &Call, setup: bool, names: &Names<'_>) -> Row {
    let kind = if setup { Kind::Setup } else { kind(call) };
    let returned = call.outcome != Outcome::Pending;
    Row {
        at: event.at,
        until: call.returned.filter(|_| returned),
        lane: PROGRAM,
        thread: event.thread,
        kind,
        call: words::name(call).to_owned(),
        says: question(call, names),
        answer: answer(call, names),
    }
}

fn kind(call: &Call) -> Kind {
    match &call.arguments {
        Arguments::Select { timeout, .. }
        | Arguments::Poll { timeout, .. }
        | Arguments::EpollWait { timeout, .. } => match timeout {
            Timeout::Nanoseconds(0) => Kind::Look,
            _ => Kind::Wait,
        },
        Arguments::Accept { .. }
        | Arguments::Address { .. }
        | Arguments::Read { .. }
        | Arguments::Write { .. } => Kind::Transfer,
        _ => Kind::Act,
    }
}

fn of_deed(deed: &Deed, lane: usize) -> Row {
    let Deed { at, until, did, .. } = deed;
    Row {
        at: *at,
        until: Some(*until),
        lane,
        thread: 0,
        kind: Kind::Deed,
        call: String::new(),
        says: said_of(did),
        answer: None,
    }
}

/// What a peer did, in words.
#[must_use]
pub fn said_of(did: &Did) -> Words {
    let by_form = |say: &dyn Fn(Form) -> String| Words {
        full: say(Form::Full),
        short: say(Form::Short),
        plain: say(Form::Plain),
        sets: Vec::new(),
    };
    match did {
        Did::Listens(_) => Words::from("listens"),
        Did::Refuses(_) => Words::from("refuses"),
        Did::Drops(_) => Words::from("drops all"),
        Did::Connects(_) => Words::from("connects"),
        Did::Accepts => Words::from("accepts"),
        Did::Sends(count, text) => by_form(&|form| match form {
            Form::Short => format!("sends {count}"),
            Form::Full if *count > 100 => format!("sends {}", bytes(*count)),
            // How much goes into the buffers before they are full differs from run to run.
            Form::Plain if *count > 100 => "sends much".to_owned(),
            _ => format!("sends {}", quoted(text, *count)),
        }),
        Did::Gets(count, text) => by_form(&|form| match form {
            Form::Short => format!("gets {count}"),
            Form::Full if *count > 100 => format!("gets {}", bytes(*count)),
            Form::Plain if *count > 100 => "gets much".to_owned(),
            _ => format!("gets {}", quoted(text, *count)),
        }),
        Did::HearsNothing => by_form(&|form| match form {
            Form::Short => "nothing".to_owned(),
            _ => "hears nothing".to_owned(),
        }),
        Did::HalfCloses => by_form(&|form| match form {
            Form::Short => "FIN".to_owned(),
            _ => "half-closes".to_owned(),
        }),
        Did::MeetsEnd => by_form(&|form| match form {
            Form::Short => "end".to_owned(),
            _ => "meets the end".to_owned(),
        }),
        Did::Resets => by_form(&|form| match form {
            Form::Short => "RST".to_owned(),
            _ => "resets".to_owned(),
        }),
        Did::Fails(why) => Words::from(why.as_str()),
    }
}
