//! An exercise that changed upstream after it was started: noticed, told, taken over, and nothing lost.

use serde_json::json;

use crate::course::{Course, STARTER, record, too_wide};

const AT: &str = "chapters/03-select/exercises";

fn started() -> Course {
    let course = Course::new();
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    course
}

fn said(course: &Course, arguments: &[&str]) -> String {
    let (text, _) = course.said(arguments);
    assert!(too_wide(&text).is_empty(), "{text}");
    text
}

/// Without line breaks: where they are depends on the paths.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_has_not_changed_needs_no_update() {
    let course = started();
    let text = said(&course, &["update", "03.1"]);
    assert_eq!(text, "03.1 A netcat: nothing has changed since you started it\n");
    assert!(!course.has("work/03-1-netcat/src/main.rs.1"));
}

#[test]
fn each_change_is_told_by_map_check_and_start_until_it_is_taken_over() {
    let course = started();
    for (file, change) in [
        ("statement.md", "its statement was rewritten"),
        ("starter.rs", "its starter was changed"),
        ("checks.rs", "its checks were changed"),
        ("exercise.toml", "it was worth 3 points, and is worth 5 now"),
    ] {
        let path = format!("{AT}/1-netcat/{file}");
        let text = course.text(&path).replace("points = 3", "points = 5");
        course.put(&path, &if file == "exercise.toml" { text } else { text + "\n// more\n" });
        course.judge(&[record(0, "a", "wrong", json!({}))]);
        for arguments in [["check", "03.1"], ["start", "03.1"]] {
            let text = said(&course, &arguments);
            assert!(text.contains("since you started it:\n") && text.contains(change), "{text}");
            assert!(text.contains("cargo tutor update 03.1"), "{text}");
        }
        assert!(said(&course, &[]).ends_with("next: cargo tutor update 03.1\n"));
        let text = said(&course, &["update", "03.1"]);
        assert!(text.contains(&format!("  - {change}\n")), "{text}");
        assert!(said(&course, &[]).ends_with("next: cargo tutor check 03.1\n"));
    }
}

#[test]
fn a_new_starter_is_merged_into_the_learners_program_and_the_old_file_is_kept() {
    let course = started();
    let own = STARTER.replace("three()", "mine()");
    course.put(Course::PROGRAM, &own);
    course.put(&format!("{AT}/1-netcat/starter.rs"), &STARTER.replace("one()", "new()"));
    let text = said(&course, &["update", "03.1"]);
    assert!(flat(&text).contains("what you had is in work/03-1-netcat/src/main.rs.1"), "{text}");
    assert_eq!(course.text(Course::PROGRAM), own.replace("one()", "new()"));
    assert_eq!(course.text("work/03-1-netcat/src/main.rs.1"), own);
    // The next one is merged by the starter that was taken over.
    course.put(&format!("{AT}/1-netcat/starter.rs"), &STARTER.replace("one()", "newer()"));
    said(&course, &["update", "03.1"]);
    assert_eq!(course.text(Course::PROGRAM), own.replace("one()", "newer()"));
    assert_eq!(course.text("work/03-1-netcat/src/main.rs.1"), own);
}

#[test]
fn conflicts_are_marked_as_git_does() {
    let course = started();
    let own = STARTER.replace("two()", "mine()");
    course.put(Course::PROGRAM, &own);
    course.put(&format!("{AT}/1-netcat/starter.rs"), &STARTER.replace("two()", "new()"));
    let text = said(&course, &["update", "03.1"]);
    assert!(flat(&text).contains("at 1 place both have changed: search for"), "{text}");
    assert!(text.contains("solve the conflicts, then cargo tutor check 03.1"), "{text}");
    let marked = course.text(Course::PROGRAM);
    let lines: Vec<&str> =
        marked.lines().filter(|line| !line.starts_with(['f', '}', '/'])).collect();
    assert!(marked.contains("<<<<<<<") && marked.contains(">>>>>>>"), "{marked}");
    assert!(lines.contains(&"    mine();") && lines.contains(&"    new();"), "{marked}");
    assert_eq!(course.text("work/03-1-netcat/src/main.rs.1"), own);
}

