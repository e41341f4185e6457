//! Writes that meet a full buffer, and the wait for room.

use std::collections::BTreeSet;

use super::answers::answers_of;
use super::calls::{CallAt, Key, is_connection};
use super::{Contradiction, Sentence};
use crate::witness::bits::Events;
use crate::witness::record::{Arguments, Descriptor, Record};

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
