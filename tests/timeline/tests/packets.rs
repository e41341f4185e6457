//! `packets`: what it prints, what it does where namespaces are forbidden, and that nothing
//! is left when it is interrupted. The packets themselves are checked in chapters 01 and 08.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode, Stdio};

use assert_cmd::Command;
use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use cli::syllabus::{Syllabus, root};
use judge::Test;
use lab::namespace::Network;
use lab::need::Need;
use lab::script;
use lab::subject::{Launch, with_default_signals};
use lab::wait::{self, patience};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use predicates::str::{contains, is_empty, starts_with};
use timeline::packets::exchange::Exchanges;
use timeline::packets::scenes::{Met, WireScene};

const USERNS: &[Need] = &[Need::UserNamespaces];

fn main() -> ExitCode {
    judge::tests([
        Test::new(&[], a_recording_has_a_story_for_each_situation),
        Test::new(&[], a_recorded_run_is_labelled_and_fits_a_terminal),
        Test::new(&[], the_pages_show_what_the_recordings_say),
        Test::new(&[], what_makes_no_sense_is_named),
        Test::new(USERNS, a_program_that_says_something_else_is_not_believed),
        Test::new(USERNS, where_namespaces_are_forbidden_the_recording_is_shown),
        Test::new(USERNS, an_interrupt_leaves_nothing_behind),
    ])
}

/// `packets`, for a person who pipes its output somewhere, and without a cargo to call.
fn packets(arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("packets");
    command.args(arguments);
    command.timeout(patience() * 2).env("CARGO", "/nonexistent/cargo");
    command
}

fn output(arguments: &[&str]) -> String {
    let assert = packets(arguments).assert().success().stderr(is_empty());
    String::from_utf8(assert.get_output().stdout.clone()).expect("text")
}

/// A folder with a stand-in for chapter 01's program, removed at the end.
struct StandIn(PathBuf);

