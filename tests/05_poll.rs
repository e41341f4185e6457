//! The checks of chapter 05: one thread, poll(2). Those of its program are shared: `chapters/05-poll/lesson.toml` says
//! which.

use std::process::ExitCode;

use judge::LessonChecks;

fn main() -> ExitCode {
    LessonChecks::new("05-poll")
        .program("poll-server", env!("CARGO_BIN_EXE_poll-server"), &[])
        .exercise("1-to-poll", exercise_1::CHECKS)
        .exercise("2-last-word", exercise_2::CHECKS)
        .main()
}

#[path = "../chapters/05-poll/exercises/1-to-poll/checks.rs"]
mod exercise_1;

#[path = "../chapters/05-poll/exercises/2-last-word/checks.rs"]
mod exercise_2;
