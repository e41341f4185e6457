//! The session of the book, as a learner types it.

use std::process::ExitCode;

use assert_cmd::cargo::cargo_bin;
use judge::Test;
use judge::transcript::Transcripts;
use lab::need::Need;
use tempfile::TempDir;

fn main() -> ExitCode {
    judge::tests([Test::new(
        &[Need::Ptrace, Need::UserNamespaces],
        the_session_of_the_book_is_true,
    )])
}

fn the_session_of_the_book_is_true() {
    let folder = TempDir::new().expect("a folder");
    let session = Transcripts::of_page("session").learner(cargo_bin!("tutor"), folder.path());
    session.run().unwrap_or_else(|fault| panic!("{fault}"));
}
