//! Level or edge, and whether edges are drained.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{READABLE, answers_of};
use super::calls::{CallAt, Key, is_connection};
use super::{Contradiction, Sentence};
use crate::witness::bits::Events;
use crate::witness::record::{Arguments, Descriptor, Object, Record};

/// What can stand behind a short read: then only `EAGAIN`, the end of stream or an error prove that
/// nothing is left.
const BEHIND_THE_DATA: Events =
    Events::RDHUP.union(Events::PRI).union(Events::HUP).union(Events::ERR);

/// An edge that was reported and is not worked off.
struct Debt<'a> {
    descriptor: &'a Descriptor,
    events: Events,
    wait: CallAt<'a>,
    last: Option<CallAt<'a>>,
}

impl Record {
    /// Every interest in a connection or a listener was level-triggered. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The registrations with `EPOLLET`; or that there were none.
    pub fn watches_level_triggered(&self) -> Sentence<usize> {
        self.every_interest("edge-triggered", |interest| !interest.contains(Events::ET))
    }

    /// Every interest in a connection was edge-triggered. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The registrations without `EPOLLET`; or that there were none.
    pub fn watches_edge_triggered(&self) -> Sentence<usize> {
        self.every_interest("level-triggered", |interest| interest.contains(Events::ET))
    }

    /// Every interest in a connection was for one report only. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The registrations without `EPOLLONESHOT`; or that there were none.
    pub fn watches_for_one_report_each(&self) -> Sentence<usize> {
        self.every_interest("for more than one report", |interest| {
            interest.contains(Events::ONESHOT)
        })
    }

    fn every_interest(&self, other: &str, holds: fn(Events) -> bool) -> Sentence<usize> {
        let interests: Vec<_> =
            self.interests()?.filter(|(_, descriptor, _)| is_connection(descriptor)).collect();
        let wrong: Vec<_> = interests.iter().filter(|(_, _, interest)| !holds(*interest)).collect();
        if !wrong.is_empty() {
            let seen = format!("{} of {} interests were {other}", wrong.len(), interests.len());
            return Err(Contradiction::at(seen, wrong.into_iter().map(|(call, _, _)| *call)));
        }
        if interests.is_empty() {
            return Err(Contradiction::of("no connection was registered with epoll"));
        }
        Ok(interests.len())
    }

    /// Each interest that was registered or changed: the call, whose, and what.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn interests(&self) -> Sentence<impl Iterator<Item = (CallAt<'_>, &Descriptor, Events)>> {
        Ok(self.calls()?.filter_map(|call| match &call.call.arguments {
            Arguments::EpollControl { operation, descriptor, interest, .. }
                if operation != "EPOLL_CTL_DEL" && call.value().is_some() =>
            {
                Some((call, descriptor, *interest))
            }
            _ => None,
        }))
    }

    /// What `epoll_ctl` changed: whose interest, and to what; `None` when it was taken away.
    pub(super) fn registration(&self, call: CallAt<'_>) -> Option<(Key, Option<Events>)> {
        let Arguments::EpollControl { operation, descriptor, interest, .. } = &call.call.arguments
        else {
            return None;
        };
        call.value()?;
        let interest = (operation != "EPOLL_CTL_DEL").then_some(*interest);
        Some((self.key(call, descriptor), interest))
    }

    /// Whenever it slept, no edge was left over: each readable report of an edge-triggered descriptor
    /// was followed by reads (a listener's by accepts) until `EAGAIN`, the end of stream or an error,
    /// or a short read where nothing can stand behind the data. Waits that do not sleep may lie in
    /// between, as with a budget. Excused is who owes replies that the client does not take.
    /// Returns how many edges there were.
    ///
    /// # Errors
    ///
    /// An edge that was not drained, the last read of it, and the wait that slept on it.
    pub fn drains_every_edge(&self) -> Sentence<usize> {
        let mut edge: BTreeSet<Key> = BTreeSet::new();
        let mut debts: BTreeMap<Key, Debt> = BTreeMap::new();
        let mut blocked: BTreeSet<Key> = BTreeSet::new();
        let mut edges = 0;
        for call in self.calls()? {
            if call.may_sleep() {
                let left = debts.iter().find(|(key, _)| !blocked.contains(key));
                if let Some((_, debt)) = left {
                    return Err(undrained(debt, call));
                }
            }
            for (descriptor, events) in answers_of(call.call) {
                let key = self.key(call, descriptor);
                if edge.contains(&key) && events.intersects(READABLE) {
                    edges += 1;
                    let debt = debts.entry(key);
                    let debt = debt.or_insert(Debt { descriptor, events, wait: call, last: None });
                    debt.events |= events;
                    debt.wait = call;
                }
            }
            let Some(descriptor) = call.descriptor() else { continue };
            let key = self.key(call, descriptor);
            match &call.call.arguments {
                Arguments::EpollControl { .. } => match self.registration(call) {
                    Some((key, Some(interest))) if interest.contains(Events::ET) => {
                        edge.insert(key);
                    }
                    Some((key, _)) => {
                        edge.remove(&key);
                        debts.remove(&key);
                    }
                    None => {}
                },
                Arguments::Read { room, .. } => {
                    let Some(debt) = debts.get_mut(&key) else { continue };
                    debt.last = Some(call);
                    let full = call.value() == i64::try_from(*room).ok();
                    let drained = match call.value() {
                        None | Some(0) => true,
                        Some(_) => !full && !debt.events.intersects(BEHIND_THE_DATA),
                    };
                    if drained {
                        debts.remove(&key);
                    }
                }
                Arguments::Accept { .. } => {
                    let Some(debt) = debts.get_mut(&key) else { continue };
                    debt.last = Some(call);
                    if call.value().is_none() {
                        debts.remove(&key);
                    }
                }
                Arguments::Write { offered, .. } => {
                    let whole = call.value() == i64::try_from(*offered).ok();
                    if call.failed_with("EAGAIN") {
                        blocked.insert(key);
                    } else if whole {
                        blocked.remove(&key);
                    }
                }
                Arguments::Close { .. } => {
                    edge.remove(&key);
                    debts.remove(&key);
                    blocked.remove(&key);
                }
                _ => {}
            }
        }
        if edges == 0 {
            return Err(Contradiction::of("no edge was reported"));
        }
        Ok(edges)
    }

    /// How many reads followed each readable report of a connection, until the next report of it or
    /// its end, in the order of the reports.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn reads_per_report(&self) -> Sentence<Vec<usize>> {
        let mut counts: Vec<usize> = Vec::new();
        let mut latest: BTreeMap<Key, usize> = BTreeMap::new();
        for call in self.calls()? {
            for (descriptor, events) in answers_of(call.call) {
                if is_connection(descriptor) && events.intersects(READABLE) {
                    latest.insert(self.key(call, descriptor), counts.len());
                    counts.push(0);
                }
            }
            let Arguments::Read { from, .. } = &call.call.arguments else { continue };
            if let Some(index) = latest.get(&self.key(call, from)) {
                counts[*index] += 1;
            }
        }
        Ok(counts)
    }
}

