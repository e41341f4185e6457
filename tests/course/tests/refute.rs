//! An experiment under a lie: what is told of one that differs, passes, breaks, or is told nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use course::refute::{self, Refuted};
use judge::Test;
use lab::need::Need;
use lab::script;
use lab::witness::lie::Lie;
use nix::errno::Errno;

const TRACED: &[Need] = &[Need::Ptrace];

fn main() -> ExitCode {
    judge::tests([Test::new(TRACED, what_became_of_an_experiment_is_told)])
}

/// A program that reports this in the place of an experiment.
fn reporting(folder: &Path, name: &str, report: &str) -> PathBuf {
    let path = folder.join(name);
    script::write(&path, &format!("#!/bin/sh\necho '{report}'\n")).expect("a script");
    path
}

fn what_became_of_an_experiment_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = |book: &str, ended: &str| {
        format!(
            r#"{{"seen":{{"observations":[{{"did":"a","saw":"b","compared":true,"book":{book}}}]}},"ended":{ended}}}"#
        )
    };
    // A shell asks for its parent, for the variable PPID.
    let told = [Lie::errno("getppid", Errno::EPERM)];
    let not_told = [Lie::nothing("epoll_wait")];
    let differs = reporting(folder.path(), "differs", &report(r#""c""#, r#""done""#));
    let passes = reporting(folder.path(), "passes", &report("null", r#""done""#));
    let broke = reporting(folder.path(), "broke", &report("null", r#"{"broke":"why"}"#));
    let forbidden =
        reporting(folder.path(), "forbidden", &report("null", r#"{"unsupported":"why"}"#));
    let no_report = reporting(folder.path(), "none", "no report");
    let refuted = |program: &Path, lies: &[Lie]| refute::refuted(program, "an-experiment", lies);
    assert!(matches!(refuted(&differs, &told), Refuted::Differs(all) if all[0].did == "a"));
    assert_eq!(refuted(&passes, &told), Refuted::Passes);
    assert_eq!(refuted(&broke, &told), Refuted::Broke("why".to_owned()));
    assert!(matches!(refuted(&no_report, &told), Refuted::Broke(why) if why.contains("no report")));
    assert_eq!(refuted(&differs, &not_told), Refuted::NotTold);
    assert!(matches!(refuted(&forbidden, &not_told), Refuted::NotHere(_, why) if why == "why"));
}
