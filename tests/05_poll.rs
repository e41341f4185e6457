//! The checks of chapter 05: one thread, poll(2). All of them
//! are shared: `chapters/05-poll/lesson.toml` says which.

use std::process::ExitCode;

use judge::LessonChecks;

fn main() -> ExitCode {
    LessonChecks::new("05-poll")
        .program("poll-server", env!("CARGO_BIN_EXE_poll-server"), &[])
        .main()
}
