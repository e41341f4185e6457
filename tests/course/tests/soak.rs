//! Soaks that are counted together. Cargo is a script here, and the course a folder with one file.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use lab::script;
use tempfile::TempDir;

/// What cargo prints of a run in which all is well.
const GOOD: &str =
    "echo 'test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out'";
const BAD: &str = "echo 'test result: FAILED. 2 passed; 1 failed; 0 ignored'; exit 101";

/// A course whose tests end as `cargo` says.
fn course(cargo: &str) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir_all(folder.path().join("chapters/03-a")).expect("a folder");
    fs::write(folder.path().join("chapters/03-a/main.rs"), "fn main() {}").expect("a file");
    with_cargo(folder.path(), cargo);
    folder
}

fn with_cargo(folder: &Path, text: &str) {
    // The first of its calls only builds.
    let text = format!("#!/bin/sh\ncase \"$*\" in *--no-run*) exit 0 ;; esac\n{text}\n");
    script::write(&folder.join("cargo"), &text).expect("a script");
}

fn soak(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_course"));
    command.args(["soak", "--busy", "0", "--log"]).arg(folder.join("soak.log")).args(arguments);
    // From here the course's folder is two up.
    command.env("CARGO_MANIFEST_DIR", folder.join("tests/course"));
    let Output { status, stdout, stderr } =
        command.env("CARGO", folder.join("cargo")).output().expect("the program");
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code(), said)
}

#[track_caller]
fn has(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
}

#[test]
fn soaks_of_the_same_code_are_counted_together() {
    let folder = course(GOOD);
    let folder = folder.path();
    let (status, said) = soak(folder, &["--idle", "2"]);
    has(&said, &["run 1 of 2, idle: passed, 3 tests and 1 ignored", "\n2 passed, 0 failed\n"]);
    assert_eq!(status, Some(0));
    let (status, said) = soak(folder, &["--resume", "--idle", "3"]);
    has(&said, &["goes on behind 2 idle and 0 busy", "run 3 of 3, idle", "\n3 passed, 0 failed\n"]);
    assert!(!said.contains("run 2 of 3"), "{said}");
    assert_eq!(status, Some(0));
    // A failure stays a failure, whatever passes behind it.
    with_cargo(folder, BAD);
    let (status, said) = soak(folder, &["--resume", "--idle", "4"]);
    has(&said, &["run 4 of 4, idle: FAILED (exit status: 101)", "\n3 passed, 1 failed\n"]);
    assert_eq!(status, Some(1));
    with_cargo(folder, GOOD);
    let (status, said) = soak(folder, &["--resume", "--idle", "5"]);
    has(&said, &["goes on behind 4 idle and 0 busy, 1 of them failed", "\n4 passed, 1 failed\n"]);
    assert_eq!(status, Some(1));
    // Without --resume it begins anew.
    let (status, said) = soak(folder, &["--idle", "1"]);
    has(&said, &["run 1 of 1", "\n1 passed, 0 failed\n"]);
    assert_eq!(status, Some(0));
}

#[test]
fn a_count_of_other_code_is_void() {
    let folder = course(GOOD);
    let folder = folder.path();
    let (_, said) = soak(folder, &["--resume", "--idle", "1"]);
    has(&said, &["nothing was counted before", "\n1 passed, 0 failed\n"]);
    fs::write(folder.join("CHANGELOG.md"), "words").expect("a file");
    let (_, said) = soak(folder, &["--resume", "--idle", "1"]);
    has(&said, &["goes on behind 1 idle", "\n1 passed, 0 failed\n"]);
    assert!(!said.contains("run 1"), "{said}");
    fs::write(folder.join("chapters/03-a/main.rs"), "fn main() { }").expect("a file");
    let (_, said) = soak(folder, &["--resume", "--idle", "1"]);
    has(
        &said,
        &["has changed: void are 1 idle and 0 busy", "run 1 of 1", "\n1 passed, 0 failed\n"],
    );
}

#[test]
fn code_that_changes_while_it_is_checked_is_noticed() {
    let folder = course("");
    let main = folder.path().join("chapters/03-a/main.rs");
    with_cargo(folder.path(), &format!("{GOOD}; echo >>'{}'", main.display()));
    let (status, said) = soak(folder.path(), &["--idle", "2"]);
    has(&said, &["has changed meanwhile: void are 0 idle and 0 busy"]);
    assert_eq!(status, Some(1));
    assert!(!said.contains("run 1"), "{said}");
}
