//! What every server of the course starts from: its arguments, its listener, its first line, and
//! the reply itself. How a server *waits* is not here: that is what the chapters are about.

mod acceptor;
mod arguments;
mod descriptors;
mod listener;
mod narrator;
mod reply;

pub use acceptor::Acceptor;
pub use arguments::ServerArguments;
pub use descriptors::{RETRY, set_descriptor_limit};
pub use listener::{Accepted, accept, listen};
pub use narrator::Narrator;
pub use reply::{BUFFER, answer};
