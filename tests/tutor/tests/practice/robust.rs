//! What a learner, a machine and another tutor may do to `work/`: nothing is lost, and it is said what is wrong.

use std::fs::{self, File};
use std::io::Read;
use std::process::{Command as Process, Stdio};
use std::thread;
use std::time::Instant;

use lab::need::Need;
use lab::probe;
use nix::pty::openpty;
use serde_json::json;

use crate::course::{Course, STARTER, record, too_wide};

fn started() -> Course {
    let course = Course::new();
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    course.judge(&[record(0, "a", "passed", json!({}))]);
    course
}

/// Runs the tutor where this shell line has changed what is mounted, in namespaces of its own; `None` where the
/// machine forbids them.
fn said_behind(course: &Course, mounts: &str, arguments: &[&str]) -> Option<(String, i32)> {
    if probe::look(Need::UserNamespaces).is_err() {
        eprintln!("not here: user namespaces are forbidden");
        return None;
    }
    let tutor = course.process(arguments);
    let mut command = Process::new("unshare");
    command.args(["-rm", "sh", "-ec", &format!("{mounts}\nexec \"$@\"")]).arg("sh");
    command.arg(tutor.get_program()).args(tutor.get_args()).current_dir(course.root());
    for (name, value) in tutor.get_envs() {
        command.env(name, value.expect("a value"));
    }
    let output = command.output().expect("unshare");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    Some((text.into_owned(), output.status.code().unwrap_or(-1)))
}

const READ_ONLY: &str = "mount --bind work work\nmount -o remount,ro,bind work";

#[test]
fn several_tutors_at_once_lose_nothing_to_each_other() {
    let course = started();
    thread::scope(|scope| {
        for _ in 0..4 {
            for arguments in [&["check", "03.1"][..], &["hint", "03.1"], &["start", "03.1"]] {
                let course = &course;
                scope.spawn(move || {
                    let (text, status) = course.said(arguments);
                    assert_eq!(status, 0, "{text}");
                });
            }
        }
    });
    let progress = course.text("work/progress.toml");
    assert!(progress.contains("checks = 4\n"), "{progress}");
    assert_eq!(course.text(Course::PROGRAM), STARTER);
}

#[test]
fn whoever_is_killed_while_he_writes_leaves_the_old_or_the_new() {
    let course = started();
    let begun = Instant::now();
    course.said(&["reset", "03.1"]);
    let took = begun.elapsed();
    for at in 0..20 {
        course.put(Course::PROGRAM, "mine");
        let mut reset = course.process(&["reset", "03.1"]);
        let mut reset = reset.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a start");
        // From its beginning to beyond its end: no condition is waited for.
        thread::sleep(took * at / 16);
        reset.kill().expect("a kill");
        reset.wait().expect("an end");
        let program = course.text(Course::PROGRAM);
        assert!(program == "mine" || program == STARTER, "{program:?}");
        if program == STARTER {
            let folder = course.root().join("work/03-1-netcat/src");
            let copies = fs::read_dir(folder).expect("a folder").flatten();
            let mut copies = copies.map(|one| fs::read_to_string(one.path()).unwrap_or_default());
            assert!(copies.any(|text| text == "mine"), "what he had is lost");
        }
        let (text, status) = course.said(&["check", "03.1"]);
        assert_eq!(status, 0, "{text}");
    }
}

#[test]
fn a_work_folder_that_is_gone_is_made_anew() {
    let course = started();
    course.said(&["check", "03.1"]);
    fs::remove_dir_all(course.root().join("work")).expect("it goes");
    assert!(course.said(&[]).0.ends_with("start here: cargo tutor tour\n"));
    let (text, status) = course.said(&["check", "03.1"]);
    assert_eq!((text.as_str(), status), ("03.1 was not started: cargo tutor start 03.1\n", 2));
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    assert_eq!(course.said(&["check", "03.1"]).1, 0);
}

#[test]
fn a_crate_that_was_deleted_by_hand_is_missed_and_can_be_begun_anew() {
    let course = started();
    course.said(&["hint", "03.1"]);
    fs::remove_dir_all(course.root().join("work/03-1-netcat")).expect("it goes");
    for command in ["check", "reset", "update"] {
        let (text, status) = course.said(&[command, "03.1"]);
        assert_eq!(status, 2, "{text}");
        assert!(
            text.contains("is not there any more\nto begin anew: cargo tutor start 03.1"),
            "{text}"
        );
    }
    assert!(course.said(&["progress"]).0.ends_with("next: cargo tutor start 03.1\n"));
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    assert_eq!(course.text(Course::PROGRAM), STARTER);
    // What was read is not forgotten.
    assert!(course.said(&["hint", "03.1"]).0.contains("  2. a pointer"));
    // The manifest alone is written anew, the program is left.
    course.put(Course::PROGRAM, "mine");
    fs::remove_file(course.root().join("work/03-1-netcat/Cargo.toml")).expect("it goes");
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    assert!(course.text("work/03-1-netcat/Cargo.toml").contains("name = \"my-03-1-netcat\""));
    assert_eq!(course.text(Course::PROGRAM), "mine");
}

