//! What a wait reported, and what was done about it.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::{CallAt, Key};
use super::{Contradiction, Sentence};
use crate::witness::bits::Events;
use crate::witness::record::{Arguments, Call, Descriptor, Record, Sets};

/// What makes a read return at once.
pub(super) const READABLE: Events =
    Events::IN.union(Events::PRI).union(Events::RDHUP).union(Events::HUP).union(Events::ERR);

/// What a wait reported: each descriptor with its events. The sets of select are told as `IN`, `OUT`
/// and `PRI`.
pub(super) fn answers_of(call: &Call) -> Vec<(&Descriptor, Events)> {
    match &call.arguments {
        Arguments::Select { after: Some(after), .. } => answers_of_sets(after),
        Arguments::Poll { entries, .. } => {
            let answered = entries.iter().filter(|entry| !entry.revents.is_empty());
            answered.map(|entry| (&entry.descriptor, entry.revents)).collect()
        }
        Arguments::EpollWait { events, .. } => events
            .iter()
            .filter_map(|event| Some((event.descriptor.as_ref()?, event.events)))
            .collect(),
        _ => Vec::new(),
    }
}

fn answers_of_sets(sets: &Sets) -> Vec<(&Descriptor, Events)> {
    let mut answers: Vec<(&Descriptor, Events)> = Vec::new();
    let sets = [(&sets.read, Events::IN), (&sets.write, Events::OUT), (&sets.except, Events::PRI)];
    for (set, events) in sets {
        for descriptor in set.iter().flatten() {
            match answers.iter_mut().find(|(known, _)| known.number == descriptor.number) {
                Some((_, known)) => *known |= events,
                None => answers.push((descriptor, events)),
            }
        }
    }
    answers
}

/// What a thread's last wait reported and nobody has touched yet.
struct Untouched<'a> {
    wait: CallAt<'a>,
    left: BTreeMap<Key, (&'a Descriptor, Events)>,
}

impl Record {
    /// Whatever a wait reported was acted on before that thread slept again: each descriptor that
    /// was reported was read, written, accepted from, closed, asked for its error or registered
    /// anew. Returns how many reports there were.
    ///
    /// # Errors
    ///
    /// A report that nobody acted on: with level-triggered waits a busy loop.
    pub fn acts_on_every_answer(&self) -> Sentence<usize> {
        let mut untouched: BTreeMap<u32, Untouched> = BTreeMap::new();
        let mut reports = 0;
        for call in self.calls()? {
            if let Some(descriptor) = call.descriptor() {
                let key = self.key(call, descriptor);
                for answer in untouched.values_mut() {
                    answer.left.remove(&key);
                }
            }
            if !call.is_wait() {
                continue;
            }
            let before = untouched.remove(&call.event.thread);
            let mut left = before.as_ref().map(|before| before.left.clone()).unwrap_or_default();
            if let Some(before) =
                before.filter(|before| call.may_sleep() && !before.left.is_empty())
            {
                let (descriptor, events) = before.left.values().next().expect("one is left");
                let seen = format!(
                    "{events} of {descriptor} was reported, and nothing was done about it before the next wait"
                );
                return Err(Contradiction::at(seen, [before.wait, call]));
            }
            for (descriptor, events) in answers_of(call.call) {
                left.insert(self.key(call, descriptor), (descriptor, events));
                reports += 1;
            }
            untouched.insert(call.event.thread, Untouched { wait: call, left });
        }
        if reports == 0 {
            return Err(Contradiction::of("no wait reported anything"));
        }
        Ok(reports)
    }

