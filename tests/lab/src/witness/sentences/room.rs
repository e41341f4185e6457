//! Writes that meet a full buffer, and the wait for room.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::answers_of;
use super::calls::{CallAt, Key, is_connection};
use super::{Contradiction, Sentence};
use crate::witness::bits::{Events, Flags};
use crate::witness::record::{Arguments, Descriptor, Record};

/// What a connection has been sent and is still owed.
#[derive(Default)]
struct Account<'a> {
    came: u64,
    went: u64,
    /// Its last read and its last write.
    last: [Option<CallAt<'a>>; 2],
    /// The kernel will report room, and has not done so: a write met a full buffer, or the interest in room was
    /// told anew.
    will_be_told: bool,
}

impl Account<'_> {
    fn is_owed(&self) -> bool {
        self.came > self.went
    }
}

impl Record {
    /// After a write that the kernel would not take (`EAGAIN`), it wrote to that connection again
    /// only when a wait had reported it, for whatever reason. Returns how many writes met a full buffer:
    /// the kernel took none of their bytes, or a part.
    ///
    /// # Errors
    ///
    /// The writes that came too early.
    pub fn writes_again_only_when_reported(&self) -> Sentence<usize> {
        let mut full: BTreeSet<Key> = BTreeSet::new();
        let (mut met, mut early) = (0, Vec::new());
        for call in self.calls()? {
            for (descriptor, _) in answers_of(call.call) {
                full.remove(&self.key(call, descriptor));
            }
            let Arguments::Write { to, .. } = &call.call.arguments else { continue };
            let key = self.key(call, to);
            if full.contains(&key) {
                early.push(call);
            }
            met += usize::from(call.meets_a_full_buffer());
            if call.failed_with("EAGAIN") {
                full.insert(key);
            }
        }
        if early.is_empty() {
            return Ok(met);
        }
        let seen = "it wrote again after EAGAIN, before any report";
        Err(Contradiction::at(seen, early))
    }

    /// Whenever it slept, every connection that it owed a reply was one of which the kernel will report
    /// room, to somebody who is told once: its last write had met a full buffer, or its interest in room
    /// was told to epoll again after that; and no wait had reported it yet. In the course's protocol a reply
    /// is as long as what was asked.
    /// Returns how often it slept while it owed something.
    ///
    /// # Errors
    ///
    /// The last read and write of a connection that is owed something, and the wait that slept on it.
    pub fn owes_only_where_room_will_be_told(&self) -> Sentence<usize> {
        let mut accounts: BTreeMap<Key, Account> = BTreeMap::new();
        let mut owing = 0;
        for call in self.calls()? {
            if call.may_sleep() {
                let forgotten = accounts.values().find(|one| one.is_owed() && !one.will_be_told);
                if let Some(account) = forgotten {
                    let Account { came, went, last, .. } = account;
                    let seen = format!(
                        "it slept although {went} of {came} bytes were answered, and no report of room \
                         was to come: the last write had met no full buffer, or room was reported since"
                    );
                    let calls = last.iter().copied().flatten().chain([call]);
                    return Err(Contradiction::at(seen, calls));
                }
                owing += usize::from(accounts.values().any(Account::is_owed));
            }
            for (descriptor, events) in answers_of(call.call) {
                if let Some(account) = accounts.get_mut(&self.key(call, descriptor))
                    && events.contains(Events::OUT)
                {
                    account.will_be_told = false;
                }
            }
            let Some(descriptor) = call.descriptor().filter(|one| is_connection(one)) else {
                continue;
            };
            let key = self.key(call, descriptor);
            let moved = call.value().map_or(0, i64::unsigned_abs);
            match &call.call.arguments {
                Arguments::Read { flags, .. } if !flags.intersects(UNANSWERED) => {
                    let account = accounts.entry(key).or_default();
                    account.came += moved;
                    account.last[0] = Some(call);
                }
                Arguments::Write { .. } => {
                    let account = accounts.entry(key).or_default();
                    account.went += moved;
                    account.last[1] = Some(call);
                    account.will_be_told = call.meets_a_full_buffer();
                }
                Arguments::EpollControl { interest, .. } if interest.contains(Events::OUT) => {
                    accounts.entry(key).or_default().will_be_told = true;
                }
                Arguments::Close { .. } => drop(accounts.remove(&key)),
                _ => {}
            }
        }
        Ok(owing)
    }

