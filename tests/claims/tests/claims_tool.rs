//! `claims`: what it prints, how it ends, and that it leaves nothing behind.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};

use assert_cmd::Command;
use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use claims::register::{self, LAST, SECTIONS};
use lab::wait::{self, patience};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty, starts_with};
use serde_json::Value;

/// `claims`, for a person who pipes its output somewhere.
fn tool(arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("claims");
    // All of it takes some seconds here, and minutes where the processor is emulated. Each experiment is bounded.
    command.args(arguments).timeout(patience() * 60);
    command
}

fn output(arguments: &[&str]) -> String {
    let output = tool(arguments).output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn all_claims_are_tried_and_counted_on_narrow_lines() {
    let register = register::read().expect("the register");
    let assert = tool(&[]).assert();
    let output = assert.get_output();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    for claim in &register.claims {
        let count = text.lines().filter(|line| line.starts_with(&format!("  {} ", claim.id)));
        assert_eq!(count.count(), 1, "{} in\n{text}", claim.id);
    }
    for section in SECTIONS {
        assert!(text.contains(&format!("\n{}\n", section.title)), "{} in\n{text}", section.title);
    }
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None);
    let all = register.claims.len();
    let numbers = |part: &str| {
        let line = text.lines().find(|line| line.contains(part)).expect("a summary");
        let line = line.rsplit_once(": ").map_or(line, |(_, counts)| counts);
        let numbers = line.split([' ', ',']).filter_map(|word| word.parse::<usize>().ok());
        numbers.sum::<usize>()
    };
    assert_eq!(numbers(&format!("{all} claims: ")), all, "{text}");
    assert_eq!(
        numbers("on this kernel, Linux ") + numbers(" could not be tried here, "),
        all,
        "{text}"
    );
    assert!(errors.starts_with("trying "), "{errors}");
    assert!(!text.contains('\u{1b}') && !errors.contains('\u{1b}'));
}

