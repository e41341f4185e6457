//! The map and the progress: where one is, and the one thing to type next.

use serde_json::json;

use crate::course::{Course, record, too_wide};

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

#[test]
fn who_has_done_nothing_is_told_where_to_start_and_nothing_is_made() {
    let course = Course::new();
    let (text, _) = course.said(&[]);
    assert_eq!(last_line(&text), "start here: cargo tutor tour");
    let (text, _) = course.said(&["progress"]);
    assert_eq!(last_line(&text), "next: cargo tutor start 03.1");
    assert!(!course.has("work"), "a look makes no folder");
}

#[test]
fn in_the_middle_the_map_says_where_one_is_and_what_to_type() {
    let course = Course::new();
    course.exercise("2-more");
    let next = |words: &str| {
        let (map, _) = course.said(&[]);
        assert!(too_wide(&map).is_empty(), "{map}");
        let (progress, _) = course.said(&["progress"]);
        assert!(too_wide(&progress).is_empty(), "{progress}");
        assert_eq!(last_line(&map), format!("next: {words}"), "{map}");
        assert_eq!(last_line(&progress), last_line(&map), "{progress}");
        (map, progress)
    };
    course.said(&["start", "03.1"]);
    let (map, _) = next("cargo tutor check 03.1");
    assert!(map.contains("\n> 03-select "), "{map}");
    assert!(map.contains("03.1 A netcat") && map.contains("it was not checked yet."), "{map}");

    course.judge(&[record(0, "a", "passed", json!({})), record(1, "b", "wrong", json!({}))]);
    course.said(&["check", "03.1"]);
    course.said(&["hint", "03.1"]);
    let (map, progress) = next("cargo tutor check 03.1");
    assert!(map.contains("1 of 2 checks passed."), "{map}");
    assert!(progress.contains("1 of 2 checks passed; 1 check so far; 1 hint so far"), "{progress}");

    course.judge(&[record(0, "a", "passed", json!({}))]);
    course.said(&["check", "03.1"]);
    let (map, progress) = next("cargo tutor start 03.2");
    assert!(map.contains("ask about many                          1 of 2\n"), "{map}");
    assert!(
        map.contains("3 of 6 points") && map.contains("03.1 is done. 03.2 A more comes next"),
        "{map}"
    );
    assert!(progress.contains("  03.1  done   A netcat"), "{progress}");

    // The checks have changed: what was passed must be seen again, in the end.
    course.put("chapters/03-select/exercises/1-netcat/checks.rs", "// others\n");
    course.said(&["start", "03.2"]);
    let (map, progress) = next("cargo tutor check 03.2");
    assert!(map.contains("1 of 2 stale\n"), "{map}");
    assert!(progress.contains("  03.1  stale  A netcat"), "{progress}");
    let (text, status) = course.said(&["check", "03.2"]);
    assert_eq!(status, 0, "{text}");
    let (map, _) = next("cargo tutor update 03.1");
    assert!(map.contains("03.1 A netcat has changed since you started it."), "{map}");
}

#[test]
fn when_all_is_done_the_map_says_so() {
    let course = Course::new();
    course.said(&["start", "03.1"]);
    course.judge(&[record(0, "a", "passed", json!({}))]);
    let (text, _) = course.said(&["check", "03.1"]);
    assert!(text.contains("all exercises are done"), "{text}");
    assert_eq!(last_line(&course.said(&[]).0), "all exercises are done");
    assert_eq!(last_line(&course.said(&["progress"]).0), "all exercises are done");
}

#[test]
fn what_was_begun_last_comes_next() {
    let course = Course::new();
    course.exercise("2-more");
    course.said(&["start", "03.1"]);
    course.said(&["start", "03.2"]);
    assert_eq!(last_line(&course.said(&[]).0), "next: cargo tutor check 03.2");
    course.judge(&[record(0, "a", "passed", json!({}))]);
    course.said(&["check", "03.2"]);
    assert_eq!(last_line(&course.said(&[]).0), "next: cargo tutor check 03.1");
}
