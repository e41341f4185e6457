//! Where a transcript runs: in the repository's root folder, and on a loopback address of its own.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU32, Ordering};

/// What pages write.
const SHOWN: &str = "127.0.0.1";

/// An address in 127.0.0.0/8 that stands for 127.0.0.1 during one run of one page.
#[derive(Debug)]
pub struct Place {
    own: String,
}

impl Place {
    /// An address that no other run uses now: made from the process's number and a counter.
    pub fn new() -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        Self { own: address(std::process::id(), run).to_string() }
    }

    /// The text with 127.0.0.1 moved to this run's address.
    pub fn moved(&self, text: &str) -> String {
        replace_address(text, SHOWN, &self.own)
    }

    /// The text with this run's address moved back to 127.0.0.1.
    pub fn moved_back(&self, text: &str) -> String {
        replace_address(text, &self.own, SHOWN)
    }
}

/// 127.A.B.C with A, B and C from 1 to 254: never 127.0.0.x, never a broadcast address.
fn address(process: u32, run: u32) -> Ipv4Addr {
    let number = process.wrapping_mul(16).wrapping_add(run);
    let part = |divisor: u32| u8::try_from(number / divisor % 254 + 1).unwrap_or(1);
    Ipv4Addr::new(127, part(254 * 254), part(254), part(1))
}

/// Replaces `from` where it stands as a whole address: 127.0.0.1, but not in 127.0.0.10.
fn replace_address(text: &str, from: &str, to: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let of_number = |c: char| c.is_ascii_digit();
        let whole = !before.ends_with(|c: char| of_number(c) || c == '.')
            && !after.starts_with(of_number)
            && !after.strip_prefix('.').is_some_and(|after| after.starts_with(of_number));
        replaced.push_str(before);
        replaced.push_str(if whole { to } else { from });
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_stay_in_their_range() {
        for process in [0, 1, 253, 254, 65_535, 4_194_304, u32::MAX] {
            for run in [0, 1, 7, 300] {
                let [first, rest @ ..] = address(process, run).octets();
                assert_eq!(first, 127);
                assert!(rest.iter().all(|part| (1..=254).contains(part)), "{rest:?}");
            }
        }
        assert_ne!(address(77, 0), address(77, 1));
        assert_ne!(address(77, 0), address(78, 0));
    }

    #[test]
    fn only_whole_addresses_are_moved() {
        let place = Place { own: "127.9.8.7".to_owned() };
        let text = "127.0.0.1:7003 and 127.0.0.10, 127.0.0.1.5, 1127.0.0.1, end at 127.0.0.1.";
        let moved = place.moved(text);
        assert_eq!(
            moved,
            "127.9.8.7:7003 and 127.0.0.10, 127.0.0.1.5, 1127.0.0.1, end at 127.9.8.7."
        );
        assert_eq!(place.moved_back(&moved), text);
    }
}
