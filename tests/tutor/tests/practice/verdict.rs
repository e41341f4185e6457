//! Each layer of a verdict is told alone, and nobody's fault is taken for another's.

use serde_json::{Value, json};

use crate::course::{Course, record, too_wide};

fn started() -> Course {
    let course = Course::new();
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    course
}

/// Judged like this: what is told. It fits a terminal, has no colour, and its status is 1.
fn told(course: &Course, records: &[Value]) -> String {
    course.judge(records);
    let (text, status) = course.said(&["check", "03.1"]);
    assert_eq!(status, 1, "{text}");
    assert!(too_wide(&text).is_empty() && !text.contains('\u{1b}'), "{text}");
    text
}

fn passes(place: usize) -> Value {
    record(place, &format!("check_{place}_holds"), "passed", json!({}))
}

#[test]
fn what_does_not_compile_is_told_in_the_compilers_words_alone() {
    let course = started();
    let error = "error[E0308]: mismatched types\n --> src/main.rs:4:1";
    let message = |level: &str, text: &str, rendered: &str| {
        json!({"reason": "compiler-message",
               "message": {"level": level, "message": text, "spans": [{}], "rendered": rendered}})
    };
    let messages = [
        message("warning", "unused", "warning: unused\n"),
        message("error", "mismatched types", &format!("{error}\n\n")),
    ];
    course.cargo(&messages, "error: could not compile `my-03-1-netcat`\n", 101);
    let text = told(&course, &[passes(0)]);
    assert!(text.starts_with(&format!("{error}\n\n03.1 A netcat: not yet\n")), "{text}");
    assert!(
        text.contains("compiles        not yet: one error\n  runs            later\n"),
        "{text}"
    );
    assert!(!text.contains("could not compile") && !text.contains("unused"), "{text}");
    assert!(!course.has("bin/judge.asked"), "what does not compile is not judged");
}

#[test]
fn of_many_errors_the_first_are_shown() {
    let course = started();
    let message = |at: usize| {
        let rendered = format!("error: number {at}\n");
        json!({"reason": "compiler-message",
               "message": {"level": "error", "message": "m", "spans": [{}], "rendered": rendered}})
    };
    course.cargo(&(1..=9).map(message).collect::<Vec<_>>(), "", 101);
    let text = told(&course, &[]);
    assert!(text.contains("error: number 4\n\n... and 5 errors more"), "{text}");
    assert!(!text.contains("number 5") && text.contains("not yet: 9 errors"), "{text}");
}

#[test]
fn a_wrong_answer_is_told_with_question_and_section_and_what_passed_already() {
    let course = started();
    let wrong =
        record(1, "what_is_typed_is_sent", "wrong", json!({"came": "\"x\" instead of \"y\""}));
    let waits = record(2, "it_waits", "wrong", json!({"scope": "mechanism", "came": "threads"}));
    let text = told(&course, &[waits, wrong, passes(0)]);
    for line in [
        "03.1 A netcat: not yet",
        "  compiles        yes",
        "  runs            yes",
        "  behaves         not yet: 1 of 3 checks passed",
        "  waits as asked  later",
        "  what is typed is sent",
        "  did          typed a line",
        "  expected     the line",
        "  came         \"x\" instead of \"y\"",
        "  think        Is it sent?",
        "  read         book/src/03-select.md:3, \"A netcat\"",
        "  passed       check 0 holds",
        "  points       3 to gain; 0 of 3 so far",
        "  stuck?       cargo tutor hint 03.1 (3 left)",
    ] {
        assert!(text.lines().any(|told| told == line), "no {line:?} in:\n{text}");
    }
    assert!(text.contains("cargo tutor check 03.1 --trace"), "{text}");
    // How a program waits that answers wrongly is of no interest yet.
    assert!(!text.contains("threads"), "{text}");
    assert!(course.text("work/progress.toml").contains("last = \"1 of 3 checks passed\""));
}

#[test]
fn how_it_waits_is_told_when_it_behaves() {
    let course = started();
    let waits = record(1, "it_waits", "wrong", json!({"scope": "mechanism", "came": "2 threads"}));
    let text = told(&course, &[passes(0), waits]);
    assert!(text.contains("behaves         yes\n  waits as asked  not yet: 1 of 2"), "{text}");
    assert!(text.contains("came         2 threads"), "{text}");
}

#[test]
fn a_hung_program_is_told_with_the_call_and_the_descriptor() {
    let course = started();
    let hung = record(
        0,
        "it_ends",
        "hung",
        json!({"came": "no line within 10s; meanwhile it was in read 0 (stdin); in futex",
               "sits": ["in read 0 (stdin)", "in futex"]}),
    );
    let text = told(&course, &[hung]);
    assert!(text.contains("not yet: it hung; 0 of 1 checks passed"), "{text}");
    let lines = "  came         no line within 10s\n  it sat       in read 0 (stdin)\n               in futex\n";
    assert!(text.contains(lines), "{text}");
}

