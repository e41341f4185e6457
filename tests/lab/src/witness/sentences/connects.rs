//! One connect per address, and `SO_ERROR` as the judge of a connect that did not wait.

use std::collections::BTreeMap;

use super::answers::answers_of;
use super::calls::{CallAt, Key};
use super::{Contradiction, Sentence};
use crate::witness::record::{Arguments, Record};

/// What became of a connect that did not wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// To where.
    pub address: String,
    /// What `SO_ERROR` said, an errno's number or 0; `None` if no wait ever reported the socket, so
    /// that there was nothing to ask.
    pub so_error: Option<i32>,
}

/// A connect that is under way.
struct Attempt<'a> {
    connect: CallAt<'a>,
    address: &'a str,
    report: Option<CallAt<'a>>,
    answer: Option<(CallAt<'a>, i32)>,
}

/// What a connect says that is called again on a socket whose connect is under way, has failed or has
/// succeeded: connect(2); `ECONNABORTED` is Linux's own.
const ASKS_AGAIN: [&str; 3] = ["EALREADY", "ECONNABORTED", "EISCONN"];

fn asks_again(call: &CallAt) -> bool {
    ASKS_AGAIN.iter().any(|errno| call.failed_with(errno))
}

impl Record {
    /// Its connects, of whatever kind of socket.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn connects(&self) -> Sentence<impl Iterator<Item = CallAt<'_>>> {
        Ok(self.calls()?.filter(|call| call.name() == "connect"))
    }

    /// It began exactly one connect for each of these addresses, in this order. A connect that
    /// asks again about an earlier one begins none.
    ///
    /// # Errors
    ///
    /// The connects that it began.
    pub fn connects_once_to_each<T: AsRef<str>>(&self, addresses: &[T]) -> Sentence {
        let connects: Vec<_> = self.connects()?.filter(|call| !asks_again(call)).collect();
        let called = connects.iter().filter_map(|call| match &call.call.arguments {
            Arguments::Address { address, .. } => Some(address.as_str()),
            _ => None,
        });
        if called.eq(addresses.iter().map(AsRef::as_ref)) {
            return Ok(());
        }
        let expected: Vec<&str> = addresses.iter().map(AsRef::as_ref).collect();
        let seen = format!("{} connects instead of one to each of {expected:?}", connects.len());
        Err(Contradiction::at(seen, connects))
    }

    /// Each connect that did not wait (`EINPROGRESS`) was decided by `SO_ERROR`: a wait reported the
    /// socket, then `SO_ERROR` was asked, once, before the socket was used for anything else.
    /// A socket that no wait reported was not asked. Where the kernel went on after the answer (a second
    /// connect said `EALREADY`), all of it counts anew. Returns what was decided, in the order in which the
    /// connects began.
    ///
    /// # Errors
    ///
    /// An `SO_ERROR` before the report or asked twice; a socket that was used, connected again or
    /// closed without it; no such connect at all.
    pub fn decides_connects_by_so_error(&self) -> Sentence<Vec<Decision>> {
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut by_key: BTreeMap<Key, usize> = BTreeMap::new();
        for call in self.calls()? {
            for (descriptor, _) in answers_of(call.call) {
                if let Some(&index) = by_key.get(&self.key(call, descriptor)) {
                    attempts[index].report.get_or_insert(call);
                }
            }
            let Some(descriptor) = call.descriptor() else { continue };
            let key = self.key(call, descriptor);
            let Some(&index) = by_key.get(&key) else {
                if let Arguments::Address { address, .. } = &call.call.arguments
                    && call.failed_with("EINPROGRESS")
                {
                    by_key.insert(key, attempts.len());
                    attempts.push(Attempt { connect: call, address, report: None, answer: None });
                }
                continue;
            };
            let attempt = &mut attempts[index];
            match &call.call.arguments {
                Arguments::Option { option, value, .. } => {
                    if option == "SO_ERROR" {
                        attempt.asked(call, value.unwrap_or(0))?;
                    }
                }
                Arguments::Address { .. } if call.failed_with("EALREADY") => attempt.goes_on(),
                // Neither tells how the connect ended, nor relies on it.
                Arguments::EpollControl { .. } | Arguments::Mode { .. } => {}
                Arguments::Close { .. } => {
                    by_key.remove(&key);
                    attempt.used(call, "closed")?;
                }
                _ => attempt.used(call, "used")?,
            }
        }
        for attempt in &attempts {
            attempt.finished()?;
        }
        if attempts.is_empty() {
            return Err(Contradiction::of("no connect was left to finish by itself (EINPROGRESS)"));
        }
        let decision = |attempt: &Attempt| Decision {
            address: attempt.address.to_owned(),
            so_error: attempt.answer.map(|(_, errno)| errno),
        };
        Ok(attempts.iter().map(decision).collect())
    }
}

