//! With the real cargo, in a course of its own: it shares no folder with the one that runs the tests, and waits for no
//! lock of it.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::course::{Course, record, too_wide};

/// What `check 03.1` tells, when cargo builds.
fn checked(course: &Course, program: &str) -> (String, Option<i32>) {
    course.put(Course::PROGRAM, program);
    let mut check: Command = course.process(&["check", "03.1"]);
    check.env("CARGO", std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // What those who run the tests have set is theirs.
    for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "RUSTFLAGS"] {
        check.env_remove(name);
    }
    let output = check.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (text.into_owned(), output.status.code())
}

#[test]
fn the_compilers_errors_its_warnings_and_a_broken_manifest_are_told_apart() {
    let course = Course::called("a course");
    course.put("Cargo.toml", "[workspace.dependencies]\n[profile.dev]\ndebug = false\n");
    course.put("chapters/03-select/Cargo.toml", "[dependencies]\n");
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    course.judge(&[record(0, "a", "passed", json!({}))]);

    let (text, status) = checked(&course, "fn main() {\n    let x: u32 = \"no number\";\n}\n");
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.starts_with("error[E0308]: mismatched types\n") && text.contains("main.rs:2:18"),
        "{text}"
    );
    assert!(text.contains("  compiles        not yet: one error\n"), "{text}");
    assert!(!text.contains("warning") && too_wide(&text).is_empty(), "{text}");

    let (text, status) = checked(&course, "fn main() {\n    let unused = 1;\n}\n");
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("passed, all 1 checks") && text.contains("one warning"), "{text}");
    let asked = course.text("bin/judge.asked");
    let (_, subject) = asked.split_once("--subject ").expect("a program");
    let (subject, _) = subject.split_once(" --records").expect("a path");
    assert_eq!(Path::new(subject), course.root().join("target/debug/03-1-netcat"));
    assert!(Path::new(subject).exists());

    // Another crate of his: it stands in the way of all, and is named.
    course.exercise("2-more");
    course.said(&["start", "03.2"]);
    course.put("work/03-2-more/Cargo.toml", "[package\n");
    let (text, status) = checked(&course, "fn main() {}\n");
    assert_eq!(status, Some(1), "{text}");
    assert!(
        text.contains("says nothing of your program") && text.contains("03-2-more/Cargo.toml"),
        "{text}"
    );
    assert!(text.contains("mend the manifest that it names; or delete it"), "{text}");
    std::fs::remove_file(course.root().join("work/03-2-more/Cargo.toml")).expect("a file");
    let (text, status) = checked(&course, "fn main() {}\n");
    assert_eq!(status, Some(0), "{text}");
}
