//! The solution, the hints and a new beginning.

use serde_json::json;

use crate::course::{Course, STARTER, record};

fn started() -> Course {
    let course = Course::new();
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    course
}

#[test]
fn before_success_the_solution_is_shown_to_who_asks_twice() {
    let course = started();
    let (text, status) = course.said(&["solution", "03.1"]);
    assert!(status == 0 && text.contains("ask once more") && !text.contains("better()"), "{text}");
    let (text, _) = course.said(&["solution", "03.1"]);
    assert!(text.contains("\n    better();\n"), "{text}");
}

#[test]
fn after_success_it_is_compared_and_the_other_hints_are_told() {
    let course = started();
    course.said(&["hint", "03.1"]);
    course.judge(&[record(0, "a", "passed", json!({}))]);
    course.said(&["check", "03.1"]);
    let (text, status) = course.said(&["solution", "03.1"]);
    assert_eq!(status, 0);
    assert!(text.starts_with("--- yours\n+++ the solution\n"), "{text}");
    assert!(text.contains("\n-    two();\n+    better();\n"), "{text}");
    assert!(text.contains("the solution of 03.1 A netcat\n\n//! A netcat.\n"), "{text}");
    let hints = "hints that you have not read\n  2. a pointer\n  3. the idea\n";
    assert!(text.ends_with(hints), "{text}");
    // His program may be gone: the solution is there all the same.
    std::fs::remove_dir_all(course.root().join("work/03-1-netcat")).expect("it goes");
    let (text, status) = course.said(&["solution", "03.1"]);
    assert!(status == 0 && text.starts_with("the solution of 03.1"), "{text}");
}

#[test]
fn hints_come_one_by_one() {
    // Whoever writes in another language has no crate.
    let course = Course::new();
    let (text, _) = course.said(&["hint", "03.1"]);
    assert_eq!(text, "  1. a question\n2 more: cargo tutor hint 03.1\n");
    course.said(&["hint", "03.1"]);
    let (text, _) = course.said(&["hint", "netcat"]);
    assert!(
        text.ends_with("  3. the idea\nthat was the last; then: cargo tutor solution 03.1\n"),
        "{text}"
    );
    let (again, _) = course.said(&["hint", "03.1"]);
    assert_eq!(again, text);
}

#[test]
fn a_new_beginning_keeps_each_old_one() {
    let course = started();
    for (at, text) in [(1, "first"), (2, "second")] {
        course.put(Course::PROGRAM, text);
        let (told, status) = course.said(&["reset", "03.1"]);
        let kept = format!("work/03-1-netcat/src/main.rs.{at}");
        assert!(status == 0 && told.ends_with(&format!("what you had is in {kept}\n")), "{told}");
        assert_eq!(course.text(&kept), text);
        assert_eq!(course.text(Course::PROGRAM), STARTER);
    }
}

#[test]
fn a_start_overwrites_nothing() {
    let course = started();
    course.put(Course::PROGRAM, "mine");
    course.put("work/.vscode/settings.json", "{}");
    let (text, status) = course.said(&["start", "03.1"]);
    assert!(status == 0 && text.contains("it is there already, as you left it"), "{text}");
    assert_eq!(course.text(Course::PROGRAM), "mine");
    assert_eq!(course.text("work/.vscode/settings.json"), "{}");
    for command in ["check", "reset", "update"] {
        course.exercise("2-more");
        let (text, status) = course.said(&[command, "03.2"]);
        assert_eq!((text.as_str(), status), ("03.2 was not started: cargo tutor start 03.2\n", 2));
    }
}
