//! Peers: the other end of a subject's connections, each with a character.

pub mod by_hand;
mod client;
mod flood;

pub use client::{Client, pattern, upper};
pub use flood::Flood;
