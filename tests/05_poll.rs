//! The checks of chapter 05: one thread, poll(2). Those of its program are shared: `chapters/05-poll/lesson.toml` says
//! which.

use std::process::ExitCode;

use judge::LessonChecks;

fn main() -> ExitCode {
    LessonChecks::new("05-poll")
        .program("poll-server", env!("CARGO_BIN_EXE_poll-server"), &[])
        .exercise("1-to-poll", exercise_1::CHECKS)
        .exercise("2-last-word", exercise_2::CHECKS)
        .exercise("3-relay", exercise_3::CHECKS)
        .exercise("4-waiting-room", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/05-poll/exercises/1-to-poll/checks.rs"]
mod exercise_1;

#[path = "../chapters/05-poll/exercises/2-last-word/checks.rs"]
mod exercise_2;

#[path = "../chapters/05-poll/exercises/3-relay/checks.rs"]
mod exercise_3;

#[path = "../chapters/05-poll/exercises/4-waiting-room/checks.rs"]
mod exercise_4;