fn undrained<'a>(debt: &Debt<'a>, sleeps: CallAt<'a>) -> Contradiction {
    let Debt { descriptor, events, wait, last } = debt;
    let what = match descriptor.object {
        Object::Listener(_) => "accepted",
        _ => "read",
    };
    let seen = match last {
        None => format!(
            "it slept although {events} of {descriptor} was reported and nothing was {what}"
        ),
        Some(_) => format!(
            "it slept although the edge of {descriptor} was not drained: {events} was reported, and no \
             EAGAIN, end or short {what} followed"
        ),
    };
    Contradiction::at(seen, [Some(*wait), *last, Some(sleeps)].into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::made::Made;

    #[test]
    fn level_and_edge_are_told_apart() {
        let mut made = Made::new();
        made.register(3, "IN|ET").register(5, "IN").register(6, "IN|OUT");
        let record = made.record();
        assert_eq!(record.watches_level_triggered().unwrap(), 2);
        let contradiction = record.watches_edge_triggered().unwrap_err();
        assert_eq!(contradiction.seen, "2 of 2 interests were level-triggered");
        made.register(7, "IN|ET|ONESHOT");
        made.record().watches_level_triggered().unwrap_err();
        made.record().watches_for_one_report_each().unwrap_err();
        Made::new().record().watches_edge_triggered().unwrap_err();
    }

    #[test]
    fn a_short_read_drains_unless_something_can_stand_behind_it() {
        let mut made = Made::new();
        made.register(5, "IN|ET").epoll_wait(None, &[(5, "IN|OUT")]).read(5, 100, 99);
        assert_eq!(made.sleeps_in_epoll().record().drains_every_edge().unwrap(), 1);
        let mut made = Made::new();
        made.register(5, "IN|ET").epoll_wait(None, &[(5, "IN|RDHUP")]).read(5, 100, 99);
        let contradiction = made.sleeps_in_epoll().record().drains_every_edge().unwrap_err();
        assert_eq!(contradiction.at.len(), 3, "{contradiction}");
        let mut made = Made::new();
        made.register(5, "IN|ET").epoll_wait(None, &[(5, "IN|RDHUP")]).read(5, 100, 99);
        made.read(5, 100, 0).close(5).sleeps_in_epoll();
        made.record().drains_every_edge().unwrap();
    }

    #[test]
    fn one_full_read_per_edge_is_too_little() {
        let mut made = Made::new();
        made.register(5, "IN|ET").epoll_wait(None, &[(5, "IN")]).read(5, 100, 100);
        // A look that does not sleep is a turn of somebody else.
        made.epoll_wait(Some(0), &[]).record().drains_every_edge().unwrap();
        let contradiction = made.sleeps_in_epoll().record().drains_every_edge().unwrap_err();
        assert!(contradiction.seen.contains("was not drained"), "{contradiction}");
        assert_eq!(made.record().reads_per_report().unwrap(), [1]);
    }

    #[test]
    fn a_listener_is_accepted_from_until_it_says_eagain() {
        let mut made = Made::new();
        made.register(3, "IN|ET").epoll_wait(None, &[(3, "IN")]).accept(5);
        assert!(made.record().drains_every_edge().is_ok());
        made.clone_and_sleep().unwrap_err();
        made.accept(-11).clone_and_sleep().unwrap();
    }

    #[test]
    fn who_owes_replies_that_nobody_takes_need_not_read() {
        let mut made = Made::new();
        made.register(5, "IN|OUT|ET").epoll_wait(None, &[(5, "IN|OUT")]).read(5, 100, 100);
        made.write(5, 100, -11);
        made.clone_and_sleep().unwrap();
        made.epoll_wait(None, &[(5, "OUT")]).write(5, 100, 100);
        made.clone_and_sleep().unwrap_err();
    }

    impl Made {
        fn clone_and_sleep(&self) -> super::Sentence<usize> {
            let mut record = self.record();
            let mut sleeping = Made::new();
            sleeping.sleeps_in_epoll();
            record.events.extend(sleeping.record().events);
            record.drains_every_edge()
        }
    }
}