impl<'a> Attempt<'a> {
    fn asked(&mut self, call: CallAt<'a>, errno: i32) -> Sentence {
        if self.report.is_none() {
            let seen = format!(
                "SO_ERROR of the connect to {} was asked before any wait had reported the socket",
                self.address
            );
            return Err(Contradiction::at(seen, [self.connect, call]));
        }
        if let Some((first, _)) = self.answer {
            let seen = format!(
                "SO_ERROR of the connect to {} was asked twice: reading it clears it",
                self.address
            );
            return Err(Contradiction::at(seen, [first, call]));
        }
        self.answer = Some((call, errno));
        Ok(())
    }

    /// What was told meant nothing: the next report counts.
    fn goes_on(&mut self) {
        self.report = None;
        self.answer = None;
    }

    /// Nothing may be done with a socket that was reported before `SO_ERROR` has said how it ended;
    /// what was never reported may only be closed.
    fn used(&self, call: CallAt<'a>, what: &str) -> Sentence {
        let given_up = what == "closed" && self.report.is_none();
        if self.answer.is_some() || given_up {
            return Ok(());
        }
        let about = call.descriptor().map(ToString::to_string);
        let seen =
            format!("{} was {what} and SO_ERROR had not been asked", about.unwrap_or_default());
        let calls = [Some(self.connect), self.report, Some(call)];
        Err(Contradiction::at(seen, calls.into_iter().flatten()))
    }

    fn finished(&self) -> Sentence {
        match (self.report, self.answer) {
            (Some(report), None) => {
                let seen = format!(
                    "the connect to {} was reported, and SO_ERROR was never asked",
                    self.address
                );
                Err(Contradiction::at(seen, [self.connect, report]))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::witness::sentences::made::Made;

    fn decided(made: &Made) -> Sentence<Vec<Decision>> {
        made.record().decides_connects_by_so_error()
    }

    #[test]
    fn so_error_after_the_report_decides() {
        let mut made = Made::new();
        made.connect(5, -115).connect(6, -115).connect(7, -115);
        made.poll(None, &[(5, "OUT", "OUT"), (6, "OUT", "OUT|ERR|HUP"), (7, "OUT", "0")]);
        made.so_error(5, 0).so_error(6, 111).close(6).close(7).write(5, 4, 4);
        let decisions = decided(&made).unwrap();
        let errors: Vec<_> = decisions.iter().map(|decision| decision.so_error).collect();
        assert_eq!(errors, [Some(0), Some(111), None]);
        let addresses: Vec<_> = decisions.into_iter().map(|decision| decision.address).collect();
        made.record().connects_once_to_each(&addresses).unwrap();
        made.record().connects_once_to_each(&addresses[..2]).unwrap_err();
    }

    #[test]
    fn a_connect_that_asks_again_begins_none_and_may_find_it_under_way() {
        let mut made = Made::new();
        made.connect(5, -115).epoll_wait(None, &[(5, "ERR")]).so_error(5, 113);
        made.connect(5, -114).epoll_wait(None, &[(5, "OUT|ERR|HUP")]);
        let undecided = decided(&made).unwrap_err();
        assert!(undecided.seen.contains("never asked"), "the first answer was none: {undecided:?}");
        made.so_error(5, 111).connect(5, -103).close(5);
        let decisions = decided(&made).unwrap();
        assert_eq!(decisions[0].so_error, Some(111));
        made.record().connects_once_to_each(&[&decisions[0].address]).unwrap();
    }

    #[test]
    fn so_error_too_early_twice_or_never_is_seen() {
        let mut early = Made::new();
        early.connect(5, -115).so_error(5, 0);
        assert!(decided(&early).unwrap_err().seen.contains("before any wait"));
        let mut twice = Made::new();
        twice.connect(5, -115).epoll_wait(None, &[(5, "OUT")]).so_error(5, 0).so_error(5, 0);
        assert!(decided(&twice).unwrap_err().seen.contains("twice"));
        let mut never = Made::new();
        never.connect(5, -115).epoll_wait(None, &[(5, "OUT")]);
        assert!(decided(&never).unwrap_err().seen.contains("never asked"));
        never.write(5, 4, 4);
        assert!(decided(&never).unwrap_err().seen.contains("was used"));
        let mut again = Made::new();
        again.connect(5, -115).epoll_wait(None, &[(5, "OUT")]).connect(5, 0);
        decided(&again).unwrap_err();
        decided(Made::new().connect(5, 0)).unwrap_err();
    }
}
