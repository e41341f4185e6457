//! A witnessed run as a person wants to read it.
//!
//! Data flows one way: a [`script`] runs a program under the witness beside peers and gives a
//! [`recording`]; that becomes a [`Timeline`](lanes::Timeline), which is drawn as text or as SVG.
//!
//! - [`recording`]: what the program did and what the peers did, as data;
//! - [`script`]: the steps of the peers, and how they are run;
//! - [`asleep`]: when a program has come to rest;
//! - [`scenario`]: the script of each lesson;
//! - [`names`]: who is behind a descriptor;
//! - [`words`], [`questions`], [`answers`]: what a call asked and what the kernel answered, in words;
//! - [`lanes`]: one lane for each participant, time going down;
//! - [`moments`]: the lanes as lines: a call that slept has two;
//! - [`text`], [`raw`], [`summary`]: for a terminal;
//! - [`svg`], [`drawing`], [`figures`]: for the book;
//! - [`sequence`]: what must be the same whenever a figure is recorded.

pub mod answers;
pub mod asleep;
pub mod drawing;
pub mod figures;
pub mod lanes;
pub mod moments;
pub mod names;
pub mod questions;
pub mod raw;
pub mod recording;
pub mod scenario;
pub mod script;
pub mod sequence;
pub mod summary;
pub mod svg;
pub mod text;
pub mod words;
