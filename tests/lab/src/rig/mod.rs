//! Rigs: sockets in states that the kernel otherwise reaches by accident.
//!
//! All of it happens on 127.0.0.1 or `::1`, without root and without a wait of more than a few
//! milliseconds, unless an item says otherwise. They were
//! tried on Linux 6.18; what depends on the kernel's version says so.
//!
//! - [`min_ttl`]: a socket that the peer's segments do not reach (rig R1);
//! - [`Pending`]: a connect that stays pending until it is told how to end (rig R2);
//! - [`BlackHole`], [`RefusingPort`], [`FullQueue`]: addresses that never answer, refuse, or are full;
//! - [`pipes`]: a pipe that nobody reads any more;
//! - [`small`]: buffers that fill after a few kilobytes (rig R3);
//! - [`option`]: socket options that no library has;
//! - [`wire`]: what crosses the loopback device, and a router that reports a host unreachable;
//! - [`errno`]: one recipe for each answer that a connect can get.

pub mod errno;
mod listeners;
pub mod min_ttl;
pub mod option;
mod pending;
pub mod pipes;
pub mod small;
pub mod wire;

pub use crate::sockets::accept_within;
pub use listeners::{BlackHole, FullQueue, RefusingPort};
pub use pending::{Pending, PendingPeer};
