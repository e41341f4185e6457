//! Peers: the other end of a subject's connections, each with a character.

mod client;

pub use client::{Client, upper};
