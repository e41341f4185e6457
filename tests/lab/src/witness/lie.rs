//! A lying kernel: the witness changes what some calls of a subject are answered, as strace's `--inject`
//! does. So an answer can be met that the kernel gives rarely, or not on this machine.
//!
//! What was changed is marked in the record: [`super::record::Call::injected`].

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use nix::errno::Errno;
use serde::Deserialize;

use super::bits::Events;
use super::sentences::common_name;

/// Which calls are answered with a lie, and with which.
///
/// As text: `accept=EMFILE`, `poll=EINTR:2`, `write=1:3+`, `epoll_wait=everything:1..2`, `connect=200ms`. The parts are
/// a call by its [`common_name`], the answer, and after a colon which calls of that name: the second, all
/// from the third on, the first two; without it every one. They are counted for each process; of
/// `read` and `write` those of sockets alone, of `close` those of what has no path: how many files are opened before
/// a program's first line differs by machine.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Lie {
    call: String,
    pub(super) answer: Answer,
    first: u32,
    last: u32,
}

/// What a call is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It is not made, and fails with this errno: nothing has happened.
    Errno(i32),
    /// It is made for at most so many bytes: a short read or write.
    AtMost(u64),
    /// A wait is not made, and reports everything that it was asked about: a report with nothing behind it.
    Everything,
    /// A wait is not made, and reports these events of whatever it was asked about: of each those that it asked for,
    /// and ERR and HUP.
    Events(Events),
    /// A wait is not made, and reports nothing, as at the end of a time limit.
    Nothing,
    /// It is made, and returns this number whatever it has done. getsockopt(2), which returns none, is not made and
    /// gives it as the option's value.
    Number(u32),
    /// It is not made, and says 0, as if it were done. The value that getsockopt(2) then gives is all zeros.
    Done,
    /// It is made so much later; only its thread waits. A signal that comes meanwhile ends the delay.
    Late(Duration),
}

impl Lie {
    /// Every call of this name fails with this errno.
    #[must_use]
    pub fn errno(call: &str, errno: Errno) -> Self {
        Self::every(call, Answer::Errno(errno as i32))
    }

    /// Every call of this name, `read` or `write`, is for at most so many bytes.
    #[must_use]
    pub fn at_most(call: &str, bytes: u64) -> Self {
        Self::every(call, Answer::AtMost(bytes))
    }

    /// Every call of this name, `select`, `poll` or `epoll_wait`, reports all that it was asked about.
    #[must_use]
    pub fn everything(call: &str) -> Self {
        Self::every(call, Answer::Everything)
    }

    /// Every call of this name, `select`, `poll` or `epoll_wait`, reports nothing.
    #[must_use]
    pub fn nothing(call: &str) -> Self {
        Self::every(call, Answer::Nothing)
    }

    /// Every call of this name is made so much later.
    #[must_use]
    pub fn late(call: &str, time: Duration) -> Self {
        Self::every(call, Answer::Late(time))
    }

    fn every(call: &str, answer: Answer) -> Self {
        Self { call: call.to_owned(), answer, first: 1, last: u32::MAX }
    }

    /// Only these calls of the name, counted from 1.
    #[must_use]
    pub fn only(self, first: u32, last: u32) -> Self {
        Self { first, last, ..self }
    }

    /// Is it about a call of this kernel name?
    pub(super) fn is_about(&self, name: &str) -> bool {
        common_name(name) == self.call
    }

    /// Is it about the call of this number, counted from 1?
    pub(super) fn is_due(&self, number: u32) -> bool {
        (self.first..=self.last).contains(&number)
    }
}

/// The calls whose length a lie can shorten.
const SHORTENED: [&str; 2] = ["read", "write"];
/// The calls that a lie can let report everything, or nothing.
const WAITS: [&str; 3] = ["select", "poll", "epoll_wait"];
/// The calls that say 0 when they have done what they were asked for.
const DONE: [&str; 10] = [
    "bind",
    "close",
    "connect",
    "epoll_ctl",
    "fcntl",
    "getsockopt",
    "ioctl",
    "listen",
    "setsockopt",
    "shutdown",
];
/// No call is put off for longer: the lab would take the subject for one that hangs.
const LATEST: Duration = Duration::from_secs(10);

impl FromStr for Lie {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = "write CALL=ANSWER[:WHICH]: accept=EMFILE, poll=EINTR:2, poll=IN|HUP, write=1, \
                    connect=200ms, connect=done, epoll_wait=everything, select=nothing";
        let (call, rest) = text.split_once('=').ok_or(form)?;
        let (answer, which) =
            rest.split_once(':').map_or((rest, None), |(answer, which)| (answer, Some(which)));
        let known = call.parse::<syscalls::Sysno>().is_ok() || common_name(call) != call;
        if !known && !WAITS.contains(&call) {
            return Err(format!("no system call is named {call:?}; {form}"));
        }
        let call = common_name(call).to_owned();
        let answer = answer_of(&call, answer)?
            .ok_or_else(|| format!("{answer:?} is no answer: no errno has this name; {form}"))?;
        let (first, last) = match which {
            None => (1, u32::MAX),
            Some(which) => {
                range(which).ok_or_else(|| format!("which calls is {which:?}? 2, 3+ or 1..2"))?
            }
        };
        Ok(Self { call, answer, first, last })
    }
}

