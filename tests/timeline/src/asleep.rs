//! When has a program come to rest? The witness tells which call each thread is in, and `/proc` that
//! the thread sleeps there.

use lab::process::Process;
use lab::subject::Running;
use lab::witness::record::{Arguments, Call, Outcome, Record, What};

/// Does every thread of the program sleep in a call that waits, one of them since `since`, in
/// nanoseconds of `CLOCK_MONOTONIC`?
#[must_use]
pub fn sleeps_since(subject: &Running, since: u64) -> bool {
    let Some(before) = subject.record() else { return false };
    if !waits_since(&before, since.saturating_sub(before.began)) {
        return false;
    }
    // A call that was made need not sleep: the kernel must say that it does, and nothing may have
    // happened meanwhile.
    let alive = before.threads.iter().filter(|thread| last(&before, thread.number).is_some());
    let asleep = |tid: i32| {
        let state = u32::try_from(tid).map(|tid| Process(tid).state());
        matches!(state, Ok(Ok('S')))
    };
    let all = alive.filter(|thread| !ended(&before, thread.number)).all(|t| asleep(t.tid));
    all && subject.record().is_some_and(|after| after.events.len() == before.events.len())
}

fn waits_since(record: &Record, since: u64) -> bool {
    let mut newest = None;
    for thread in &record.threads {
        let (at, call) = match last(record, thread.number) {
            Some((at, What::Call(call))) => (at, call),
            // A thread's end is as good a sign as a wait that begins.
            Some((at, What::Ended(_) | What::Killed(_))) => {
                newest = newest.max(Some(at));
                continue;
            }
            _ => return false,
        };
        if call.outcome != Outcome::Pending || !may_sleep(call) {
            return false;
        }
        newest = newest.max(Some(at));
    }
    newest.is_some_and(|newest| newest >= since)
}

/// The last thing that happened to a thread.
fn last(record: &Record, thread: u32) -> Option<(u64, &What)> {
    let event = record.events.iter().rev().find(|event| event.thread == thread)?;
    Some((event.at, &event.what))
}

fn ended(record: &Record, thread: u32) -> bool {
    matches!(last(record, thread), Some((_, What::Ended(_) | What::Killed(_))))
}

/// Other calls in which a program may wait for its peers or for its own threads and processes.
const SLEEP: [&str; 8] = [
    "connect",
    "futex",
    "nanosleep",
    "clock_nanosleep",
    "wait4",
    "waitid",
    "pause",
    "rt_sigtimedwait",
];

fn may_sleep(call: &Call) -> bool {
    match &call.arguments {
        Arguments::Accept { .. }
        | Arguments::Read { .. }
        | Arguments::Write { .. }
        | Arguments::Select { .. }
        | Arguments::Poll { .. }
        | Arguments::EpollWait { .. } => true,
        _ => SLEEP.contains(&call.name.as_str()),
    }
}