#[test]
fn an_exercise_with_another_number_is_found_and_its_folder_keeps_its_name() {
    let course = started();
    course.judge(&[record(0, "a", "wrong", json!({}))]);
    course.said(&["check", "03.1"]);
    course.said(&["hint", "03.1"]);
    let exercises = course.root().join(AT);
    std::fs::rename(exercises.join("1-netcat"), exercises.join("2-netcat")).expect("a move");
    course.exercise("1-first");
    // Who types the old number is told where his program went.
    let text = said(&course, &["check", "03.1"]);
    assert!(
        text.contains("03.1 was not started") && text.contains("A netcat, is 03.2 now"),
        "{text}"
    );
    let text = said(&course, &["update", "netcat"]);
    assert!(text.contains("  - it was 03.1, and is 03.2 now\n"), "{text}");
    assert!(text.contains("stays as it is: work/03-1-netcat/src/main.rs"), "{text}");
    assert_eq!(course.text(Course::PROGRAM), STARTER);
    assert!(said(&course, &["progress"]).contains("1 check so far; 1 hint so far"));
    // What has its number now begins beside it.
    said(&course, &["start", "03.1"]);
    assert!(course.has("work/03-1-first/src/main.rs"));
}

#[test]
fn an_exercise_with_another_name_is_found_if_it_says_what_it_was_called() {
    let course = started();
    course.put(Course::PROGRAM, "mine");
    course.said(&["hint", "03.1"]);
    let exercises = course.root().join(AT);
    std::fs::remove_dir_all(exercises.join("1-netcat")).expect("it goes");
    course.exercise_with("1-talker", "points = 3\nformerly = [\"netcat\"]\n");
    assert!(said(&course, &[]).ends_with("next: cargo tutor update 03.1\n"));
    let text = said(&course, &["update", "netcat"]);
    assert!(text.contains("  - it was called netcat, and is talker now\n"), "{text}");
    assert_eq!(course.text(Course::PROGRAM), "mine");
    let progress = course.text("work/progress.toml");
    assert!(progress.contains("[talker]\nfolder = \"03-1-netcat\"\nhints = 1"), "{progress}");
    assert!(!progress.contains("[netcat]"), "{progress}");
}

#[test]
fn an_exercise_that_is_gone_is_told_and_its_folder_left_alone() {
    let course = started();
    course.put(Course::PROGRAM, "mine");
    std::fs::remove_dir_all(course.root().join(AT).join("1-netcat")).expect("it goes");
    course.exercise("7-other");
    let words = "netcat is no exercise of this course any more; your program stays in";
    for arguments in
        [&["progress"][..], &["check", "03.1"], &["check", "netcat"], &["hint", "netcat"]]
    {
        let text = flat(&said(&course, arguments)).replace("more your", "more; your");
        assert!(text.contains(words) && text.contains("work/03-1-netcat"), "{arguments:?}: {text}");
    }
    said(&course, &["start", "03.7"]);
    assert!(flat(&said(&course, &[])).contains(words));
    assert_eq!(course.text(Course::PROGRAM), "mine");
    assert!(course.text("work/progress.toml").contains("[netcat]"), "nor is it forgotten");
}

#[test]
fn a_learners_own_manifest_is_not_overwritten() {
    let course = started();
    let path = "work/03-1-netcat/Cargo.toml";
    course.put("chapters/03-select/Cargo.toml", "[dependencies]\nnix = \"1\"\nsocket2 = \"1\"\n");
    let text = said(&course, &["update", "03.1"]);
    assert!(text.contains("its manifest is the new one"), "{text}");
    assert!(course.text(path).contains("socket2.workspace = true"));
    let own = course.text(path) + "\n[features]\n";
    course.put(path, &own);
    course.put("chapters/03-select/Cargo.toml", "[dependencies]\nlibc = \"1\"\n");
    let text = said(&course, &["update", "03.1"]);
    assert!(text.contains("you have changed yours"), "{text}");
    assert_eq!(course.text(path), own);
    // Another number alone is no other manifest.
    let exercises = course.root().join(AT);
    std::fs::rename(exercises.join("1-netcat"), exercises.join("2-netcat")).expect("a move");
    let text = said(&course, &["update", "03.2"]);
    assert!(!text.contains("manifest"), "{text}");
    assert!(course.text("work/03-1-netcat/Cargo.toml.new").contains("libc.workspace = true"));
}

#[test]
fn where_the_old_starter_is_gone_the_new_one_lies_beside() {
    let course = started();
    course.put(Course::PROGRAM, "mine");
    std::fs::remove_dir_all(course.root().join("work/03-1-netcat/.begun")).expect("it goes");
    let text = said(&course, &["update", "03.1"]);
    assert!(text.contains("lies in work/03-1-netcat/starter.rs"), "{text}");
    assert_eq!(course.text(Course::PROGRAM), "mine");
}
