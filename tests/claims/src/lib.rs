//! Claims on trial: the sentences that web pages repeat about select, poll, epoll and connect, each
//! with a verdict, and an experiment wherever one can decide.
//!
//! - [`register`]: the file `register.toml`, which a person edits;
//! - [`seen`]: what an experiment saw, beside what the book says;
//! - [`experiments`]: the experiments themselves;
//! - [`rows`]: those that rows of chapter 09 decide;
//! - [`report`]: one experiment in this process, and its report as data;
//! - [`recording`]: what they saw on one kernel, for the book;
//! - [`runner`]: many experiments, each in a process of its own, within a bound;
//! - [`command`]: what the program `claims` shows of them.

pub mod command;
pub mod experiments;
pub mod recording;
pub mod register;
pub mod report;
pub mod rows;
pub mod runner;
pub mod seen;
