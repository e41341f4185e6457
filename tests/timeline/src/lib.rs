//! A witnessed run as a person wants to read it.
//!
//! Data flows one way: [`scenes`] run a program under the witness beside peers and give a
//! [`recording`]; that becomes a [`Timeline`](lanes::Timeline), which is drawn as text or as SVG.
//!
//! - [`recording`]: what the program did and what the peers did, as data;
//! - [`scenes`]: what is done around a program so that its idea shows, by name;
//! - [`visible`]: what of a record is shown;
//! - [`names`]: who is behind a descriptor;
//! - [`words`], [`questions`], [`answers`], [`peers`]: what a call asked, what the kernel answered and
//!   what a peer did, in words;
//! - [`lanes`]: one lane for each participant, time going down;
//! - [`moments`]: the lanes as lines: a call that slept has two;
//! - [`text`], [`raw`], [`summary`]: for a terminal;
//! - [`svg`], [`drawing`], [`figures`]: for the book;
//! - [`sequence`]: what must be the same whenever a figure is recorded;
//! - [`packets`]: the packets of a connect, and what they say.
//!
//! Two programs of this package show them: [`trace`], and [`packets::command`].

pub mod answers;
pub mod drawing;
pub mod figures;
pub mod lanes;
pub mod moments;
pub mod names;
pub mod packets;
pub mod peers;
pub mod questions;
pub mod raw;
pub mod recording;
pub mod scenes;
pub mod sequence;
pub mod summary;
pub mod svg;
pub mod text;
pub mod trace;
pub mod visible;
pub mod words;
