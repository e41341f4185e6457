//! Who waited, and who talked to clients.

use std::collections::BTreeMap;

use super::calls::CallAt;
use super::{Contradiction, Sentence};
use crate::witness::record::{Arguments, Descriptor, Record};

impl Record {
    /// One thread waited, for everybody.
    ///
    /// # Errors
    ///
    /// The first wait of each thread, if there are more or none.
    pub fn waits_on_one_thread(&self) -> Sentence {
        one(self.waits()?, "waited for descriptors")
    }

    /// One thread read from and wrote to all connections.
    ///
    /// # Errors
    ///
    /// The first such call of each thread, if there are more or none.
    pub fn talks_on_one_thread(&self) -> Sentence {
        one(self.calls()?.filter(|call| call.talks()), "read from or wrote to connections")
    }

    /// No thread, and no process, but the first.
    ///
    /// # Errors
    ///
    /// How many there were.
    pub fn has_one_thread(&self) -> Sentence {
        match self.threads.len() {
            1 => Ok(()),
            count => Err(Contradiction::of(format!("there were {count} threads"))),
        }
    }

    /// Each connection was read from by one thread of its own, which slept in its reads. Returns how
    /// many connections there were.
    ///
    /// # Errors
    ///
    /// A thread with two connections, a connection with two threads, or no connection at all.
    pub fn has_a_thread_for_each_connection(&self) -> Sentence<usize> {
        let mut readers = BTreeMap::new();
        let mut connections = BTreeMap::new();
        for call in self.calls()? {
            let Arguments::Read { from, .. } = &call.call.arguments else { continue };
            if !call.talks() {
                continue;
            }
            let (thread, key) = (call.event.thread, self.key(call, from));
            if *readers.entry(thread).or_insert(key) != key {
                let seen = format!("thread {thread} also read from {from}");
                return Err(Contradiction::at(seen, [call]));
            }
            if *connections.entry(key).or_insert(thread) != thread {
                let seen = format!("{from} was read from by a second thread");
                return Err(Contradiction::at(seen, [call]));
            }
        }
        if connections.is_empty() {
            return Err(Contradiction::of("nothing was read from a connection"));
        }
        Ok(connections.len())
    }

    /// The connections that a thread sleeps on now: reads that have not returned.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn reads_under_way(&self) -> Sentence<Vec<(u32, &Descriptor)>> {
        let pending = self.calls()?.filter(|call| call.is_pending() && call.talks());
        let reads = pending.filter_map(|call| match &call.call.arguments {
            Arguments::Read { from, .. } => Some((call.event.thread, from)),
            _ => None,
        });
        Ok(reads.collect())
    }
}

fn one<'a>(calls: impl Iterator<Item = CallAt<'a>>, what: &str) -> Sentence {
    let mut first: BTreeMap<u32, CallAt> = BTreeMap::new();
    for call in calls {
        first.entry(call.event.thread).or_insert(call);
    }
    match first.len() {
        0 => Err(Contradiction::of(format!("no thread {what}"))),
        1 => Ok(()),
        count => Err(Contradiction::at(format!("{count} threads {what}"), first.into_values())),
    }
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::made::Made;

    #[test]
    fn a_thread_each_is_not_one_thread() {
        let mut made = Made::new();
        made.accept(5).accept(6).by(2).read(5, 100, 5).write(5, 5, 5).by(3).read(6, 100, 5);
        let record = made.record();
        assert_eq!(record.has_a_thread_for_each_connection().unwrap(), 2);
        let contradiction = record.talks_on_one_thread().unwrap_err();
        assert_eq!(contradiction.seen, "2 threads read from or wrote to connections");
        assert_eq!(contradiction.at.len(), 2);
        assert!(record.waits_on_one_thread().unwrap_err().seen.starts_with("no thread"));
        assert!(record.reads_under_way().unwrap().is_empty());
        assert_eq!(made.read(6, 100, -999).record().reads_under_way().unwrap().len(), 1);
        made.by(1).read(5, 100, 5);
        made.record().has_a_thread_for_each_connection().unwrap_err();
    }

    #[test]
    fn one_thread_for_all_is_recognised() {
        let mut made = Made::new();
        made.select(None, &[5, 6], &[5, 6]).read(5, 100, 5).write(5, 5, 5).read(6, 100, 5);
        let record = made.record();
        record.talks_on_one_thread().unwrap();
        record.waits_on_one_thread().unwrap();
        record.has_a_thread_for_each_connection().unwrap_err();
    }
}
