//! Practice as a learner meets it. What cargo and the judge would say, stand-ins say, but for one test.

mod cargo;
mod course;
mod map;
mod robust;
mod shell;
mod solution;
mod update;
mod verdict;
mod watch;
