//! Sets of bits with the names that the manual pages give them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Readiness events, of poll(2) and of `epoll_ctl(2)`: both use the same bits.
///
/// Written as the names without their prefix, joined by `|`: `IN|OUT|ET`. Unknown bits are written
/// in hexadecimal; no bit at all is `0`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Events(pub u32);

impl Events {
    /// Readable.
    pub const IN: Self = Self(0x001);
    /// Out-of-band data.
    pub const PRI: Self = Self(0x002);
    /// Writable.
    pub const OUT: Self = Self(0x004);
    /// An error is pending; always reported.
    pub const ERR: Self = Self(0x008);
    /// Both directions are shut; always reported.
    pub const HUP: Self = Self(0x010);
    /// The descriptor is not open; poll only.
    pub const NVAL: Self = Self(0x020);
    /// The peer has half-closed.
    pub const RDHUP: Self = Self(0x2000);
    /// Tell only one of several waiters; epoll only.
    pub const EXCLUSIVE: Self = Self(1 << 28);
    /// Switch off after one report; epoll only.
    pub const ONESHOT: Self = Self(1 << 30);
    /// Edge-triggered; epoll only.
    pub const ET: Self = Self(1 << 31);

    const NAMES: [(u32, &str); 15] = [
        (0x001, "IN"),
        (0x002, "PRI"),
        (0x004, "OUT"),
        (0x008, "ERR"),
        (0x010, "HUP"),
        (0x020, "NVAL"),
        (0x040, "RDNORM"),
        (0x080, "RDBAND"),
        (0x100, "WRNORM"),
        (0x200, "WRBAND"),
        (0x2000, "RDHUP"),
        (1 << 28, "EXCLUSIVE"),
        (1 << 29, "WAKEUP"),
        (1 << 30, "ONESHOT"),
        (1 << 31, "ET"),
    ];

    /// Are all bits of `other` set?
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Is any bit of `other` set?
    #[must_use]
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// No bit at all?
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(u64::from(self.0), Self::NAMES.map(|(bit, name)| (u64::from(bit), name)), f)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Events> for String {
    fn from(events: Events) -> Self {
        events.to_string()
    }
}

impl TryFrom<String> for Events {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let names = Self::NAMES.map(|(bit, name)| (u64::from(bit), name));
        let bits = read_names(&text, names)?;
        u32::try_from(bits).map(Self).map_err(|_| format!("{text:?} has more than 32 bits"))
    }
}

/// The flags of recv(2) and send(2), written as [`Events`] are: `OOB|DONTWAIT`.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Flags(pub u32);

impl Flags {
    const NAMES: [(u64, &str); 5] =
        [(0x1, "OOB"), (0x2, "PEEK"), (0x40, "DONTWAIT"), (0x100, "WAITALL"), (0x4000, "NOSIGNAL")];
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_names(u64::from(self.0), Self::NAMES, f)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Flags> for String {
    fn from(flags: Flags) -> Self {
        flags.to_string()
    }
}

impl TryFrom<String> for Flags {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bits = read_names(&text, Self::NAMES)?;
        u32::try_from(bits).map(Self).map_err(|_| format!("{text:?} has more than 32 bits"))
    }
}

fn write_names<const N: usize>(
    mut bits: u64,
    names: [(u64, &str); N],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    if bits == 0 {
        return f.write_str("0");
    }
    let mut between = "";
    for (bit, name) in names {
        if bits & bit != 0 {
            write!(f, "{between}{name}")?;
            bits &= !bit;
            between = "|";
        }
    }
    if bits == 0 { Ok(()) } else { write!(f, "{between}{bits:#x}") }
}

fn read_names<const N: usize>(text: &str, names: [(u64, &str); N]) -> Result<u64, String> {
    if text == "0" {
        return Ok(0);
    }
    text.split('|').try_fold(0, |bits, word| {
        let known = names.iter().find(|(_, name)| *name == word).map(|(bit, _)| *bit);
        let bit = match (known, word.strip_prefix("0x")) {
            (Some(bit), _) => bit,
            (None, Some(digits)) => u64::from_str_radix(digits, 16).map_err(|e| e.to_string())?,
            (None, None) => return Err(format!("{word:?} names no bit")),
        };
        Ok(bits | bit)
    })
}
