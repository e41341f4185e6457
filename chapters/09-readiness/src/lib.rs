//! Conditions that a descriptor can be in, and what select, poll and epoll report of it there.
//!
//! - [`rows`]: the conditions, and how a descriptor is brought there;
//! - [`prepared`]: a descriptor before the event that brings it there;
//! - [`measure`]: what the calls report, in the cells of a row: [`cells`];
//! - [`table`]: the rows of one kernel as data, and those of the book; [`show`]: as text.
//!
//! The program prints them. The claims name rows, and are decided by what they measure.

pub mod cells;
mod meanwhile;
pub mod measure;
pub mod prepared;
pub mod rows;
pub mod show;
mod sockets;
pub mod table;
