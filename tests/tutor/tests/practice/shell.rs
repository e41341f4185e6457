//! Completion in the shells that are here, and an editor's settings.

use std::process::Command;

use serde_json::Value;

use crate::course::Course;

/// Asks bash what it would complete behind these words.
fn completed(course: &Course, words: &[&str]) -> String {
    let (script, status) = course.said(&["completions", "bash"]);
    assert_eq!(status, 0, "{script}");
    course.put("completions.bash", &script);
    let asks = format!(
        "source completions.bash; COMP_WORDS=({}); COMP_CWORD={}; _tutor tutor '{}' '{}'; \
         echo \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let output = Command::new("bash").arg("-c").arg(asks).current_dir(course.root()).output();
    let output = output.expect("bash");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn bash_completes_commands_exercises_and_lessons() {
    let course = Course::new();
    assert_eq!(completed(&course, &["tutor", "wat"]), "watch");
    assert_eq!(completed(&course, &["tutor", "start", "03"]), "03.1");
    assert_eq!(completed(&course, &["tutor", "hint", "net"]), "netcat");
    assert_eq!(completed(&course, &["tutor", "demo", "sel"]), "select");
    assert_eq!(completed(&course, &["tutor", "check", "--tr"]), "--trace");
}

#[test]
fn the_function_runs_the_tutor_of_this_course_from_every_folder() {
    let course = Course::called("a course's folder");
    let (script, _) = course.said(&["completions", "bash"]);
    course.put("completions.bash", &script);
    // In the place of cargo something that shows what it was given.
    let asks = "cargo() { printf '<%s>' \"$@\"; }; source \"$0\"; cd /; tutor check 03.1";
    let script = course.root().join("completions.bash");
    let output = Command::new("bash").arg("-c").arg(asks).arg(&script).output().expect("bash");
    let manifest = course.root().join("Cargo.toml");
    let expected = format!(
        "<run><--quiet><--manifest-path><{}><--package><tutor><--><check><03.1>",
        manifest.display()
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

#[test]
fn each_shell_has_a_script() {
    let course = Course::new();
    for (shell, function, completes) in [
        ("zsh", "tutor() { cargo run --quiet ", "compdef _tutor tutor"),
        ("fish", "function tutor; cargo run --quiet ", "complete -c tutor"),
    ] {
        let (script, status) = course.said(&["completions", shell]);
        assert_eq!(status, 0, "{script}");
        assert!(script.starts_with(function) && script.contains(completes), "{script}");
        assert!(script.contains("netcat"), "{script}");
    }
    assert_eq!(course.said(&["completions", "tcsh"]).1, 2);
}

#[test]
fn an_editors_settings_are_written_once() {
    let course = Course::new();
    course.said(&["start", "03.1"]);
    let settings = "work/.vscode/settings.json";
    let read: Value = serde_json::from_str(&course.text(settings)).expect("settings");
    assert_eq!(read["rust-analyzer.cargo.targetDir"], true);
    let extensions = course.text("work/.vscode/extensions.json");
    let read: Value = serde_json::from_str(&extensions).expect("extensions");
    assert_eq!(read["recommendations"][0], "rust-lang.rust-analyzer");
    // Neither is one that was changed overwritten, nor one made anew that was deleted.
    course.put(settings, "mine");
    std::fs::remove_file(course.root().join("work/.vscode/extensions.json")).expect("a file");
    course.exercise("2-more");
    course.said(&["start", "03.2"]);
    assert_eq!(course.text(settings), "mine");
    assert!(!course.has("work/.vscode/extensions.json"));
}