    /// Every read from a connection and every accept followed a report that there is something:
    /// by the last wait, or, edge-triggered, by an earlier one. After an `EAGAIN` it asks again
    /// before it tries again. Returns how many such calls there were.
    ///
    /// # Errors
    ///
    /// The calls that nothing had been reported for.
    pub fn reads_only_what_was_reported(&self) -> Sentence<usize> {
        let mut edge: BTreeSet<Key> = BTreeSet::new();
        let mut reported: BTreeMap<u32, BTreeSet<Key>> = BTreeMap::new();
        let (mut reads, mut blind) = (0, Vec::new());
        for call in self.calls()? {
            if let Some((key, interest)) = self.registration(call) {
                let is_edge = interest.is_some_and(|interest| interest.contains(Events::ET));
                let _ = if is_edge { edge.insert(key) } else { edge.remove(&key) };
            }
            if call.is_wait() {
                let reported = reported.entry(call.event.thread).or_default();
                reported.retain(|key| edge.contains(key));
                let readable = answers_of(call.call)
                    .into_iter()
                    .filter(|(_, events)| events.intersects(READABLE));
                reported.extend(readable.map(|(descriptor, _)| self.key(call, descriptor)));
            }
            let Some(key) = self.read_or_accept(call) else { continue };
            reads += 1;
            if !reported.values().any(|reported| reported.contains(&key)) {
                blind.push(call);
            }
            if call.value().is_none() {
                for reported in reported.values_mut() {
                    reported.remove(&key);
                }
            }
        }
        if !blind.is_empty() {
            let seen = format!("{} of {reads} reads and accepts had no report", blind.len());
            return Err(Contradiction::at(seen, blind));
        }
        if reads == 0 {
            return Err(Contradiction::of("nothing was read and nobody was accepted"));
        }
        Ok(reads)
    }

    /// The descriptor that is read from or accepted from, if the call does that.
    pub(super) fn read_or_accept(&self, call: CallAt<'_>) -> Option<Key> {
        match &call.call.arguments {
            Arguments::Read { from, .. } if call.talks() => Some(self.key(call, from)),
            Arguments::Accept { listener, .. } => Some(self.key(call, listener)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::made::Made;

    #[test]
    fn an_answer_that_nobody_acts_on_is_seen() {
        let mut made = Made::new();
        made.select(None, &[3, 5], &[3, 5]).accept(6).read(5, 10, 10).select(None, &[3], &[3]);
        made.accept(-11).select(None, &[3], &[]);
        assert_eq!(made.record().acts_on_every_answer().unwrap(), 3);
        made.poll(None, &[(3, "IN", "0"), (5, "IN", "IN|RDHUP")]).poll(None, &[(5, "IN", "IN")]);
        let contradiction = made.record().acts_on_every_answer().unwrap_err().to_string();
        assert!(contradiction.starts_with("IN|RDHUP of 5 (connection with"), "{contradiction}");
    }

    #[test]
    fn what_is_owed_an_answer_may_wait_over_looks_that_do_not_sleep() {
        let mut made = Made::new();
        made.epoll_wait(None, &[(5, "IN"), (6, "IN")]).read(5, 10, 10).epoll_wait(Some(0), &[]);
        made.read(6, 10, 5).sleeps_in_epoll();
        made.record().acts_on_every_answer().unwrap();
    }

    #[test]
    fn a_read_without_a_report_is_seen() {
        let mut made = Made::new();
        made.select(None, &[5, 6], &[5]).read(5, 10, 10).read(5, 10, -11);
        assert_eq!(made.record().reads_only_what_was_reported().unwrap(), 2);
        made.read(5, 10, 10);
        made.record().reads_only_what_was_reported().unwrap_err();
        let mut made = Made::new();
        made.select(None, &[5, 6], &[5]).select(None, &[5, 6], &[6]).read(5, 10, 10);
        made.record().reads_only_what_was_reported().unwrap_err();
        // Edge-triggered, a report holds until it is worked off.
        let mut made = Made::new();
        made.register(5, "IN|ET").epoll_wait(None, &[(5, "IN")]).epoll_wait(Some(0), &[]);
        made.read(5, 10, 10);
        made.record().reads_only_what_was_reported().unwrap();
    }
}
