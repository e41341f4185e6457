//! The checks of chapter 04: one thread, select(2) both ways, no call that sleeps but that. All of them
//! are shared: `chapters/04-nonblocking-io/lesson.toml` says which.

use std::process::ExitCode;

use judge::LessonChecks;

fn main() -> ExitCode {
    LessonChecks::new("04-nonblocking-io")
        .program("nonblocking-server", env!("CARGO_BIN_EXE_nonblocking-server"), &[])
        .exercise("1-owed", exercise_1::CHECKS)
        .exercise("2-overtaken", exercise_2::CHECKS)
        .exercise("3-always-room", exercise_3::CHECKS)
        .exercise("4-lines", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/04-nonblocking-io/exercises/1-owed/checks.rs"]
mod exercise_1;
#[path = "../chapters/04-nonblocking-io/exercises/2-overtaken/checks.rs"]
mod exercise_2;
#[path = "../chapters/04-nonblocking-io/exercises/3-always-room/checks.rs"]
mod exercise_3;
#[path = "../chapters/04-nonblocking-io/exercises/4-lines/checks.rs"]
mod exercise_4;
