//! The learner's tool: what it prints, how it ends, and that a demonstration verifies what it
//! claims. Nothing here calls cargo: the programs that a demonstration needs are stand-ins, made of
//! the lab's own `upper` listener.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};

use assert_cmd::Command;
use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use lab::script;
use lab::wait::patience;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, ends_with, is_empty, starts_with};

/// `cargo tutor`, for a person who pipes its output somewhere, and without a cargo to call.
fn tutor(arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("tutor");
    command.args(arguments).timeout(patience() * 2).env("CARGO", "/nonexistent/cargo");
    // Whoever runs the tests may have begun to learn.
    command.env("READINESS_WORK", "/nonexistent/work");
    command
}

/// A peer that listens, until this is dropped.
struct Listener {
    child: Child,
    address: SocketAddr,
}

impl Listener {
    fn start(kind: &str) -> Self {
        let mut child = Process::new(cargo_bin!("tutor"))
            .args(["peer", kind, "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tutor starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is a pipe");
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut line).expect("a first line");
        // Read on, so that it is not ended by a closed output.
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        let address = line.trim_end().rsplit(' ').next().and_then(|word| word.parse().ok());
        let address = address.unwrap_or_else(|| panic!("an address in {line:?}"));
        Self { child, address }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with stand-ins for the lessons' servers, removed at the end.
struct StandIns(PathBuf);

impl StandIns {
    /// Each of `servers` is the lab's `upper`, with a server's first line.
    fn new(name: &str, servers: &[&str]) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("stand-ins-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for stand-ins");
        let text = format!(
            "#!/bin/sh\n'{}' peer upper 127.0.0.1:0 --seconds 8 2>&1 |\n\
             while IFS= read -r line; do echo \"${{line#upper: }}\"; done\n",
            cargo_bin!("tutor").display()
        );
        for server in servers {
            script::write(&folder.join(server), &text).expect("a stand-in");
        }
        Self(folder)
    }

    fn tutor(&self, arguments: &[&str]) -> Command {
        let mut command = tutor(arguments);
        command.env("READINESS_PROGRAMS", &self.0);
        command
    }
}

impl Drop for StandIns {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_map_lists_every_chapter_and_says_where_to_start() {
    let chapters = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../chapters");
    let folders = fs::read_dir(chapters).expect("the chapters");
    let folders = folders.map(|entry| entry.expect("an entry").file_name().into_string().unwrap());
    let mut assert = tutor(&[]).assert().success().stderr(is_empty());
    for folder in folders {
        assert = assert.stdout(contains(folder));
    }
    let fits = |text: &str| text.lines().all(|line| line.chars().count() <= 80);
    assert
        .stdout(contains("cargo tutor start"))
        .stdout(predicates::function::function(fits))
        .stdout(ends_with("start here: cargo tutor tour\n"))
        .stdout(contains("\u{1b}").not());
}

#[test]
fn a_name_that_is_not_known_gets_a_suggestion_and_the_list() {
    for (arguments, meant) in [
        (["run", "selct"], "did you mean \"select\"?"),
        (["run", "threaded-sever"], "did you mean \"threaded-server\"?"),
        (["demo", "epoll-tl"], "did you mean \"epoll-lt\"?"),
    ] {
        let assert = tutor(&arguments).assert().code(2).stdout(is_empty());
        assert.stderr(contains(meant)).stderr(contains("  08-nonblocking-connect"));
    }
    let assert = tutor(&["demo", "99"]).assert().code(2).stdout(is_empty());
    assert.stderr(starts_with("there is no lesson \"99\"\n"));
    let assert = tutor(&["peer", "polit", "127.0.0.1:1"]).assert().code(2);
    assert.stderr(contains("did you mean \"polite\"?")).stderr(contains("never-accepting"));
    tutor(&["tuor"]).assert().code(2).stderr(contains("tour"));
}

#[test]
fn arguments_that_make_no_sense_are_named() {
    let assert = tutor(&["peer", "polite", "here"]).assert().code(2);
    assert.stderr(contains("write a numeric address and a port"));
    let assert = tutor(&["peer", "polite", "127.0.0.1:0"]).assert().code(2);
    assert.stderr(contains("the port is a number from 1 to 65535"));
    tutor(&["peer", "polite", "127.0.0.1:1", "--seconds", "0"]).assert().code(2);
    tutor(&["book", "--port", "0"]).assert().code(2);
}

#[test]
fn help_fits_a_terminal_of_80_columns() {
    let commands = [
        "demo",
        "run",
        "check",
        "start",
        "watch",
        "hint",
        "solution",
        "reset",
        "update",
        "progress",
        "peer",
        "book",
        "completions",
    ];
    for command in [None].into_iter().chain(commands.map(Some)) {
        let arguments: Vec<&str> = command.into_iter().chain(["--help"]).collect();
        let assert = tutor(&arguments).assert().success();
        let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
        assert!(text.contains("Usage: cargo tutor"), "{text}");
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
    }
}

#[test]
fn a_peer_by_hand_tells_what_it_does() {
    let upper = Listener::start("upper");
    let address = upper.address.to_string();
    let assert = tutor(&["peer", "polite", &address]).assert().success().stderr(is_empty());
    assert
        .stdout(starts_with(format!("polite: connected to {address}\n")))
        .stdout(contains(
            "\npolite: sent 6 bytes \"hello\\n\"\npolite: got 6 bytes \"HELLO\\n\" after ",
        ))
        .stdout(ends_with("\npolite: half-closed\npolite: end of stream, closed\n"));
    let mute = Listener::start("mute");
    let address = mute.address.to_string();
    let assert = tutor(&["peer", "polite", &address, "--seconds", "1"]).assert().code(1);
    assert.stderr("polite: no reply within 1.00 s\n");
}

#[test]
fn a_failing_peer_says_which_call_and_why() {
    let upper = Listener::start("upper");
    let address = upper.address.to_string();
    let assert = tutor(&["peer", "mute", &address]).assert().code(1).stdout(is_empty());
    assert.stderr(format!("mute: bind {address}: EADDRINUSE: Address already in use\n"));
}

#[test]
fn the_doctor_has_a_line_for_each_thing() {
    let output = cargo_bin_cmd!("tutor").arg("doctor").timeout(patience() * 2).output();
    let output = output.expect("the doctor comes");
    let text = String::from_utf8_lossy(&output.stdout);
    for thing in [
        "kernel",
        "processor",
        "descriptors",
        "127.0.0.0/8",
        "::1",
        "ptrace",
        "user namespaces",
        "threads",
        "accept queue",
        "low ports",
        "cargo",
        "cc",
        "git",
        "mdbook",
        "just",
        "cargo-nextest",
    ] {
        let is_about = |line: &&str| line.get(11..).is_some_and(|rest| rest.starts_with(thing));
        let line = text.lines().find(is_about);
        let line = line.unwrap_or_else(|| panic!("no line for {thing} in:\n{text}"));
        let words = ["ok ", "missing ", "forbidden "];
        assert!(words.iter().any(|word| line.starts_with(word)), "{line}");
        assert!(line.contains("; for "), "{line}");
    }
    // The exit status and the last line say the same.
    assert_eq!(
        output.status.success(),
        text.ends_with("everything that the course needs is here\n")
    );
}

#[test]
fn a_demonstration_shows_its_idea() {
    let programs = StandIns::new("good", &["nonblocking-server"]);
    let assert = programs.tutor(&["demo", "04"]).assert().success().stderr(is_empty());
    assert
        .stdout(starts_with("04-nonblocking-io: "))
        .stdout(contains("client A  got 16777216 bytes, every one right"))
        .stdout(contains("\nseen: "));
}

#[test]
fn a_demonstration_that_does_not_hold_says_so() {
    // This stand-in serves everybody at once, which is just what lesson 02 says cannot be.
    let programs = StandIns::new("wrong", &["blocking-server", "threaded-server"]);
    let assert = programs.tutor(&["demo", "02"]).assert().code(1);
    assert.stdout(contains("not shown: B was answered although A was there and silent"));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let programs = StandIns::new("none", &[]);
    let assert = programs.tutor(&["run", "03"]).assert().code(1).stdout(is_empty());
    assert.stderr(contains("no select-server there"));
    let assert = programs.tutor(&["demo", "03"]).assert().code(1);
    assert.stdout(contains("no select-server there"));
    tutor(&["run", "03"]).assert().code(1).stderr(starts_with("cannot run cargo: "));
}

#[test]
fn a_program_that_runs_keeps_its_exit_status_and_its_arguments() {
    let programs = StandIns::new("exec", &["select-server"]);
    let text = "#!/bin/sh\necho \"$@\"\nexit 7\n";
    script::write(&programs.0.join("select-server"), text).expect("a stand-in");
    let assert = programs.tutor(&["run", "select", "--", "-v", "--show-bits", "8"]).assert();
    assert.code(7).stdout("-v --show-bits 8\n");
}

#[test]
fn an_instrument_is_found_as_any_program_and_becomes_the_tutor() {
    let programs = StandIns::new("instruments", &["trace"]);
    let text = "#!/bin/sh\necho \"$@\"\nexit 7\n";
    script::write(&programs.0.join("trace"), text).expect("a stand-in");
    let assert = programs.tutor(&["trace", "03", "--raw", "--program", "a b"]).assert();
    assert.code(7).stdout("03 --raw --program a b\n").stderr(is_empty());
    // Its help is its own.
    for arguments in [["trace", "--help"], ["help", "trace"]] {
        programs.tutor(&arguments).assert().code(7).stdout("--help\n");
    }
    let assert = programs.tutor(&["packets", "01"]).assert().code(1).stdout(is_empty());
    assert.stderr(contains("no packets there"));
    tutor(&["trace", "03"]).assert().code(1).stderr(starts_with("cannot run cargo: "));
}

#[test]
fn a_closed_output_is_no_panic() {
    let upper = Listener::start("upper");
    let address = upper.address.to_string();
    for arguments in [&[] as &[&str], &["doctor"], &["peer", "polite", &address]] {
        let mut child = Process::new(cargo_bin!("tutor"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tutor starts");
        drop(child.stdout.take());
        let mut said = String::new();
        let mut stderr = child.stderr.take().expect("its errors are a pipe");
        stderr.read_to_string(&mut said).expect("text");
        let status = child.wait().expect("it ends");
        assert_eq!((said.as_str(), status.code()), ("", Some(0)), "{arguments:?}");
    }
}

#[test]
fn a_new_chapter_is_listed_and_its_missing_demonstration_is_named() {
    let course = tempfile::tempdir().expect("a folder");
    let root = cli::syllabus::root();
    for lesson in cli::syllabus::Syllabus::of(&root).expect("the lessons").lessons {
        let to = course.path().join(lesson.file());
        fs::create_dir_all(to.parent().expect("its folder")).expect("a folder");
        fs::copy(root.join(lesson.file()), to).expect("a copy");
    }
    let described = "title = \"Imaginary\"\nidea = \"an idea\"\nminutes = 1\n\
                     pages = [\"17-imaginary\"]\ndemo = \"nothing\"\n\
                     [[program]]\nname = \"imaginary-server\"\n";
    let chapter = course.path().join("chapters/17-imaginary");
    fs::create_dir(&chapter).expect("a folder");
    fs::write(chapter.join("lesson.toml"), described).expect("a description");
    let there = |arguments: &[&str]| {
        let mut tutor = tutor(arguments);
        // As cargo says it to what it runs: from there follows where the course is.
        tutor.env("CARGO_MANIFEST_DIR", course.path().join("tests/tutor"));
        tutor.env("READINESS_PROGRAMS", course.path());
        tutor.assert()
    };
    there(&[]).success().stdout(contains("  17-imaginary            an idea\n"));
    there(&["demo", "18"]).code(2).stderr(contains("  17-imaginary            imaginary-server\n"));
    let unknown = "chapters/17-imaginary/lesson.toml: there is no demo \"nothing\"";
    there(&["demo", "17"]).code(1).stderr(contains(unknown));
    let missing = "no imaginary-server there";
    there(&["run", "imaginary"]).code(1).stderr(contains(missing));
}
