//! The course's laboratory: everything that a check or a demonstration needs around a program.
//!
//! - [`subject`]: run a program, learn its address, and be sure that it ends;
//! - [`ran`]: what a program left behind that ended by itself;
//! - [`script`]: programs of a few lines that a test writes;
//! - [`process`]: what `/proc` says about a running program;
//! - [`queues`]: what the kernel holds of a connection and of a listener;
//! - [`witness`]: how a program waits: its system calls, decoded;
//! - [`clock`]: the time that the witness and the peers share;
//! - [`wait`]: bounded waits: no sleep stands for a condition;
//! - [`peer`]: clients and listeners with a character: polite, silent, greedy, resetting;
//! - [`ask`]: what select, poll and epoll report of a descriptor;
//! - [`sockets`]: plain sockets on 127.0.0.1, and what has arrived at one;
//! - [`rig`]: sockets in states that the kernel otherwise reaches by accident;
//! - [`capture`]: every packet of a network of one's own, as it crosses the wire;
//! - [`namespace`]: a network of one's own, where routes can be missing;
//! - [`shown`]: how durations and bytes are written;
//! - [`limits`]: what the limits of a process refuse, and what to do;
//! - [`kernel`]: which kernel this is;
//! - [`need`]: what a machine may forbid, looked for before it is needed;
//! - [`probe`]: what this machine allows, tried for real or read from its settings.
//!
//! Of itself nothing here talks to an address outside 127.0.0.0/8, `::1` or a namespace made here: a peer
//! by hand goes where a person sends it.

#[cfg(not(target_os = "linux"))]
compile_error!("the course is about Linux: open it in its dev container, or in WSL2");

pub mod ask;
pub mod capture;
pub mod clock;
pub mod confine;
pub mod kernel;
pub mod limits;
pub mod namespace;
pub mod need;
pub mod peer;
pub mod probe;
pub mod process;
pub mod queues;
pub mod ran;
pub mod rig;
pub mod script;
pub mod shown;
pub mod sockets;
pub mod subject;
pub mod wait;
pub mod witness;
