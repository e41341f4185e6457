//! A connection whose reads and writes never sleep. Chapters 05 to 07 use it as it is: they differ
//! only in how they wait.

mod connection;

pub use connection::{Connection, QUEUE_LIMIT, Step};
