//! `O_NONBLOCK`, and where else than in its waits a program can sleep.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{READABLE, answers_of};
use super::calls::Key;
use super::{CallAt, Contradiction, Sentence};
use crate::witness::bits::Flags;
use crate::witness::record::{Arguments, Call, Descriptor, Record};

/// When each descriptor was made blocking or not: socket(2), accept4(2), `F_SETFL`, `FIONBIO`.
pub(super) struct Modes {
    /// By process and number: the moments and what holds from then on.
    changes: BTreeMap<(u32, i32), Vec<(u64, bool)>>,
}

impl Modes {
    /// Does a call that begins at this moment block? So is every descriptor that nobody changed.
    pub fn blocks(&self, key: Key, at: u64) -> bool {
        let changes = self.changes.get(&(key.process, key.number));
        let last = changes.and_then(|changes| changes.iter().rfind(|(moment, _)| *moment <= at));
        last.is_none_or(|(_, nonblocking)| !nonblocking)
    }

    /// Could this call about a descriptor sleep: does it block, and was `MSG_DONTWAIT` not asked for?
    fn let_sleep(&self, record: &Record, call: CallAt<'_>, descriptor: &Descriptor) -> bool {
        let flags = match &call.call.arguments {
            Arguments::Read { flags, .. } | Arguments::Write { flags, .. } => *flags,
            _ => Flags::default(),
        };
        !flags.contains(Flags::DONTWAIT) && self.blocks(record.key(call, descriptor), call.event.at)
    }
}

/// The descriptor of which this call has made a duplicate.
fn duplicated(call: &Call) -> Option<i32> {
    match &call.arguments {
        Arguments::Mode { descriptor, command, .. } if command.starts_with("F_DUPFD") => {
            Some(descriptor.number)
        }
        Arguments::Other(registers) if matches!(call.name.as_str(), "dup" | "dup2" | "dup3") => {
            i32::try_from(registers[0]).ok()
        }
        _ => None,
    }
}

impl Record {
    pub(super) fn modes(&self) -> Sentence<Modes> {
        let mut changes: BTreeMap<(u32, i32), Vec<(u64, bool)>> = BTreeMap::new();
        // Duplicates share the mode, which belongs to what they refer to: dup(2).
        let mut shared: Vec<BTreeSet<(u32, i32)>> = Vec::new();
        for call in self.calls()? {
            let (Some(value), Some(returned)) = (call.value(), call.call.returned) else {
                continue;
            };
            let process = self.process_of(call.event.thread);
            let opened = (process, i32::try_from(value).unwrap_or(-1));
            if let Some(original) = duplicated(call.call).map(|number| (process, number)) {
                for numbers in &mut shared {
                    numbers.remove(&opened);
                }
                match shared.iter_mut().find(|numbers| numbers.contains(&original)) {
                    Some(numbers) => drop(numbers.insert(opened)),
                    None => shared.push(BTreeSet::from([original, opened])),
                }
                let mode = changes.get(&original).and_then(|changes| changes.last());
                let mode = mode.is_some_and(|(_, nonblocking)| *nonblocking);
                changes.entry(opened).or_default().push((returned, mode));
                continue;
            }
            let (number, nonblocking) = match &call.call.arguments {
                Arguments::Socket { nonblocking, .. } | Arguments::Accept { nonblocking, .. } => {
                    for numbers in &mut shared {
                        numbers.remove(&opened);
                    }
                    (opened, *nonblocking)
                }
                Arguments::Mode { descriptor, command, nonblocking: Some(nonblocking) }
                    if command != "F_GETFL" =>
                {
                    ((process, descriptor.number), *nonblocking)
                }
                _ => continue,
            };
            let all = shared.iter().find(|numbers| numbers.contains(&number));
            for number in all.cloned().unwrap_or_else(|| BTreeSet::from([number])) {
                changes.entry(number).or_default().push((returned, nonblocking));
            }
        }
        // Calls are in the order in which they began; an accept of another thread may end late.
        for changes in changes.values_mut() {
            changes.sort_unstable();
        }
        Ok(Modes { changes })
    }