impl TryFrom<String> for Lie {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The answer that a person has written for this call; `None` if it is none.
fn answer_of(call: &str, answer: &str) -> Result<Option<Answer>, String> {
    let only = |calls: &[&str], told: Answer| {
        let goes = calls.contains(&call);
        goes.then_some(Some(told))
            .ok_or_else(|| format!("`{answer}` goes with {}", calls.join(", ")))
    };
    let milliseconds = answer.strip_suffix("ms").and_then(|number| number.parse().ok());
    match (answer, answer.parse(), milliseconds.map(Duration::from_millis)) {
        ("everything", ..) => only(&WAITS, Answer::Everything),
        ("nothing", ..) => only(&WAITS, Answer::Nothing),
        ("done", ..) => only(&DONE, Answer::Done),
        (_, Ok(bytes), _) if SHORTENED.contains(&call) => Ok(Some(Answer::AtMost(bytes))),
        (_, Ok(number), _) => Ok(u32::try_from(number).ok().map(Answer::Number)),
        (.., Some(time)) if time <= LATEST => Ok(Some(Answer::Late(time))),
        (.., Some(_)) => Err(format!("a call is put off for {} ms at most", LATEST.as_millis())),
        _ => match (named(answer), Events::try_from(answer.to_owned())) {
            (Some(errno), _) => Ok(Some(Answer::Errno(errno as i32))),
            (None, Ok(events)) if events.intersects(Events::NVAL) => {
                only(&["poll"], Answer::Events(events))
            }
            (None, Ok(events)) => only(&WAITS[1..], Answer::Events(events)),
            (None, Err(_)) => Ok(None),
        },
    }
}

/// The errno of this name; none has a number above 200: errno(3), asm-generic/errno.h.
fn named(name: &str) -> Option<Errno> {
    let name = match name {
        "EWOULDBLOCK" => "EAGAIN",
        "ENOTSUP" => "EOPNOTSUPP",
        name => name,
    };
    let known = (1..200).map(Errno::from_raw).filter(|errno| *errno != Errno::UnknownErrno);
    known.into_iter().find(|errno| format!("{errno:?}") == name)
}

/// `2`, `3+`, `1..2`: the first and the last, counted from 1.
fn range(text: &str) -> Option<(u32, u32)> {
    let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
    if let Some(first) = text.strip_suffix('+') {
        return Some((number(first)?, u32::MAX));
    }
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

impl fmt::Display for Lie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.call)?;
        match self.answer {
            Answer::Errno(errno) => write!(f, "{:?}", Errno::from_raw(errno))?,
            Answer::AtMost(bytes) => write!(f, "{bytes}")?,
            Answer::Everything => f.write_str("everything")?,
            Answer::Events(events) => write!(f, "{events}")?,
            Answer::Nothing => f.write_str("nothing")?,
            Answer::Number(number) => write!(f, "{number}")?,
            Answer::Done => f.write_str("done")?,
            Answer::Late(time) => write!(f, "{}ms", time.as_millis())?,
        }
        match (self.first, self.last) {
            (1, u32::MAX) => Ok(()),
            (first, u32::MAX) => write!(f, ":{first}+"),
            (first, last) if first == last => write!(f, ":{first}"),
            (first, last) => write!(f, ":{first}..{last}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_what_it_writes() {
        for text in [
            "accept=EMFILE",
            "poll=EINTR:2",
            "write=1:3+",
            "epoll_wait=everything:1..2",
            "select=nothing",
            "connect=done:1",
            "connect=200ms",
            "poll=IN|HUP:2",
            "epoll_ctl=1",
        ] {
            assert_eq!(text.parse::<Lie>().unwrap().to_string(), text);
        }
        // The kernel's own names mean the common ones.
        assert_eq!("accept4=EMFILE".parse(), "accept=EMFILE".parse::<Lie>());
    }

    #[test]
    fn what_means_nothing_is_said() {
        for (text, said) in [
            ("accept", "CALL=ANSWER"),
            ("acept=EMFILE", "no system call"),
            ("accept=EMFIL", "no errno"),
            ("accept=UnknownErrno", "no errno"),
            ("select=IN", "poll, epoll_wait"),
            ("epoll_wait=NVAL", "goes with poll"),
            ("poll=IM", "no answer"),
            ("accept=5000000000", "no answer"),
            ("read=everything", "select, poll"),
            ("read=nothing", "select, poll"),
            ("read=done", "bind, close"),
            ("read=10001ms", "at most"),
            ("read=ms", "no errno"),
            ("poll=EINTR:0", "which calls"),
            ("poll=EINTR:3..2", "which calls"),
        ] {
            let error = text.parse::<Lie>().unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