#[test]
fn the_workspaces_own_files_are_mended() {
    let course = started();
    let good = course.text("work/Cargo.toml");
    assert!(good.contains("\"03-1-netcat\"") && good.contains("path = \"../tests/lab\""), "{good}");
    course.put("work/Cargo.toml", "[workspace\n");
    course.put("work/.cargo/config.toml", "broken");
    assert_eq!(course.said(&["check", "03.1"]).1, 0);
    assert_eq!(course.text("work/Cargo.toml"), good);
    assert!(course.text("work/.cargo/config.toml").contains("offline = true"));
}

#[test]
fn a_broken_progress_is_told_and_left_as_it_is() {
    let course = started();
    course.put("work/progress.toml", "[netcat\n");
    for arguments in
        [&[][..], &["progress"], &["check", "03.1"], &["start", "03.1"], &["hint", "03.1"]]
    {
        let (text, status) = course.said(arguments);
        assert_eq!(status, 1, "{text}");
        assert!(
            text.contains("work/progress.toml: ") && text.contains("move the file away"),
            "{text}"
        );
    }
    assert_eq!(course.text("work/progress.toml"), "[netcat\n");
    assert_eq!(course.text(Course::PROGRAM), STARTER);
}

#[test]
fn in_a_folder_that_is_read_only_one_is_judged_all_the_same() {
    let course = started();
    let Some((text, status)) = said_behind(&course, READ_ONLY, &["check", "03.1"]) else { return };
    assert_eq!(status, 0, "{text}");
    assert!(text.starts_with("03.1 A netcat: passed, all 1 checks"), "{text}");
    assert!(text.contains("Read-only file system") && text.contains("is not remembered"), "{text}");
    for (arguments, expected) in
        [(&["progress"][..], 0), (&["hint", "03.1"], 0), (&["reset", "03.1"], 1)]
    {
        let (text, status) = said_behind(&course, READ_ONLY, arguments).expect("as before");
        assert_eq!(status, expected, "{arguments:?}: {text}");
        assert_eq!(text.contains("Read-only"), arguments != ["progress"], "{text}");
    }
    assert_eq!(course.text(Course::PROGRAM), STARTER);
}

#[test]
fn on_a_full_disk_nothing_is_lost() {
    let course = started();
    course.put(Course::PROGRAM, "mine");
    // What is in work/ is copied into a small memory, which is then filled. At the end it is looked at.
    let full = "cp -r work copy\nmount -t tmpfs -o size=256k none work\ncp -r copy/. work/\n\
                cat work/progress.toml >before\n\
                dd if=/dev/zero of=work/fill bs=4k 2>/dev/null || :\n";
    let then = |command: &str| {
        format!("{full}set +e\nsh -c 'exec \"$@\"' sh \"$@\"\nstatus=$?\n{command}\nexit $status")
    };
    for arguments in [["check", "03.1"], ["reset", "03.1"], ["update", "03.1"], ["hint", "03.1"]] {
        course.put(&format!("{AT}/starter.rs"), "new\n");
        let looks = then(
            "cat work/03-1-netcat/src/main.rs >program; cat work/progress.toml >after; ls -A work >left",
        );
        let Some((text, status)) = said_behind(&course, &looks, &arguments) else { return };
        let fails = arguments[0] == "reset" || arguments[0] == "update";
        assert_eq!(status, i32::from(fails), "{text}");
        assert!(text.contains("No space left on device"), "{text}");
        assert_eq!(course.text("program"), "mine");
        assert_eq!(course.text("after"), course.text("before"));
        let left = course.text("left");
        assert!(!left.contains(".progress.new"), "{left}");
    }
}

const AT: &str = "chapters/03-select/exercises/1-netcat";