#[test]
fn a_crash_is_told_with_its_signal_or_its_panic_and_the_last_words() {
    let course = started();
    let killed = json!({"came": "no reply: it has ended (signal: 11 (SIGSEGV))",
                        "end": "signal: 11 (SIGSEGV)",
                        "last_words": ["one\ntwo\nthree\nfour\nfive\nsix\u{1b}[2J"]});
    let text = told(&course, &[record(0, "it_ends", "crashed", killed)]);
    assert!(text.contains("  runs            not yet: it crashed; 0 of 1"), "{text}");
    assert!(
        text.contains("  came         no reply\n  it ended     signal: 11 (SIGSEGV)\n"),
        "{text}"
    );
    assert!(text.contains("  it said last\n    two\n") && text.contains("    six [2J\n"), "{text}");

    let ended = json!({"came": "no reply: it has ended (exit status: 0)", "end": "exit status: 0"});
    let text = told(&course, &[record(0, "it_ends", "crashed", ended)]);
    assert!(text.contains("not yet: it ended; 0 of 1") && !text.contains("crashed"), "{text}");

    let panicked = json!({"came": "no reply: it panicked (exit status: 101): index out of bounds",
                          "end": "exit status: 101", "panic": "index out of bounds",
                          "last_words": ["thread 'main' panicked at src/main.rs:6:20:\nindex\n  0: x"]});
    let text = told(&course, &[record(0, "it_ends", "crashed", panicked)]);
    assert!(text.contains("not yet: it panicked; "), "{text}");
    let lines = "  came         no reply\n  it panicked  at src/main.rs:6:20: index out of bounds (exit status: 101)\n";
    assert!(text.contains(lines), "{text}");
}

#[test]
fn a_program_that_prints_without_end_is_told_so() {
    let course = started();
    let text = told(&course, &[record(0, "it_ends", "too much output", json!({}))]);
    assert!(text.contains("  runs            not yet: it printed without end; "), "{text}");
}

