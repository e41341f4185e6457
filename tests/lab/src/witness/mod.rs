//! The witness: it watches *how* a program waits.
//!
//! It runs a subject under ptrace(2), without root and without another tool, and records its system
//! calls with what their arguments mean.
//!
//! - [`record`]: what it writes down;
//! - [`bits`]: readiness events and flags, with their names.

pub mod bits;
pub mod record;
