//! What a server does that has found no place for a client, when one becomes free.

use super::calls::is_connection;
use super::{Contradiction, Sentence};
use crate::witness::record::{Arguments, Record};

/// The errnos by which accept(2) says that there is somebody, and nothing to take them with.
const FULL: [&str; 4] = ["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"];

impl Record {
    /// How many calls of accept found somebody, and no descriptor or memory to take them with.
    ///
    /// # Errors
    ///
    /// The record is cut.
    pub fn accepts_without_means(&self) -> Sentence<usize> {
        let accepts = self.calls()?.filter(|call| call.name() == "accept");
        Ok(accepts.filter(|call| FULL.iter().any(|errno| call.failed_with(errno))).count())
    }

    /// When accept had found no place and then a connection was closed, which made one, it accepted
    /// again before a wait had slept until its time was up. Returns how often it did.
    ///
    /// # Errors
    ///
    /// The close, and the wait that was slept through: whoever waited in the accept queue waited for a
    /// time limit instead of a place.
    pub fn accepts_as_soon_as_there_is_a_place(&self) -> Sentence<usize> {
        let (mut full, mut freed, mut accepted) = (false, None, 0);
        for call in self.calls()? {
            match &call.call.arguments {
                Arguments::Accept { .. } => {
                    full = FULL.iter().any(|errno| call.failed_with(errno));
                    accepted += usize::from(freed.take().is_some());
                }
                Arguments::Close { descriptor } if full && is_connection(descriptor) => {
                    freed.get_or_insert(call);
                }
                _ if call.may_sleep() && call.value() == Some(0) => {
                    if let Some(close) = freed {
                        let seen = "a place was free, and it slept until its time was up";
                        return Err(Contradiction::at(seen, [close, call]));
                    }
                }
                _ => {}
            }
        }
        Ok(accepted)
    }
}

#[cfg(test)]
mod tests {
    use crate::witness::sentences::made::Made;

    #[test]
    fn a_place_that_waits_for_a_time_limit_is_seen() {
        let mut made = Made::new();
        made.accept(5).select(None, &[3, 5], &[3]).accept(-24).select(Some(1000), &[5], &[]);
        made.select(None, &[3, 5], &[3]).accept(-24).select(Some(1000), &[5], &[5]).read(5, 10, 0);
        made.close(5);
        assert_eq!(made.record().accepts_without_means().unwrap(), 2);
        let mut right = Made::of(made.record());
        right.select(None, &[3], &[3]).accept(5);
        assert_eq!(right.record().accepts_as_soon_as_there_is_a_place().unwrap(), 1);
        made.select(Some(900), &[], &[]).select(None, &[3], &[3]).accept(5);
        let contradiction = made.record().accepts_as_soon_as_there_is_a_place().unwrap_err();
        assert_eq!(contradiction.at.len(), 2, "{contradiction}");
    }

    #[test]
    fn who_has_places_may_sleep_as_long_as_it_likes() {
        let mut made = Made::new();
        made.accept(5).close(5).select(Some(1000), &[3], &[]);
        assert_eq!(made.record().accepts_as_soon_as_there_is_a_place().unwrap(), 0);
    }
}