impl StandIn {
    fn new(name: &str, text: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("packets-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("blocking-connect");
        script::write(&path, text).expect("a stand-in");
        Self(folder)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The scenes that a lesson's program meets.
fn met_by(lesson: &str) -> Vec<&'static WireScene> {
    let syllabus = Syllabus::read().expect("the lessons");
    let met = Met::by(syllabus.lesson(lesson).expect("a lesson")).expect("its scenes");
    met.into_iter().map(|met| met.scene).collect()
}

fn a_recording_has_a_story_for_each_situation() {
    for (lesson, scenes) in [("01", met_by("01")), ("08", met_by("08"))] {
        let text = output(&[lesson, "--recorded", "--json"]);
        let run: Exchanges = serde_json::from_str(&text).expect("a run");
        assert!(run.recorded, "it says that it is no live run");
        assert!(run.lesson.starts_with(lesson), "{}", run.lesson);
        let names: Vec<&str> = run.exchanges.iter().map(|exchange| &*exchange.scene).collect();
        let expected: Vec<&str> = scenes.iter().map(|scene| scene.name).collect();
        assert_eq!(names, expected);
        let numbers = |c: char| c.is_ascii_digit() || c == '.';
        assert!(!run.kernel.is_empty() && run.kernel.chars().all(numbers), "{}", run.kernel);
    }
}

fn a_recorded_run_is_labelled_and_fits_a_terminal() {
    for (lesson, scenes) in [("01", met_by("01")), ("08", met_by("08"))] {
        let text = output(&[lesson, "--recorded"]);
        assert!(text.starts_with("recorded, on Linux "), "{text}");
        assert!(!text.contains('\u{1b}'), "no colour in a pipe: {text}");
        for line in text.lines() {
            assert!(line.len() <= 100, "{} columns: {line}", line.len());
            assert_eq!(line, line.trim_end(), "no blanks at a line's end");
        }
        for WireScene { name, title, .. } in scenes {
            assert!(
                text.contains(&format!("\n{name} (recorded): {title}\n$ ")),
                "{name} in {text}"
            );
        }
        for packet in ["- SYN seq 0 -", "- SYN-ACK seq 0 ack 1 -", "- RST-ACK seq 0 ack 1 -"] {
            assert!(text.contains(packet), "{packet} in {text}");
        }
    }
}

fn the_pages_show_what_the_recordings_say() {
    for lesson in &Syllabus::read().expect("the lessons").lessons {
        let on_page = lesson.packets.iter().filter(|given| given.on_page);
        let scenes: Vec<&str> = on_page.map(|given| given.scene.as_str()).collect();
        if scenes.is_empty() {
            continue;
        }
        let text = output(&[lesson.number(), "--recorded", "--only", &scenes.join(",")]);
        let place = format!("book/src/packets/{}.txt", lesson.number());
        let shown = fs::read_to_string(root().join(&place)).unwrap_or_default();
        assert!(shown == text, "{place} is stale: cargo course write");
    }
}

fn what_makes_no_sense_is_named() {
    let assert = packets(&["03"]).assert().code(2).stdout(is_empty());
    assert
        .stderr(starts_with("03-select has no packets to show: "))
        .stderr(contains("try: cargo tutor packets 01"));
    let assert = packets(&["blocking-conect"]).assert().code(2).stdout(is_empty());
    assert.stderr(contains("did you mean \"blocking-connect\"?"));
    packets(&[]).assert().code(2);
    let assert = packets(&["01", "--only", "refused,silense"]).assert().code(2).stdout(is_empty());
    assert
        .stderr(contains("no scene \"silense\"; did you mean \"silence\"?"))
        .stderr(contains("host-absent"));
    let missing = packets(&["08"]).env("READINESS_PROGRAMS", "/nonexistent").assert().code(1);
    missing.stdout(is_empty()).stderr(contains("no nonblocking-connect there"));
}

fn a_program_that_says_something_else_is_not_believed() {
    let program = StandIn::new("wrong", "#!/bin/sh\necho \"connected to the moon\"\n");
    let mut command = packets(&["01", "--only", "refused"]);
    let assert = command.env("READINESS_PROGRAMS", &program.0).assert().code(1);
    assert
        .stdout(contains("not shown: expected \"ECONNREFUSED\" of 127.0.0.1:7002, got"))
        .stderr(is_empty());
    let mut command = packets(&["01", "--only", "refused", "--json"]);
    let assert = command.env("READINESS_PROGRAMS", &program.0).assert().code(1);
    assert.stdout(is_empty()).stderr(contains("expected \"ECONNREFUSED\""));
}

fn where_namespaces_are_forbidden_the_recording_is_shown() {
    let program = StandIn::new("forbidden", "#!/bin/sh\nexit 3\n");
    let start = |arguments: &[&str]| {
        // In a user namespace that allows no other one: so it is told everywhere else.
        let launch = Launch::new("/usr/bin/env").arg("CARGO=/nonexistent/cargo");
        let launch = launch.arg(format!("READINESS_PROGRAMS={}", program.0.display()));
        let launch = launch.arg(cargo_bin!("packets"));
        let launch = arguments.iter().fold(launch, Launch::arg);
        launch.in_namespace(Network::bare().without_namespaces()).start()
    };
    let mut packets = start(&["01"]).expect("a namespace");
    let mut text = String::new();
    while let Some(line) = packets.line().expect("a line") {
        text = text + &line + "\n";
    }
    assert_eq!(packets.final_stderr(), "");
    assert!(packets.exit_status().expect("it ends").success());
    // Words may stand on two lines.
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let missing = "not possible here: ";
    assert!(words.starts_with(missing), "{text}");
    assert_eq!(words.matches(missing).count(), 1, "said once: {text}");
    assert!(words.contains("ENOSPC: user.max_user_namespaces is too low"), "{text}");
    assert!(words.contains(" was recorded, on Linux "), "{text}");
    assert!(!words.contains("live"), "{text}");
    let recorded = output(&["01", "--recorded"]);
    let exchanges = recorded.split_once("\n\n").expect("a heading").1;
    assert!(text.ends_with(exchanges), "they are those of --recorded: {text}");

    let mut packets = start(&["01", "--json"]).expect("a namespace");
    let mut json = String::new();
    while let Some(line) = packets.line().expect("a line") {
        json += &line;
    }
    let run: Exchanges = serde_json::from_str(&json).expect("a run");
    assert!(run.recorded);
    let said = packets.final_stderr();
    assert!(said.contains("max_user_namespaces") && said.contains("recorded"), "{said}");
}

fn an_interrupt_leaves_nothing_behind() {
    let program = StandIn::new("sleeping", "#!/bin/sh\necho $$ >&2\nexec sleep 60\n");
    let mut packets = Process::new(cargo_bin!("packets"));
    packets.arg("01").env("READINESS_PROGRAMS", &program.0);
    packets.stdout(Stdio::piped()).stderr(Stdio::null());
    // A shell that starts the tests with `&` lets them, and all below them, ignore SIGINT.
    let mut packets = with_default_signals(&mut packets).spawn().expect("it starts");
    let number = packets.id();
    let asleep = || children(number).len() == met_by("01").len();
    wait::until("all programs run", asleep).expect("programs");
    let programs = children(number);
    // It says what it is waiting for.
    let stdout = packets.stdout.take().expect("its output is a pipe");
    let mut lines = BufReader::new(stdout).lines();
    let waits = lines.any(|line| line.expect("text").starts_with("(waiting for the kernel"));
    assert!(waits, "nothing said what it waits for");
    kill(Pid::from_raw(number.cast_signed()), Signal::SIGINT).expect("it runs");
    let status = packets.wait().expect("it ends");
    assert!(!status.success());
    for program in programs {
        let gone = || !Path::new(&format!("/proc/{program}")).exists() || is_zombie(program);
        wait::until("the programs end with it", gone).expect("no orphan");
    }
}

/// The numbers of its child processes.
fn children(parent: u32) -> Vec<u32> {
    let processes = fs::read_dir("/proc")
        .expect("/proc")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let fields = |number: u32| {
        let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        Some(fields.split(' ').map(str::to_owned).collect::<Vec<_>>())
    };
    processes
        .filter(|&number| {
            fields(number)
                .is_some_and(|it| it.get(1).and_then(|it| it.parse().ok()) == Some(parent))
        })
        .collect()
}

/// Ended, and its new parent has not looked yet.
fn is_zombie(number: u32) -> bool {
    lab::process::Process(number).state().map_or(true, |state| state == 'Z')
}