#[test]
fn one_claim_is_told_with_its_story() {
    let text = output(&["C22"]);
    for part in [
        "C22: false\n",
        "\n  claim      Adding descriptors 2 and 1",
        "\n  said by    S1 (a long article",
        "\n  correct    It gives 0010,0110.\n",
        "\n  source     select(2)\n",
        "\n  refuted by with the byte 0010,0110, made by hand,",
        "\n  read       book/src/03-select.md#claims",
        "\nfd-set-is-a-bitmap on Linux ",
        "\n  FD_SET 2, FD_SET 1 \u{2192} 0010,0110\n",
        "\nas the book says\n",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
}

#[test]
fn ids_are_read_as_people_write_them_and_each_is_told_once() {
    let text = output(&["5", "c05", "C1", "C05"]);
    let heads: Vec<&str> =
        text.lines().filter(|line| line.starts_with('C') && line.contains(": ")).collect();
    assert_eq!(heads, ["C05: half true", "C01: half true"]);
    assert!(text.contains("\nno experiment: History"), "{text}");
}

#[test]
fn an_unknown_claim_gets_the_range_and_the_nearest() {
    let last = register::id(LAST);
    let (beyond, nearest) = (register::id(LAST + 1), format!("did you mean {last}?\n"));
    for (typed, meant) in [
        (&*beyond, &*nearest),
        ("0", "did you mean C01?\n"),
        ("c1o", "did you mean C10?\n"),
        ("99999999999", "there is no claim \"99999999999\""),
    ] {
        let assert = tool(&[typed]).assert().code(2).stdout(is_empty());
        assert.stderr(contains(meant)).stderr(contains(format!("the claims are C01 to {last}; ")));
    }
    // One bad id is enough, and nothing is tried before.
    let assert = tool(&["C05", "epoll"]).assert().code(2).stdout(is_empty());
    assert.stderr(starts_with("there is no claim \"epoll\"\n").and(contains("mean").not()));
}

#[test]
fn json_holds_what_was_seen() {
    let text = output(&["--json", "C21", "C22", "C01"]);
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").expect("a kernel");
    assert_eq!(all["kernel"], format!("Linux {}", kernel.trim()));
    let claims = all["claims"].as_array().expect("claims");
    let ids: Vec<&Value> = claims.iter().map(|claim| &claim["id"]).collect();
    assert_eq!(ids, ["C21", "C22", "C01"]);
    assert_eq!(claims[0]["verdict"], "false");
    assert_eq!(claims[0]["trial"]["outcome"], "as the book says");
    // One experiment, run once.
    assert_eq!(claims[0]["trial"], claims[1]["trial"]);
    let observations = claims[0]["trial"]["observations"].as_array().expect("observations");
    let saw: BTreeMap<&str, &str> = observations
        .iter()
        .filter_map(|one| Some((one["did"].as_str()?, one["saw"].as_str()?)))
        .collect();
    assert_eq!(saw["FD_SET 5"], "0010,0000");
    assert_eq!(claims[2]["trial"], Value::Null);
}

/// A program that reports in the place of the experiments: a line of sh, removed at the end.
struct StandIn(PathBuf);

impl StandIn {
    fn new(name: &str, line: &str) -> Self {
        let name = format!("claims-{name}-{}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        lab::script::write(&path, &format!("#!/bin/sh\n{line}\n")).expect("a stand-in");
        Self(path)
    }

    /// One that reports one observation, and that it ended so.
    fn reporting(name: &str, book: &str, ended: &str) -> Self {
        let one = format!(r#"{{"did":"a","saw":"b","compared":true,"book":{book}}}"#);
        let report = format!(r#"{{"seen":{{"observations":[{one}]}},"ended":{ended}}}"#);
        Self::new(name, &format!("echo '{report}'"))
    }

    fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = tool(arguments);
        command.env("READINESS_CLAIM", &self.0);
        command
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_kernel_that_differs_is_reported_and_is_no_failure() {
    let stand_in = StandIn::reporting("differs", r#""c""#, r#""done""#);
    let assert = stand_in.tool(&["C22"]).assert().success();
    assert
        .stdout(contains("\n  a \u{2192} b; the book says c\n"))
        .stdout(contains("does not do here what the book says"))
        .stdout(contains("\n  cargo tutor claims --json C22\n"));
    let assert = stand_in.tool(&[]).assert().success();
    assert
        .stdout(contains("DIFFERS: a \u{2192} b; the book says c\n"))
        .stdout(contains(": 0 as the book says, "))
        .stdout(contains("\n  cargo tutor claims --json\n"));
}

#[test]
fn what_is_forbidden_here_is_said_and_is_no_failure() {
    let ended = r#"{"unsupported":"a setting forbids it"}"#;
    let stand_in = StandIn::reporting("forbidden", "null", ended);
    let assert = stand_in.tool(&["C22"]).assert().success();
    assert.stdout(contains("it could not be tried here: a setting forbids it\n"));
    let assert = stand_in.tool(&[]).assert().success();
    assert.stdout(contains("not here: a setting forbids it\n"));
}

#[test]
fn an_experiment_that_broke_is_a_failure() {
    for (name, line, said) in [
        ("broke", r#"echo '{"seen":{"observations":[]},"ended":{"broke":"oh"}}'"#, "oh"),
        ("died", "echo words >&2; kill -9 $$", "without a report, signal: 9 (SIGKILL): words"),
    ] {
        let stand_in = StandIn::new(name, line);
        let assert = stand_in.tool(&["C22"]).assert().code(1);
        assert.stdout(contains("the experiment broke: ").and(contains(said)));
        let assert = stand_in.tool(&[]).assert().code(1);
        assert.stdout(contains("BROKE: ").and(contains(said))).stdout(contains(" broke\n"));
    }
}

/// The processes whose environment has `mark`, without those that are dead and not waited for.
fn marked(mark: &str) -> Vec<i32> {
    let processes = lab::process::Process::with(mark, "1");
    processes.into_iter().map(|process| process.0.cast_signed()).collect()
}

fn start(stand_in: &StandIn, mark: &str) -> Child {
    Process::new(cargo_bin!("claims"))
        .args(["C22", "C05"])
        .env("READINESS_CLAIM", &stand_in.0)
        .env(mark, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts")
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    // Each is a shell and its child.
    let stand_in = StandIn::new("hangs", "sleep 100 & wait");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let mark = format!("CLAIMS_TOOL_{}_{}", signal.as_str(), std::process::id());
        let mut child = start(&stand_in, &mark);
        // The tool, and two experiments of two processes.
        wait::until("the experiments run", || marked(&mark).len() == 5).expect("they run");
        kill(Pid::from_raw(child.id().cast_signed()), signal).expect("it runs");
        let status = child.wait().expect("it is ours");
        wait::until("all of them are gone", || marked(&mark).is_empty()).expect("all gone");
        assert!(!status.success(), "{status}");
    }
}