    /// It asked whether a connection is writable only while that connection was owed something: the
    /// last write had met `EAGAIN`, or had not been taken whole. Edge-triggered interest is registered
    /// once and does not count. Returns how often it asked.
    ///
    /// # Errors
    ///
    /// The calls that asked although nothing was owed: level-triggered, such a wait returns at once.
    pub fn asks_for_room_only_when_owed(&self) -> Sentence<usize> {
        let mut owed: BTreeSet<Key> = BTreeSet::new();
        let (mut asked, mut idle) = (0, None);
        for call in self.calls()? {
            match &call.call.arguments {
                Arguments::Write { to, offered, .. } => {
                    let whole = call.value() == i64::try_from(*offered).ok();
                    let key = self.key(call, to);
                    let _ = if whole { owed.remove(&key) } else { owed.insert(key) };
                }
                Arguments::Close { descriptor } => {
                    owed.remove(&self.key(call, descriptor));
                }
                _ => {}
            }
            for descriptor in asked_for_room(call) {
                asked += 1;
                if !owed.contains(&self.key(call, descriptor)) {
                    idle.get_or_insert((call, descriptor));
                }
            }
        }
        let Some((call, descriptor)) = idle else { return Ok(asked) };
        let seen = format!("it asked for room on {descriptor}, which is owed nothing");
        Err(Contradiction::at(seen, [call]))
    }
}

/// What is read in such a way has no reply: it is read again, or is no part of the stream.
const UNANSWERED: Flags = Flags::PEEK.union(Flags::OOB);

/// The connections that a call asks about: are they writable?
fn asked_for_room(call: CallAt<'_>) -> Vec<&Descriptor> {
    let connection = |descriptor: &&Descriptor| is_connection(descriptor);
    match &call.call.arguments {
        Arguments::Select { before, .. } => {
            before.write.iter().flatten().filter(connection).collect()
        }
        Arguments::Poll { entries, .. } => {
            let asking = entries.iter().filter(|entry| entry.events.intersects(Events::OUT));
            asking.map(|entry| &entry.descriptor).filter(connection).collect()
        }
        Arguments::EpollControl { descriptor, interest, .. }
            if interest.contains(Events::OUT) && !interest.contains(Events::ET) =>
        {
            Some(descriptor).into_iter().filter(connection).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::made::Made;

    #[test]
    fn a_write_that_is_tried_again_and_again_is_seen() {
        let mut made = Made::new();
        made.write(5, 10, -11).epoll_wait(None, &[(5, "OUT")]).write(5, 10, -11);
        assert_eq!(made.record().writes_again_only_when_reported().unwrap(), 2);
        made.write(5, 10, -11);
        made.record().writes_again_only_when_reported().unwrap_err();
    }

    #[test]
    fn who_is_owed_a_reply_that_no_report_will_come_for_is_seen() {
        let mut made = Made::new();
        made.register(5, "IN|OUT|ET").read(5, 100, 100).write(5, 100, 60).write(5, 40, -11);
        made.sleeps_in_epoll();
        assert_eq!(made.record().owes_only_where_room_will_be_told().unwrap(), 1);
        made.write(5, 20, 20).epoll_wait(Some(0), &[]);
        made.record().owes_only_where_room_will_be_told().unwrap();
        // Told anew, the kernel looks anew.
        let mut anew = Made::of(made.record());
        anew.register(5, "IN|OUT|ET").sleeps_in_epoll();
        anew.record().owes_only_where_room_will_be_told().unwrap();
        made.sleeps_in_epoll();
        let contradiction = made.record().owes_only_where_room_will_be_told().unwrap_err();
        assert!(contradiction.seen.contains("80 of 100 bytes"), "{contradiction}");
        assert_eq!(contradiction.at.len(), 3, "{contradiction}");
        // Reported once, and not acted upon.
        let mut late = Made::new();
        late.register(5, "IN|OUT|ET").read(5, 100, 100).write(5, 100, -11);
        late.epoll_wait(None, &[(5, "OUT")]).sleeps_in_epoll();
        late.record().owes_only_where_room_will_be_told().unwrap_err();
    }

    #[test]
    fn room_is_asked_for_only_by_who_is_owed_something() {
        let mut made = Made::new();
        made.write(5, 100, 100).poll(None, &[(5, "IN", "IN")]);
        assert_eq!(made.record().asks_for_room_only_when_owed().unwrap(), 0);
        made.write(5, 100, 60).poll(None, &[(5, "IN|OUT", "OUT")]).write(5, 40, 40);
        made.register(5, "IN|OUT|ET");
        assert_eq!(made.record().asks_for_room_only_when_owed().unwrap(), 1);
        made.register(5, "IN|OUT");
        let contradiction = made.record().asks_for_room_only_when_owed().unwrap_err();
        assert!(contradiction.seen.contains("owed nothing"), "{contradiction}");
    }
}
