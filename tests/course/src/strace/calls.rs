//! Calls in the form in which both sides are compared: name, descriptor, result.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use lab::witness::record::{Arguments, CallOutcome, Record};
use lab::witness::sentences::{CallAt, Sentence};

/// One call.
pub struct Shown {
    name: String,
    /// The first argument, where that is a descriptor.
    descriptor: Option<i32>,
    /// A number, an errno, or `?` for a call that did not return.
    result: String,
}

/// What these return differs from run to run: addresses, numbers of processes.
const ARBITRARY: [&str; 10] = [
    "brk",
    "mmap",
    "mremap",
    "clone",
    "clone3",
    "fork",
    "vfork",
    "getpid",
    "gettid",
    "set_tid_address",
];

impl Shown {
    /// Is it the same call with the same result, as far as that is the program's doing?
    pub fn agrees(&self, other: &Self) -> bool {
        self.name == other.name
            // Which of strace's first arguments are descriptors only the witness knows.
            && (self.descriptor.is_none() || self.descriptor == other.descriptor)
            && (self.result == other.result || self.may_differ(other))
    }

    fn may_differ(&self, other: &Self) -> bool {
        let both = |holds: fn(&str) -> bool| holds(&self.result) && holds(&other.result);
        let number = |text: &str| text.parse::<i64>().is_ok();
        // What is read from /proc/self/maps has as many bytes as the addresses make it.
        let of_a_file = self.name == "read" && both(|text| text != "0");
        (ARBITRARY.contains(&self.name.as_str()) || of_a_file || self.tells()) && both(number)
    }

    /// Does it tell a person something? The lessons tell how long things took, piece by piece: in as
    /// many bytes and calls as the digits make it.
    fn tells(&self) -> bool {
        self.name == "write" && matches!(self.descriptor, Some(1 | 2))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let descriptor = self.descriptor.map(|number| number.to_string()).unwrap_or_default();
        write!(f, "{}({descriptor}) = {}", self.name, self.result)
    }
}

/// The calls of each thread, the threads in the order of their numbers in the kernel.
pub fn of_record(record: &Record) -> Sentence<Vec<Vec<Shown>>> {
    let mut threads: BTreeMap<i32, Vec<Shown>> = BTreeMap::new();
    for thread in &record.threads {
        let of_thread = record.calls()?.filter(|call| call.event.thread == thread.number);
        let shown = of_thread.map(|call| Shown {
            name: call.call.name.clone(),
            descriptor: first_argument(call),
            result: match &call.call.outcome {
                CallOutcome::Value(value) => value.to_string(),
                CallOutcome::Error(errno) => errno.clone(),
                CallOutcome::Pending => "?".to_owned(),
            },
        });
        threads.insert(thread.tid, told_at_once(shown.collect()));
    }
    Ok(threads.into_values().collect())
}

/// What was told in several pieces counts as one.
fn told_at_once(mut calls: Vec<Shown>) -> Vec<Shown> {
    calls.dedup_by(|next, last| next.tells() && last.tells() && next.descriptor == last.descriptor);
    calls
}

/// The descriptor that is the call's first argument.
fn first_argument(call: CallAt<'_>) -> Option<i32> {
    match &call.call.arguments {
        Arguments::EpollControl { epoll, .. } | Arguments::EpollWait { epoll, .. } => {
            Some(epoll.number)
        }
        _ => call.descriptor().map(|descriptor| descriptor.number),
    }
}

/// The same from the files that `strace -ff -o FOLDER/trace` wrote: one for each thread.
pub fn of_strace(folder: &Path) -> io::Result<Vec<Vec<Shown>>> {
    let mut threads = BTreeMap::new();
    for (tid, path) in traces(folder)? {
        let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
        let mut calls: Vec<Shown> = text.lines().filter_map(of_line).collect();
        // The witness begins where exec ends.
        if calls.first().is_some_and(|call| call.name == "execve") {
            calls.remove(0);
        }
        threads.insert(tid, told_at_once(calls));
    }
    Ok(threads.into_values().collect())
}

/// The trace files, by the number of their thread.
pub fn traces(folder: &Path) -> io::Result<BTreeMap<i32, std::path::PathBuf>> {
    let mut traces = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let tid = path.extension().and_then(|tid| tid.to_str()?.parse().ok());
        traces.extend(tid.map(|tid| (tid, path)));
    }
    Ok(traces)
}

/// `recvfrom(5, "hello", 16384, 0, NULL, NULL) = 5`; `... = -1 EAGAIN (...)`; `... = ?`. Signals and
/// ends have lines of another form.
fn of_line(line: &str) -> Option<Shown> {
    let (name, rest) = line.split_once('(')?;
    if !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return None;
    }
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let first = arguments.split([',', ')', ' ']).next().unwrap_or_default();
    let mut words = result.split_whitespace();
    let result = match (words.next()?, words.next()) {
        ("-1" | "?", Some(errno)) if errno.starts_with('E') => errno.to_owned(),
        (value, _) => match value.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16).ok()?.cast_signed().to_string(),
            None => value.to_owned(),
        },
    };
    Some(Shown { name: name.to_owned(), descriptor: first.parse().ok(), result })
}
