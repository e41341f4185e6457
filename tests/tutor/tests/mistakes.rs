//! A lesson's program with a mistake in it, run and checked. Nothing here calls cargo: what would be built is a stand-in.

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin_cmd;
use lab::script;
use lab::wait::patience;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

fn tutor(arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("tutor");
    command.args(arguments).timeout(patience() * 2).env("CARGO", "/nonexistent/cargo");
    command
}

#[test]
fn a_mistake_is_run_and_checked_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let stand_in = |name: &str| {
        let path = folder.path().join(name);
        script::write(&path, &format!("#!/bin/sh\necho {name} \"$@\"\n")).expect("a stand-in");
        path
    };
    let program = stand_in("v-03-limit-made-once");
    stand_in("03_select");
    let ready_made = |arguments: &[&str]| {
        let mut command = tutor(arguments);
        command.env("READINESS_PROGRAMS", folder.path());
        command
    };
    let run = ready_made(&["run", "03", "--mistake", "limit-made-once", "--", "-v"]).assert();
    run.success().stdout("v-03-limit-made-once -v\n");
    let check = ready_made(&["check", "03", "--mistake", "limit-made-once"]).assert();
    check.success().stdout(format!(
        "03_select --judge --subject {} --in-place-of select-server\n",
        program.display()
    ));
}

#[test]
fn a_mistake_that_is_not_there_is_told_with_those_that_are() {
    let assert = tutor(&["run", "select", "--mistake", "limit-made-onse"]).assert();
    let meant = contains("did you mean \"limit-made-once\"?").and(contains("highest-descriptor"));
    assert.code(2).stderr(meant);
    let assert = tutor(&["check", "09", "--mistake", "limit-made-once"]).assert();
    assert.code(2).stderr(contains("this lesson has none"));
    let both = ["check", "03", "--mistake", "limit-made-once", "--program", "/bin/true"];
    tutor(&both).assert().code(2).stderr(contains("cannot be used with"));
}
