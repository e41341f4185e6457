//! Every claim on trial: one test for each claim that has an experiment, and tests of the register
//! and of the runner themselves.

fn main() {}