#[test]
fn what_the_machine_forbids_is_not_the_programs_fault() {
    let course = started();
    let why = "not here (ptrace): kernel.yama.ptrace_scope is 3";
    let forbidden = json!({"scope": "mechanism", "came": why, "need": "ptrace"});
    let forbidden = record(1, "it_waits", "not here", forbidden);
    course.judge(&[passes(0), forbidden.clone()]);
    let (text, status) = course.said(&["check", "03.1"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("passed, as far as this machine can tell"), "{text}");
    assert!(text.contains("nobody has seen how it waits") && text.contains(why), "{text}");
    assert!(text.contains("cargo tutor doctor") && text.contains("3 of 3 so far"), "{text}");

    let course = started();
    let text = told(&course, &[forbidden]);
    assert!(text.contains("it could not be checked") && text.contains(why), "{text}");
    assert!(!course.text("work/progress.toml").contains("passed"));
}

#[test]
fn a_broken_environment_is_told_with_what_to_do() {
    let course = started();
    let linker = json!({"reason": "compiler-message", "message":
        {"level": "error", "message": "linker `cc` not found", "spans": [],
         "rendered": "error: linker `cc` not found\n"}});
    course.cargo(&[linker], "", 101);
    let text = told(&course, &[]);
    assert!(
        text.contains("says nothing of your program:\n\n    error: linker `cc` not found"),
        "{text}"
    );
    assert!(text.contains("cargo tutor doctor"), "{text}");

    let manifest = "error: extra `=`, expected nothing\n     --> 03-1-netcat/Cargo.toml:17:8\n";
    course.cargo(&[], manifest, 101);
    let text = told(&course, &[]);
    assert!(text.contains("--> 03-1-netcat/Cargo.toml:17:8") && text.contains("anew"), "{text}");
    let manifest = "error: failed to parse manifest at `/x/work/03-1-netcat/Cargo.toml`\n";
    course.cargo(&[], manifest, 101);
    let text = told(&course, &[]);
    assert!(text.contains(manifest) && !text.contains("stuck?"), "{text}");
    assert!(text.contains("writes work/03-1-netcat/Cargo.toml"), "{text}");

    course.cargo(&[], "error: no matching package named `rand` found\n", 101);
    let text = told(&course, &[]);
    assert!(text.contains("the course is built offline"), "{text}");

    // The judge does not run.
    course.cargo(&[json!({"reason": "compiler-artifact", "executable": "/bin/true"})], "", 0);
    course.put("bin/judge.does", "echo 'cannot load it' >&2; exit 127\n");
    let text = told(&course, &[]);
    assert!(text.contains("no check was run, and that says nothing of your program:"), "{text}");
    assert!(text.contains("    cannot load it\n"), "{text}");
    assert!(!course.text("work/progress.toml").contains("passed"));
}

#[test]
fn a_passed_exercise_has_its_points_and_the_next_step() {
    let course = started();
    course.exercise("2-more");
    course.judge(&[passes(0), passes(1)]);
    let (text, status) = course.said(&["check", "netcat"]);
    assert_eq!(status, 0, "{text}");
    assert!(text.starts_with("03.1 A netcat: passed, all 2 checks\n"), "{text}");
    for line in [
        "  points       3 for this one; 3 of 6 so far",
        "  compare      cargo tutor solution 03.1",
        "  next         cargo tutor start 03.2",
    ] {
        assert!(text.lines().any(|told| told == line), "no {line:?} in:\n{text}");
    }
    // A failure later does not take the points away.
    let text = told(&course, &[record(0, "it_ends", "wrong", json!({}))]);
    assert!(text.contains("3 of 6 so far"), "{text}");
}

#[test]
fn warnings_are_counted() {
    let course = started();
    let warning = json!({"reason": "compiler-message", "message":
        {"level": "warning", "message": "unused", "spans": [{}], "rendered": "warning: unused\n"}});
    let built = json!({"reason": "compiler-artifact", "executable": "/bin/true"});
    course.cargo(&[warning, built], "", 0);
    course.judge(&[passes(0)]);
    let (text, _) = course.said(&["check", "03.1"]);
    assert!(text.contains("  compiler     one warning: "), "{text}");
}

#[test]
fn a_trace_is_of_this_run_where_the_check_was_witnessed_and_else_of_another() {
    let course = started();
    let trace = |told: &str| {
        let lines = ["ms  program  kernel", told];
        json!({"check": "1-netcat::it_ends", "lines": lines}).to_string() + "\n"
    };
    course.judge(&[passes(1), record(0, "it_ends", "wrong", json!({}))]);
    course.put("bin/traces", &trace("\u{1b}[36mread 0\u{1b}[0m"));
    let (text, status) = course.said(&["check", "03.1", "--trace"]);
    assert_eq!(status, 1);
    let lines = "it ends\nthe calls of this very run:\n\nms  program  kernel\nread 0\n";
    assert!(text.contains(lines), "{text}");
    assert_eq!(course.text("bin/judge.asked").lines().count(), 1);

    // It was not witnessed: once more, this check alone.
    course.put("bin/traces", "");
    course.put("bin/traces.again", &trace("read 4"));
    course.put("bin/records.again", &(record(0, "it_ends", "wrong", json!({})).to_string() + "\n"));
    let (text, _) = course.said(&["check", "03.1", "--trace"]);
    let lines = "the calls of the same check, repeated under the witness:\n\nms  program";
    assert!(text.contains(lines) && text.contains("read 4\n"), "{text}");
    let asked = course.text("bin/judge.asked");
    let last = asked.lines().last().expect("a line");
    assert!(last.ends_with("--witnessed --exact 1-netcat::it_ends"), "{last}");

    // It passes then, or may not be watched.
    course.put("bin/traces.again", "");
    course
        .put("bin/records.again", &(record(0, "it_ends", "passed", json!({})).to_string() + "\n"));
    let (text, _) = course.said(&["check", "03.1", "--trace"]);
    assert!(
        text.contains("there is no trace: when it was repeated under the witness, the"),
        "{text}"
    );
    let forbidden =
        record(0, "it_ends", "not here", json!({"came": "not here (ptrace): forbidden"}));
    course.put("bin/records.again", &(forbidden.to_string() + "\n"));
    let (text, _) = course.said(&["check", "03.1", "--trace"]);
    assert!(text.contains("there is no trace: not here (ptrace): forbidden"), "{text}");
}

#[test]
fn a_section_that_is_not_in_the_book_is_its_page() {
    let course = started();
    let read = ["03-select.md", "gone"].join("#");
    let text = told(&course, &[record(0, "it_ends", "wrong", json!({"read": read}))]);
    assert!(text.contains("  read         book/src/03-select.md\n"), "{text}");
}

#[test]
fn a_program_in_another_language_is_judged_without_a_crate() {
    let course = Course::new();
    course.judge(&[record(0, "a", "wrong", json!({}))]);
    let (text, status) = course.said(&["check", "03.1", "--program", "/bin/true"]);
    assert_eq!(status, 1, "{text}");
    assert!(
        text.contains("  next         change it, then cargo tutor check 03.1 --program /bin/true"),
        "{text}"
    );
    assert!(course.text("bin/judge.asked").contains("--subject /bin/true"));
    course.judge(&[passes(0)]);
    let (text, status) = course.said(&["check", "03.1", "--program", "/bin/true"]);
    assert!(status == 0 && text.contains("3 of 3 so far"), "{text}");
    assert!(course.said(&["progress"]).0.contains("  03.1  done "));
    let (text, status) = course.said(&["check", "03.1", "--program", "/nonexistent"]);
    assert!(status == 1 && text.contains("/nonexistent: No such file"), "{text}");
    assert_eq!(course.said(&["check", "03.1", "--only", "x"]).1, 2);
}
