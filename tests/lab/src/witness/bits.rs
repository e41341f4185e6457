//! Sets of bits with the names that the manual pages give them.
//!
//! Written as the names without their prefix, joined by `|`: `IN|OUT|ET`. Unknown bits are written
//! in hexadecimal; no bit at all is `0`.

use std::fmt;

use bitflags::bitflags;
use serde::{Deserialize, Serialize};

bitflags! {
    /// Readiness events, of poll(2) and of `epoll_ctl(2)`: both use the same bits.
    #[derive(Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(into = "String", try_from = "String")]
    pub struct Events: u32 {
        /// Readable.
        const IN = 0x001;
        /// Out-of-band data.
        const PRI = 0x002;
        /// Writable.
        const OUT = 0x004;
        /// An error is pending; always reported.
        const ERR = 0x008;
        /// Both directions are shut; always reported.
        const HUP = 0x010;
        /// The descriptor is not open; poll only.
        const NVAL = 0x020;
        /// Ordinary data; for TCP the same as `IN`.
        const RDNORM = 0x040;
        /// Data of a priority band; TCP has none.
        const RDBAND = 0x080;
        /// Room for ordinary data; for TCP the same as `OUT`.
        const WRNORM = 0x100;
        /// Room for data of a priority band.
        const WRBAND = 0x200;
        /// The peer has half-closed.
        const RDHUP = 0x2000;
        /// Tell only one of several waiters; epoll only.
        const EXCLUSIVE = 1 << 28;
        /// Keep the machine awake until it is handled; epoll only.
        const WAKEUP = 1 << 29;
        /// Switch off after one report; epoll only.
        const ONESHOT = 1 << 30;
        /// Edge-triggered; epoll only.
        const ET = 1 << 31;
    }
}

bitflags! {
    /// The flags of recv(2) and send(2): `OOB|DONTWAIT`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, PartialOrd, Ord, Serialize, Deserialize)]
    #[serde(into = "String", try_from = "String")]
    pub struct Flags: u32 {
        /// Urgent data.
        const OOB = 0x1;
        /// Look, and leave the data.
        const PEEK = 0x2;
        /// Do not wait in this call.
        const DONTWAIT = 0x40;
        /// Wait until all that was asked for is there.
        const WAITALL = 0x100;
        /// No `SIGPIPE` when nobody reads.
        const NOSIGNAL = 0x4000;
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self))
    }
}

impl fmt::Display for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self))
    }
}

impl From<Events> for String {
    fn from(events: Events) -> Self {
        text(&events)
    }
}

impl From<Flags> for String {
    fn from(flags: Flags) -> Self {
        text(&flags)
    }
}

impl TryFrom<String> for Events {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        read(&text)
    }
}

impl TryFrom<String> for Flags {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        read(&text)
    }
}

fn text<B: bitflags::Flags<Bits = u32>>(bits: &B) -> String {
    let mut text = String::new();
    // Writing into a String does not fail.
    let _ = bitflags::parser::to_writer(bits, &mut text);
    if text.is_empty() { "0".to_owned() } else { text.replace(' ', "") }
}

fn read<B: bitflags::Flags<Bits = u32>>(text: &str) -> Result<B, String> {
    if text == "0" {
        return Ok(B::empty());
    }
    bitflags::parser::from_str(text).map_err(|error| format!("{text:?} names no bits: {error}"))
}