    /// The accepts and connects, and the reads from and writes to connections, that cannot sleep, however
    /// long they take: on a descriptor with `O_NONBLOCK`, or with `MSG_DONTWAIT`.
    ///
    /// # Errors
    ///
    /// The record is cut: see [`Record::is_whole`].
    pub fn calls_that_cannot_sleep(&self) -> Sentence<impl Iterator<Item = CallAt<'_>>> {
        let modes = self.modes()?;
        Ok(self.calls()?.filter(move |call| {
            let accepts_or_connects =
                matches!(call.call.arguments, Arguments::Accept { .. }) || call.name() == "connect";
            let about = call.descriptor().filter(|_| accepts_or_connects || call.talks());
            about.is_some_and(|about| !modes.let_sleep(self, *call, about))
        }))
    }

    /// Every read from and write to a connection was on a descriptor with `O_NONBLOCK`, or had
    /// `MSG_DONTWAIT`. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The calls that could have slept.
    pub fn every_connection_is_nonblocking(&self) -> Sentence<usize> {
        let modes = self.modes()?;
        let talks: Vec<_> = self.calls()?.filter(|call| call.talks()).collect();
        let could_sleep = |call: &CallAt<'_>| {
            call.descriptor().is_some_and(|about| modes.let_sleep(self, *call, about))
        };
        let found: Vec<_> = talks.iter().copied().filter(could_sleep).collect();
        if !found.is_empty() {
            let seen = format!(
                "{} of {} reads and writes were on descriptors without O_NONBLOCK",
                found.len(),
                talks.len()
            );
            return Err(Contradiction::at(seen, found));
        }
        if talks.is_empty() {
            return Err(Contradiction::of("nothing was read from or written to a connection"));
        }
        Ok(talks.len())
    }

    /// No read and no accept slept or could have slept: each was on a descriptor with `O_NONBLOCK`,
    /// or was the first one after a wait had reported the descriptor readable. Writes are not looked
    /// at. Returns how many reads and accepts there were.
    ///
    /// # Errors
    ///
    /// The calls that could have slept.
    pub fn never_sleeps_in_a_read(&self) -> Sentence<usize> {
        let modes = self.modes()?;
        let mut reported: BTreeSet<Key> = BTreeSet::new();
        let (mut reads, mut sleepy) = (0, Vec::new());
        for call in self.calls()? {
            if call.is_wait() {
                let answers = answers_of(call.call).into_iter();
                let readable = answers.filter(|(_, events)| events.intersects(READABLE));
                reported.extend(readable.map(|(descriptor, _)| self.key(call, descriptor)));
            }
            let Some(key) = self.read_or_accept(call) else { continue };
            reads += 1;
            // What was reported is there for one read; for a second one nobody can say.
            let was_reported = reported.remove(&key);
            let about = call.descriptor();
            let blocks = about.is_some_and(|about| modes.let_sleep(self, call, about));
            if blocks && !was_reported {
                sleepy.push(call);
            }
        }
        if let Some(first) = sleepy.first() {
            let about = first.descriptor().map(ToString::to_string);
            let seen = format!(
                "{} of {reads} reads and accepts could sleep: O_NONBLOCK is not set on {}, and no \
                 wait had reported it",
                sleepy.len(),
                about.unwrap_or_default()
            );
            return Err(Contradiction::at(seen, sleepy));
        }
        if reads == 0 {
            return Err(Contradiction::of("nothing was read and nobody was accepted"));
        }
        Ok(reads)
    }

    /// Every connect was on a descriptor that blocks: the program sleeps in it until the kernel
    /// knows. Returns how many connects there were.
    ///
    /// # Errors
    ///
    /// The connects that could not sleep.
    pub fn sleeps_in_connect(&self) -> Sentence<usize> {
        let modes = self.modes()?;
        let connects: Vec<_> = self.connects()?.collect();
        let awake: Vec<_> = connects
            .iter()
            .copied()
            .filter(|call| {
                let socket = call.descriptor().expect("a connect has a socket");
                !modes.blocks(self.key(*call, socket), call.event.at)
            })
            .collect();
        if !awake.is_empty() {
            return Err(Contradiction::at("connect was called with O_NONBLOCK", awake));
        }
        if connects.is_empty() {
            return Err(Contradiction::of("connect was never called"));
        }
        Ok(connects.len())
    }
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::CallAt;
    use crate::witness::sentences::made::Made;

    #[test]
    fn a_read_that_could_sleep_is_seen() {
        let mut made = Made::new();
        made.select(None, &[3], &[3]).accept(5).select(None, &[5], &[5]).read(5, 10, 10);
        assert_eq!(made.record().never_sleeps_in_a_read().unwrap(), 2);
        made.read(5, 10, 10);
        let contradiction = made.record().never_sleeps_in_a_read().unwrap_err();
        assert_eq!(contradiction.at.len(), 1, "{contradiction}");
    }

    #[test]
    fn with_o_nonblock_any_read_may_be_tried() {
        let mut made = Made::new();
        made.nonblocking(3).accept(5).nonblocking(5).read(5, 10, -11);
        let record = made.record();
        assert_eq!(record.never_sleeps_in_a_read().unwrap(), 2);
        assert_eq!(record.every_connection_is_nonblocking().unwrap(), 1);
        // A new descriptor of an old number starts as all do.
        made.close(5).accept(5).read(5, 10, 10);
        made.record().every_connection_is_nonblocking().unwrap_err();
    }

    #[test]
    fn what_is_nonblocking_cannot_sleep() {
        let mut made = Made::new();
        made.accept(5).read(5, 10, 10).nonblocking(3).nonblocking(5);
        made.accept(6).read(5, 10, -11).write(6, 10, 10).close(6).sleeps_in_epoll();
        let record = made.record();
        let calls = record.calls_that_cannot_sleep().unwrap();
        let calls: Vec<&str> = calls.map(CallAt::name).collect();
        assert_eq!(calls, ["accept", "read"]);
        made.nonblocking(7).connect(7, -115);
        assert_eq!(made.record().calls_that_cannot_sleep().unwrap().count(), 3);
    }

    #[test]
    fn duplicates_share_o_nonblock() {
        let mut made = Made::new();
        made.accept(5).duplicate(5, 6).nonblocking(5).read(6, 10, -11);
        assert_eq!(made.record().every_connection_is_nonblocking().unwrap(), 1);
        // A new connection of an old number is nobody's duplicate.
        made.close(6).accept(6).read(6, 10, 10);
        made.record().every_connection_is_nonblocking().unwrap_err();
    }

    #[test]
    fn a_connect_sleeps_unless_it_was_told_not_to() {
        let mut made = Made::new();
        assert_eq!(made.connect(5, 0).record().sleeps_in_connect().unwrap(), 1);
        made.nonblocking(6).connect(6, -115);
        made.record().sleeps_in_connect().unwrap_err();
    }
}
