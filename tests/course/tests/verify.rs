//! What is told of a program that must fail: where it differs from what is recorded, by chapter. Nothing is built here, and
//! the judges are scripts.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cli::judged::{self, CheckRecord};
use cli::screen::Screen;
use cli::syllabus::Syllabus;
use cli::variant::Variant;
use course::verify::judged::{faults, problems};
use course::verify::passes::Passes;
use course::verify::report::{VerifyFault, VerifyReport};
use course::verify::variants::{KnownVariant, VariantKind};
use lab::script;

fn known(kind: VariantKind) -> KnownVariant {
    KnownVariant {
        variant: Variant {
            title: "03 mistake deaf".to_owned(),
            lesson: "03-select".to_owned(),
            name: "v-03-deaf-of-a-test".to_owned(),
            sources: Vec::new(),
            main: "src/main.rs".to_owned(),
            has_known_faults: true,
        },
        kind,
        fails: vec!["it_hears".to_owned(), "it_answers".to_owned()],
        may_fail: vec!["it_is_quick".to_owned()],
        told: "hung: no reply within 3 s, [..]".to_owned(),
    }
}

fn mistake() -> KnownVariant {
    known(VariantKind::Mistake { program: "select-server".to_owned(), name: "deaf".to_owned() })
}

/// A line of what a judge writes.
fn line((place, check): (usize, &str), scope: &str, outcome: &str, came: &str) -> String {
    format!(
        r#"{{"check":"suite::{check}","place":{place},"scope":"{scope}","outcome":"{outcome}","did":"","expected":"","came":"{came}","perhaps":"","read":"","sits":[],"milliseconds":1,"need":null,"last_words":[]}}"#
    )
}

fn records(lines: &[String]) -> Vec<CheckRecord> {
    judged::parse(&lines.join("\n")).expect("records")
}

/// As it is recorded.
fn as_recorded() -> Vec<String> {
    vec![
        line((0, "it_begins"), "contract", "passed", "passed"),
        line((1, "it_answers"), "contract", "wrong", "\\\"a\\\" instead of \\\"A\\\""),
        line((2, "it_hears"), "mechanism", "hung", "no reply within 3.00 s, in select"),
        line((3, "it_is_quick"), "mechanism", "passed", "passed"),
    ]
}

#[test]
fn a_mistake_that_is_caught_as_recorded_is_no_fault() {
    assert_eq!(problems(&mistake(), &records(&as_recorded())), [""; 0]);
    let mut besides = as_recorded();
    besides[3] = line((3, "it_is_quick"), "mechanism", "wrong", "slow");
    assert_eq!(problems(&mistake(), &records(&besides)), [""; 0]);
}

#[test]
fn each_difference_is_a_fault_with_the_checks_name() {
    let told = |at: usize, new: String| {
        let mut lines = as_recorded();
        lines[at] = new;
        problems(&mistake(), &records(&lines))
    };
    let passed = told(1, line((1, "it_answers"), "contract", "passed", "passed"));
    assert_eq!(passed, ["it_answers does not catch it"]);
    let gone = told(1, line((1, "it_replies"), "contract", "passed", "passed"));
    assert_eq!(gone, ["there is no check it_answers"]);
    let left_out = told(1, line((1, "it_answers"), "contract", "not here", "no ptrace"));
    assert_eq!(left_out, ["it_answers was not run (not here): no ptrace"]);
    let another = told(0, line((0, "it_begins"), "contract", "crashed", "exit status 1"));
    assert_eq!(another, ["it_begins fails, too, which is not recorded"]);
    let other_words = told(2, line((2, "it_hears"), "mechanism", "crashed", "a panic"));
    assert_eq!(other_words, ["it_hears tells something else of it:\ncrashed: a panic"]);
}

#[test]
fn a_learner_is_told_of_what_clients_see_first() {
    let wrong = known(VariantKind::Wrong("1-netcat".to_owned()));
    let told = problems(&wrong, &records(&as_recorded()));
    assert_eq!(told, ["it_answers tells something else of it:\nwrong: \"a\" instead of \"A\""]);
    let nothing = problems(&wrong, &records(&as_recorded()[..1]));
    assert_eq!(
        nothing,
        ["there is no check it_hears", "there is no check it_answers", "no check tells of it"]
    );
}

#[test]
fn a_judge_is_asked_and_one_that_says_nothing_is_a_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let judge = |name: &str, text: &str| {
        let path = folder.path().join(name);
        script::write(&path, &format!("#!/bin/sh\n{text}\n")).expect("a script");
        path
    };
    // --judge --subject PATH --in-place-of PROGRAM --records FILE
    let writes = format!(
        "test \"$*\" = \"--judge --subject /a/program --in-place-of select-server --records $7\" || exit 9\n\
         cat >>\"$7\" <<'END'\n{}\nEND",
        as_recorded().join("\n")
    );
    let program = Path::new("/a/program");
    assert_eq!(faults(&mistake(), program, &judge("writes", &writes)), []);
    let silent = judge("silent", "echo 'it cannot be' >&2; exit 2");
    let found = faults(&mistake(), program, &silent);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].problem, "no check was run: it cannot be");
    assert_eq!((&found[0].lesson[..], &found[0].at[..]), ("03-select", "03 mistake deaf"));
}

#[test]
fn a_chapter_has_a_line_and_each_fault_is_named_below_it() {
    let syllabus = Syllabus::read().expect("the lessons");
    let starter = known(VariantKind::Starter("1-netcat".to_owned()));
    let mut report = VerifyReport::of(&[mistake(), starter]);
    assert!(report.is_good());
    let fault = |lesson: &str, problem: &str| VerifyFault {
        lesson: lesson.to_owned(),
        at: "03 mistake deaf".to_owned(),
        problem: problem.to_owned(),
    };
    report.add(fault("03-select", "it_hears tells something else of it:\nwrong: a"));
    report.add(fault("17-gone", "is nowhere"));
    assert!(!report.is_good());
    let shown = Screen::text_of(|screen| report.show(&syllabus, Duration::from_secs(7), screen));
    assert_eq!(
        shown.expect("a text"),
        "03-select                 1 starters   0 wrong solutions   1 mistakes: 1 fault\n\
         \x20 03 mistake deaf: it_hears tells something else of it:\n      wrong: a\n\
         \x20 03 mistake deaf: is nowhere\n\
         in 7 s                    1 starters   0 wrong solutions   1 mistakes: 2 faults\n"
    );
}

#[test]
fn what_has_passed_is_judged_again_when_something_has_changed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (program, judge) = (folder.path().join("program"), folder.path().join("judge"));
    script::write(&program, "one").expect("a program");
    script::write(&judge, "two").expect("a judge");
    let passes = Passes::in_folder(folder.path().join("passed")).expect("a folder");
    let mut known = mistake();
    assert!(!passes.has(&known, &program, &judge));
    passes.keep(&known, &program, &judge).expect("a file");
    assert!(passes.has(&known, &program, &judge));
    script::write(&judge, "another").expect("a judge");
    assert!(!passes.has(&known, &program, &judge));
    passes.keep(&known, &program, &judge).expect("a file");
    known.told = "wrong: no".to_owned();
    assert!(!passes.has(&known, &program, &judge));
    fs::remove_file(&program).expect("it is there");
    passes.keep(&known, &program, &judge).expect("a file");
    assert!(!passes.has(&known, &program, &judge));
}
