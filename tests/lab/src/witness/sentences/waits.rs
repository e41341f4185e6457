//! Which calls waited, and whether they slept.

use std::collections::BTreeSet;

use super::answers::answers_of;
use super::calls::CallAt;
use super::{Contradiction, Counts, Sentence};
use crate::witness::record::{CallOutcome, Record, Timeout, What};

/// What is said of a record without a wait.
const NEVER: &str = "it never waited: no select, no poll, no epoll_wait";

/// Calls in which a program waits for its own threads and processes, for time, or for a signal.
const SLEEPS: [&str; 6] = ["futex", "nanosleep", "wait4", "waitid", "pause", "rt_sigtimedwait"];

impl Record {
    /// The calls that wait for several descriptors: select, poll, `epoll_wait`.
    ///
    /// Without the poll of Rust's runtime: [`CallAt::is_wait`].
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn waits(&self) -> Sentence<impl Iterator<Item = CallAt<'_>>> {
        Ok(self.calls()?.filter(|call| call.is_wait()))
    }

    /// Which calls waited, and how often.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn wait_counts(&self) -> Sentence<Counts> {
        let mut counts = Counts::default();
        self.waits()?.for_each(|wait| counts.add(wait.name()));
        Ok(counts)
    }

    /// It waited, and in this call only: `select`, `poll` or `epoll_wait`.
    ///
    /// # Errors
    ///
    /// The other calls that waited.
    pub fn waits_only_in(&self, name: &str) -> Sentence {
        let counts = self.wait_counts()?;
        if counts.all() == 0 {
            return Err(Contradiction::of(NEVER));
        }
        let others: Vec<_> = self.waits()?.filter(|wait| wait.name() != name).collect();
        if others.is_empty() {
            return Ok(());
        }
        Err(Contradiction::at(format!("it waited in: {counts}"), others))
    }

    /// No wait had a time limit of zero.
    ///
    /// # Errors
    ///
    /// The waits that had.
    pub fn never_waits_with_a_zero_timeout(&self) -> Sentence {
        let found: Vec<_> = self.waits()?.filter(|wait| !wait.may_sleep()).collect();
        if found.is_empty() {
            return Ok(());
        }
        let all = self.waits()?.count();
        let seen = format!("{} of {all} waits had a time limit of zero", found.len());
        Err(Contradiction::at(seen, found))
    }

    /// It never asked twice in a row with a time limit of zero, got nothing, and did nothing in
    /// between: a busy loop.
    ///
    /// # Errors
    ///
    /// The waits that found nothing to do right after one that had found nothing.
    pub fn never_spins(&self) -> Sentence {
        // The threads whose last wait was empty-handed and that have done nothing since.
        let mut idle: BTreeSet<u32> = BTreeSet::new();
        let mut spinning = Vec::new();
        for call in self.calls()? {
            let thread = call.event.thread;
            if call.makes_progress() {
                idle.remove(&thread);
            } else if call.is_wait() && !call.may_sleep() && call.value() == Some(0) {
                if !idle.insert(thread) {
                    spinning.push(call);
                }
            } else if call.is_wait() {
                idle.remove(&thread);
            }
        }
        if spinning.is_empty() {
            return Ok(());
        }
        let seen = format!(
            "a busy loop: {} waits with a time limit of zero found nothing, again",
            spinning.len()
        );
        Err(Contradiction::at(seen, spinning))
    }

    /// It began no call at all: so is a part of a record in which a program that waits without a
    /// time limit was idle.
    ///
    /// # Errors
    ///
    /// The calls.
    pub fn is_quiet(&self) -> Sentence {
        let counts = self.counts()?;
        if counts.all() == 0 {
            return Ok(());
        }
        Err(Contradiction::at(format!("it was not quiet: {counts}"), self.calls()?))
    }

    /// Each wait that has not returned yet has no time limit: whoever sleeps there is woken by what it waits
    /// for alone.
    ///
    /// # Errors
    ///
    /// The waits that have one.
    pub fn sleeps_without_limit(&self) -> Sentence {
        let limited = self.waits()?.filter(|wait| {
            let sleeps = wait.call.outcome == CallOutcome::Pending;
            sleeps && matches!(wait.timeout(), Some(Timeout::Nanoseconds(_)))
        });
        let limited: Vec<_> = limited.collect();
        if limited.is_empty() {
            return Ok(());
        }
        Err(Contradiction::at("it sleeps with a time limit".to_owned(), limited))
    }

    /// How many waits came back with something ready.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn wake_ups(&self) -> Sentence<u64> {
        Ok(self.waits()?.filter(|wait| !answers_of(wait.call).is_empty()).count() as u64)
    }

    /// At most this many wake-ups for each of so many messages.
    ///
    /// # Errors
    ///
    /// How many there were.
    pub fn wakes_up_at_most(&self, each: u64, messages: u64) -> Sentence {
        let wake_ups = self.wake_ups()?;
        if wake_ups <= each * messages {
            return Ok(());
        }
        Err(Contradiction::of(format!(
            "{wake_ups} wake-ups for {messages} messages, instead of at most {each} each"
        )))
    }

    /// Every thread that has not ended sleeps: in a wait, or in a read, an accept or a connect on a
    /// descriptor that blocks.
    ///
    /// After a client has its whole reply, this is the moment at which a server has nothing left to
    /// do. So ask for it before and after what is to be counted.
    ///
    /// # Errors
    ///
    /// The last call of each thread that does not sleep.
    pub fn everybody_sleeps(&self) -> Sentence {
        // Not a write: it sleeps only where a reader does, and is on its way otherwise.
        let awake = self.awake(false)?;
        if awake.is_empty() {
            return Ok(());
        }
        Err(Contradiction { seen: "not everybody sleeps".to_owned(), at: awake })
    }

    /// What those threads do that are in no call that waits; a write waits if `write` says so.
    pub(super) fn awake(&self, write: bool) -> Sentence<Vec<String>> {
        let modes = self.modes()?;
        let mut awake = Vec::new();
        for thread in &self.threads {
            let last = self.events.iter().rev().find(|event| event.thread == thread.number);
            let call = match last.map(|event| (event, &event.what)) {
                Some((_, What::Ended(_) | What::Killed(_))) => continue,
                Some((event, What::Call(call))) => CallAt { event, call },
                _ => {
                    awake.push(format!("thread {} is between two calls", thread.number));
                    continue;
                }
            };
            let may_block = matches!(call.name(), "read" | "accept" | "connect")
                || (write && call.name() == "write");
            let blocks = |descriptor| modes.blocks(self.key(call, descriptor), call.event.at);
            let sleeps = call.may_sleep()
                || (may_block && call.descriptor().is_some_and(blocks))
                || SLEEPS.contains(&call.name());
            if !(call.is_pending() && sleeps) {
                awake.push(call.to_string());
            }
        }
        Ok(awake)
    }
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::made::Made;

    #[test]
    fn select_and_poll_are_told_apart() {
        let mut made = Made::new();
        made.poll(Some(0), &[(0, "0", "0"), (1, "0", "0"), (2, "0", "0")]);
        assert!(made.record().waits_only_in("poll").unwrap_err().seen.contains("never waited"));
        made.select(None, &[3], &[3]).accept(5).select(None, &[3, 5], &[5]).read(5, 100, 5);
        made.record().waits_only_in("select").unwrap();
        made.poll(None, &[(3, "IN", "0"), (5, "IN", "IN")]);
        let contradiction = made.record().waits_only_in("select").unwrap_err();
        assert_eq!(contradiction.seen, "it waited in: poll 1, select 2");
        let line = &contradiction.at[0];
        assert!(line.ends_with("poll([{3 IN} {5 IN}], forever) = 1 [{5 IN}]"), "{line}");
    }

    #[test]
    fn a_busy_loop_is_seen_and_a_budget_is_not_taken_for_one() {
        let mut made = Made::new();
        // Owed a turn: a look without sleeping between two reads.
        for _ in 0..3 {
            made.epoll_wait(Some(0), &[]).read(5, 100, 100);
        }
        made.record().never_spins().unwrap();
        made.record().never_waits_with_a_zero_timeout().unwrap_err();
        made.epoll_wait(Some(0), &[]).read(5, 100, -11).epoll_wait(Some(0), &[]);
        let contradiction = made.record().never_spins().unwrap_err();
        assert!(contradiction.to_string().starts_with("a busy loop: 1 waits"), "{contradiction}");
    }

    #[test]
    fn a_limit_of_a_sleep_is_seen() {
        let mut made = Made::new();
        made.epoll_wait(Some(1000), &[]).sleeps_in_epoll();
        made.record().sleeps_without_limit().unwrap();
        made.by(2).sleeps_in_epoll_at_most(1000);
        let contradiction = made.record().sleeps_without_limit().unwrap_err();
        assert_eq!(contradiction.at.len(), 1, "{contradiction}");
    }

    #[test]
    fn a_wake_up_is_a_wait_that_came_back_with_something() {
        let mut made = Made::new();
        made.epoll_wait(Some(0), &[]).epoll_wait(None, &[(5, "IN")]).select(None, &[5, 6], &[5, 6]);
        let record = made.record();
        assert_eq!(record.wake_ups().unwrap(), 2);
        record.wakes_up_at_most(1, 2).unwrap();
        record.wakes_up_at_most(1, 1).unwrap_err();
        record.is_quiet().unwrap_err();
    }

    #[test]
    fn a_program_sleeps_in_a_wait_and_not_in_a_send_on_its_way() {
        let mut made = Made::new();
        made.by(2).read(6, 100, -999).by(3).sleeps_in_epoll();
        made.by(1).nonblocking(5).sleeps_in_epoll();
        made.record().everybody_sleeps().unwrap();
        let mut made = Made::new();
        made.by(2).sleeps_in_epoll().by(3).sleeps_in_epoll().by(1).nonblocking(5).read(5, 10, -999);
        made.record().everybody_sleeps().unwrap_err();
        made.write(6, 10, -999);
        made.record().everybody_sleeps().unwrap_err();
    }
}
