//! Which calls were made, and how often.

use std::collections::BTreeMap;
use std::fmt;

use super::{Contradiction, Sentence, common_name};
use crate::witness::record::Record;

/// How often each call was made, by [`common_name`]. Shown as `epoll_wait 3, recv 2`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts(pub BTreeMap<String, u64>);

impl Counts {
    /// How often the call of this name was made.
    #[must_use]
    pub fn of(&self, name: &str) -> u64 {
        self.0.get(common_name(name)).copied().unwrap_or(0)
    }

    /// All of them together.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.0.values().sum()
    }

    pub(super) fn add(&mut self, name: &str) {
        *self.0.entry(name.to_owned()).or_default() += 1;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("no call");
        }
        let mut between = "";
        for (name, count) in &self.0 {
            write!(f, "{between}{name} {count}")?;
            between = ", ";
        }
        Ok(())
    }
}

impl Record {
    /// Which calls were made, and how often.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn counts(&self) -> Sentence<Counts> {
        let mut counts = Counts::default();
        self.calls()?.for_each(|call| counts.add(call.name()));
        Ok(counts)
    }

    /// It made exactly these calls for each of so many requests, and no other call.
    ///
    /// To be asked of the part between two moments in which the program slept: see
    /// [`Record::everybody_sleeps`].
    ///
    /// # Errors
    ///
    /// The counts that it made.
    pub fn calls_each(&self, requests: u64, calls: &[(&str, u64)]) -> Sentence {
        let expected = calls.iter().map(|&(name, each)| (name.to_owned(), each * requests));
        let expected = Counts(expected.collect());
        let counts = self.counts()?;
        if counts == expected {
            return Ok(());
        }
        Err(Contradiction::of(format!("{counts} for {requests} requests, instead of {expected}")))
    }

    /// It made no call but these.
    ///
    /// # Errors
    ///
    /// The others.
    pub fn makes_no_call_but(&self, allowed: &[&str]) -> Sentence {
        let others: Vec<_> = self.calls()?.filter(|call| !allowed.contains(&call.name())).collect();
        if others.is_empty() {
            return Ok(());
        }
        let mut counts = Counts::default();
        for call in &others {
            counts.add(call.name());
        }
        Err(Contradiction::at(format!("it also called {counts}"), others))
    }
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::made::Made;

    #[test]
    fn calls_are_counted_by_the_names_that_people_know() {
        let mut made = Made::new();
        made.epoll_wait(None, &[(5, "IN")]).read(5, 100, 10).write(5, 10, 10);
        made.epoll_wait(None, &[(5, "IN")]).read(5, 100, 10).write(5, 10, 10);
        let record = made.record();
        assert_eq!(record.counts().unwrap().to_string(), "epoll_wait 2, read 2, write 2");
        assert_eq!(record.counts().unwrap().of("epoll_pwait"), 2);
        let three = [("epoll_wait", 1), ("read", 1), ("write", 1)];
        record.calls_each(2, &three).unwrap();
        let contradiction = record.calls_each(1, &three).unwrap_err().to_string();
        assert!(contradiction.contains("epoll_wait 2, read 2, write 2 for 1 requests"));
        record.makes_no_call_but(&["epoll_wait", "read", "write"]).unwrap();
        let contradiction = record.makes_no_call_but(&["epoll_wait", "write"]).unwrap_err();
        assert_eq!(contradiction.seen, "it also called read 2");
        assert!(contradiction.at[0].contains("recvfrom(5<127.0.0.1:7003<-"), "{contradiction}");
    }
}