#[test]
fn an_output_that_is_full_is_an_error_and_a_closed_one_is_none() {
    let course = started();
    for arguments in
        [&[][..], &["progress"], &["check", "03.1"], &["start", "03.1"], &["completions", "bash"]]
    {
        let full = File::options().write(true).open("/dev/full").expect("it is there");
        let output = course.process(arguments).stdout(full).stderr(Stdio::piped()).output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("No space left on device"), "{arguments:?}: {said}");
        let (reader, closed) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = course.process(arguments).stdout(closed).stderr(Stdio::piped()).output();
        let output = output.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*said), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn a_course_in_a_folder_with_spaces_is_a_course() {
    let course = Course::called("my course's \"folder\"");
    course.judge(&[record(0, "a", "passed", json!({}))]);
    for arguments in [["start", "03.1"], ["check", "03.1"], ["solution", "03.1"], ["reset", "03.1"]]
    {
        let (text, status) = course.said(&arguments);
        assert_eq!(status, 0, "{text}");
    }
    let config: toml::Table =
        toml::from_str(&course.text("work/.cargo/config.toml")).expect("TOML");
    let target = course.root().join("target");
    assert_eq!(config["build"]["target-dir"].as_str(), target.to_str());
    assert!(config.get("alias").is_none(), "cargo splits an alias at spaces");
}

#[test]
fn a_course_that_was_moved_goes_on() {
    let course = started();
    course.put(Course::PROGRAM, "mine");
    let old = course.root();
    let moved = old.with_file_name("moved");
    assert!(course.text("work/.cargo/config.toml").contains(&old.display().to_string()));
    fs::rename(&old, &moved).expect("a move");
    let output = course
        .process(&["check", "03.1"])
        .env("CARGO_MANIFEST_DIR", moved.join("tests/tutor"))
        .env("CARGO", moved.join("bin/cargo"))
        .env("READINESS_PROGRAMS", moved.join("bin"))
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("passed, all 1 checks"), "{text}");
    let config = fs::read_to_string(moved.join("work/.cargo/config.toml")).expect("a file");
    assert!(config.contains(&moved.display().to_string()), "{config}");
    assert!(!config.contains(&old.display().to_string()), "{config}");
    fs::rename(&moved, &old).expect("a move");
}

#[test]
fn work_may_lie_elsewhere() {
    let course = Course::new();
    let elsewhere = course.root().with_file_name("my work");
    let said = |arguments: &[&str]| {
        let output = course.process(arguments).env("READINESS_WORK", &elsewhere).output();
        let output = output.expect("it runs");
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        text.into_owned()
    };
    let text = said(&["start", "03.1"]);
    let program = elsewhere.join("03-1-netcat/src/main.rs");
    assert!(text.contains(&format!("edit   {}\n", program.display())), "{text}");
    let manifest = fs::read_to_string(elsewhere.join("Cargo.toml")).expect("a manifest");
    let lab = course.root().join("tests/lab");
    assert!(manifest.contains(&format!("path = \"{}\"", lab.display())), "{manifest}");
    course.judge(&[record(0, "a", "passed", json!({}))]);
    assert!(said(&["check", "03.1"]).contains("passed"));
    assert!(said(&[]).contains("1 of 1") || said(&[]).contains("done"));
    assert!(!course.has("work"));
}

#[test]
fn cargo_is_never_asked_to_fetch_anything() {
    let course = started();
    course.put("bin/cargo.wait", "echo \"$@\" >\"$here/cargo.asked\"\n");
    course.said(&["check", "03.1"]);
    let asked = course.text("bin/cargo.asked");
    assert!(asked.contains(" --offline "), "{asked}");
}

/// What a terminal shows of it.
fn on_a_terminal(course: &Course, arguments: &[&str], no_color: bool) -> String {
    let both = openpty(None, None).expect("a terminal");
    let mut command = course.process(arguments);
    command.env("TERM", "xterm").env_remove("NO_COLOR").stdin(Stdio::null());
    if no_color {
        command.env("NO_COLOR", "1");
    }
    command.stdout(both.slave).stderr(Stdio::null());
    let mut child = command.spawn().expect("a start");
    // It holds a copy of the other side.
    drop(command);
    let mut text = Vec::new();
    // EIO is the end: pty(7).
    let _ = File::from(both.master).read_to_end(&mut text);
    child.wait().expect("an end");
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let course = started();
    course.judge(&[record(0, "a", "wrong", json!({}))]);
    for arguments in [&[][..], &["progress"], &["check", "03.1"], &["start", "03.1"]] {
        let colored = on_a_terminal(&course, arguments, false);
        assert!(colored.contains("\u{1b}[1m"), "{arguments:?}: {colored:?}");
        let plain = on_a_terminal(&course, arguments, true);
        assert!(!plain.contains('\u{1b}') && !plain.is_empty(), "{arguments:?}: {plain:?}");
        assert!(too_wide(&plain.replace('\r', "")).is_empty(), "{plain}");
    }
}
