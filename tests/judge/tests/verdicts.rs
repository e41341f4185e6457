//! The verdicts: each outcome is told from the others, a gate closes, a need is looked for, a record is
//! written where no subject sees it.
//!
//! This program is all three: the tests; with `STAND_IN` in its environment, the checks of a lesson; and
//! with `--listen` in its arguments, the server that they judge.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use judge::run::on_a_thread;
use judge::server::ANSWERS;
use judge::{Check, Done, Failure, LessonChecks, Scope, Subject, Suite, Test, require, same_bytes};
use lab::need::{Need, REQUIRE};
use lab::peer::Client;
use lab::process::Process;
use lab::ran::Ran;
use lab::script;
use lab::wait::{IN_SECONDS, patience, until, until_within};
use serde_json::Value;
use tempfile::TempDir;

/// How long the judge of a hopeless program waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(4);

/// Which server the stand-in is: `right`, `wrong`, or one of [`HOPELESS`].
const STAND_IN: &str = "JUDGE_STAND_IN";

/// One that says no address, one that reads and answers nothing, one that dies at its first client, one that
/// answers without end, and one that answers and has no bound for what it owes.
const HOPELESS: [&str; 5] = ["silent", "reads", "dies", "repeats", "hoards"];

fn main() -> ExitCode {
    match std::env::var(STAND_IN) {
        Ok(which) if std::env::args().any(|argument| argument == "--listen") => match &*which {
            "silent" => be_silent(),
            "hoards" => hoard(),
            _ => serve(&which),
        },
        Ok(_) if std::env::args().nth(1).is_some_and(|first| first == "--be") => be(),
        Ok(which) => {
            // Only who never waits in write owes a bound.
            let (lesson, program) = match &*which {
                "hoards" => ("04-nonblocking-io", "nonblocking-server"),
                _ => ("03-select", "select-server"),
            };
            let exe = std::env::current_exe().expect("a path");
            LessonChecks::new(lesson).program(program, exe, OWN).main()
        }
        Err(_) => judge::tests([
            Test::new(&[], whoever_is_hopeless_is_told_once_and_soon),
            Test::new(&[], each_outcome_has_its_name),
            Test::new(&[Need::Ptrace], the_calls_of_what_fails_are_written_where_they_were_watched),
            Test::new(&[], a_gate_that_fails_fails_alone),
            Test::new(&[], a_need_is_looked_for_and_may_be_required),
            Test::new(&[], a_foreign_program_owes_nobody_our_words),
            Test::new(&[], what_makes_no_sense_is_refused),
            Test::new(&[], a_failure_says_what_was_done_and_how_the_subject_stood),
            Test::new(&[], a_script_around_a_server_is_told_and_leaves_nothing_behind),
        ]),
    }
}

/// Says where it listens, and does to each client what its first message says.
fn serve(which: &str) -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    println!("listening on {}", listener.local_addr().expect("an address"));
    for client in listener.incoming() {
        // A client that leaves too early is no reason to end.
        let _ = answer(client.expect("a client"), which);
    }
    ExitCode::SUCCESS
}

/// Forgets its first line.
fn be_silent() -> ! {
    eprintln!("ready");
    loop {
        thread::park();
    }
}

/// Answers, each client on threads of its own, and reads on whatever it owes.
fn hoard() -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    println!("listening on {}", listener.local_addr().expect("an address"));
    eprintln!("ready");
    for client in listener.incoming() {
        let mut client = client.expect("a client");
        let mut reader = client.try_clone().expect("a descriptor");
        let (owed, replies) = mpsc::channel::<Vec<u8>>();
        thread::spawn(move || {
            let mut message = vec![0; 1 << 16];
            while let Ok(count @ 1..) = reader.read(&mut message) {
                let reply = message[..count].to_ascii_uppercase();
                if owed.send(reply).is_err() {
                    break;
                }
            }
        });
        thread::spawn(move || replies.iter().all(|reply| client.write_all(&reply).is_ok()));
    }
    ExitCode::SUCCESS
}

/// A program that ends by itself, or should.
fn be() -> ExitCode {
    match std::env::args().nth(2).unwrap_or_default().as_str() {
        "panicking" => panic!("told to"),
        "killed" => std::process::abort(),
        "asleep" => loop {
            thread::park();
        },
        "talking" => {
            while io::stdout().write_all(&[b'.'; 4096]).is_ok() {}
            ExitCode::FAILURE
        }
        "reading" => match io::copy(&mut io::stdin(), &mut io::stdout()) {
            Ok(_) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        other => panic!("be {other:?}?"),
    }
}

fn answer(mut client: TcpStream, which: &str) -> io::Result<()> {
    let mut message = [0; 64];
    while let Ok(1..) = client.read(&mut message) {
        let said = String::from_utf8_lossy(&message);
        let said = said.trim_end_matches('\0');
        match said {
            _ if which == "reads" => eprintln!("read"),
            _ if which == "dies" => panic!("a client has come"),
            _ if which == "repeats" => {
                eprintln!("read");
                loop {
                    client.write_all(said.to_uppercase().as_bytes())?;
                }
            }
            _ if which == "wrong" => client.write_all(b"wrong")?,
            // A subject that hangs, until it is ended.
            "sleep" => thread::sleep(Duration::from_secs(60)),
            "panic" => panic!("told to"),
            "abort" => std::process::abort(),
            "lower" => client.write_all(b"lower")?,
            "talk" => {
                // More than the lab keeps, and more than fits into a pipe besides.
                io::stderr().write_all(&vec![b'.'; 17 << 20])?;
                client.write_all(b"TALK")?;
            }
            _ => client.write_all(said.to_uppercase().as_bytes())?,
        }
        message = [0; 64];
    }
    Ok(())
}

const OWN: &[Suite] = &[
    Suite::new(Scope::Contract, CHECKS).named("own").behind(&ANSWERS),
    Suite::new(Scope::Contract, MANY).named("own").needs(&[Need::Descriptors]).behind(&ANSWERS),
    Suite::new(Scope::Lesson, WORDS).named("own").behind(&ANSWERS),
];

const fn check(name: &'static str, run: fn(&Subject) -> Done) -> Check {
    Check {
        name,
        did: "asked it",
        expected: "a reply",
        perhaps: "Why not?",
        read: "03-select.md#why",
        run,
    }
}

/// Runs the stand-in to its end.
fn runs(it: &Subject, being: &str) -> Done {
    let launch = it.launch().arg("--be").arg(being).input(vec![b'x'; 1 << 20]);
    let limit = if being == "asleep" { Duration::from_secs(1) } else { patience() };
    let ran = Ran::within(limit, launch.start()?)?;
    require(ran.status == Some(0) && ran.stdout == vec![b'x'; 1 << 20], ran)
}

fn asks(it: &Subject, message: &str) -> Done {
    let server = it.server()?;
    let mut client = Client::connect(server.address())?;
    client.be_patient_for(Duration::from_secs(1))?;
    same_bytes(client.ask(message.as_bytes())?, message.to_uppercase().as_bytes())
}

const CHECKS: &[Check] = &[
    check("passes", |it| asks(it, "hello")),
    check("is_wrong", |it| asks(it, "lower")),
    check("hangs", |it| asks(it, "sleep")),
    check("panics", |it| asks(it, "panic")),
    check("is_killed", |it| asks(it, "abort")),
    check("talks", |it| {
        let server = it.server()?;
        let reply = Client::connect(server.address())?.ask(b"talk")?;
        same_bytes(reply, b"something else")
    }),
    check("runs", |it| runs(it, "reading")),
    check("runs_and_panics", |it| runs(it, "panicking")),
    check("runs_and_is_killed", |it| runs(it, "killed")),
    check("runs_and_hangs", |it| runs(it, "asleep")),
    check("runs_and_talks", |it| runs(it, "talking")),
    check("goes_wrong_on_a_thread", |it| {
        let being = on_a_thread(it, |it| runs(it, "killed"));
        being.join().map_err(|_| Failure::wrong("it panicked"))?
    }),
    check("sees_no_record", |it| {
        let server = it.server()?;
        let mut arguments = std::env::args().skip_while(|argument| argument != "--records").skip(1);
        let file = arguments.next().ok_or_else(|| Failure::wrong("no record is written"))?;
        let process = format!("/proc/{}", server.process().0);
        for part in ["environ", "cmdline"] {
            let text = fs::read(format!("{process}/{part}"))?;
            let seen = String::from_utf8_lossy(&text).contains(&file);
            require(!seen, format_args!("the record's name is in {part}"))?;
        }
        for descriptor in fs::read_dir(format!("{process}/fd"))? {
            let link = fs::read_link(descriptor?.path())?;
            require(link != Path::new(&file), "the record is open")?;
        }
        Ok(())
    }),
];

const MANY: &[Check] = &[check("needs_descriptors", |it| asks(it, "hello"))];

const WORDS: &[Check] = &[check("has_our_words", |it| asks(it, "hello"))];

/// Judges the stand-in, within these limits of a shell; what was printed, and the records.
fn judged(which: &str, limits: &str, arguments: &[&str]) -> (Output, Vec<Value>) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("records");
    let exe = std::env::current_exe().expect("a path");
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(format!("{limits} exec \"$0\" \"$@\"")).arg(exe);
    shell.args(arguments).arg("--records").arg(&file).env(STAND_IN, which).env_remove(REQUIRE);
    // A backtrace of this large program takes longer than the checks have patience.
    shell.env("RUST_BACKTRACE", "0");
    let output = shell.output().expect("a run");
    let records = fs::read_to_string(&file).unwrap_or_default();
    let records = records.lines().map(|line| serde_json::from_str(line).expect("a record"));
    (output, records.collect())
}

fn of<'a>(records: &'a [Value], check: &str) -> &'a Value {
    let found = records.iter().find(|record| record["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {records:#?}"))
}

/// All checks of a lesson on its own program, the figures and the page as well: one failure, with the program's last
/// words; and neither judge nor program takes much memory meanwhile.
fn whoever_is_hopeless_is_told_once_and_soon() {
    const MOST: u64 = 200_000_000;
    thread::scope(|scope| {
        for which in HOPELESS {
            scope.spawn(move || {
                // How slow this machine is now: to start the judge, which then only lists its checks.
                let begun = Instant::now();
                judged(which, "", &["--list"]);
                let slow = begun.elapsed() * 20;
                let begun = Instant::now();
                let (most, records) = watched(which);
                let took = begun.elapsed();
                // One gate is patient; all checks would be so some forty times.
                assert!(took < PATIENCE + PATIENCE / 2 + slow, "{which}: {took:?}, and {slow:?}");
                assert!(most < MOST, "{which}: {most} bytes");
                let others = ["not run", "not here"].map(Value::from);
                let failures = || records.iter().filter(|one| !others.contains(&one["outcome"]));
                let failed: Vec<&Value> =
                    failures().filter(|one| one["outcome"] != "passed").collect();
                assert!(records.len() > 40 && failed.len() == 1, "{which}: {failed:#?}");
                // It has answered one client, and that is known.
                let passed = failures().count() - failed.len();
                assert_eq!(passed, usize::from(which == "hoards"), "{which}");
                let words = match which {
                    "silent" | "hoards" => "ready",
                    "reads" | "repeats" => "read",
                    _ => "a client has come",
                };
                let said = failed[0]["last_words"].to_string();
                assert!(said.contains(words), "{which}: {:#}", failed[0]);
            });
        }
    });
}

/// Judges this stand-in by all that its lesson owes; the most memory that judge and program had at once, looked at
/// every few milliseconds, and the records.
fn watched(which: &str) -> (u64, Vec<Value>) {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("records");
    let mut judge = Command::new(std::env::current_exe().expect("a path"));
    judge.arg("--records").arg(&file).env(STAND_IN, which).env_remove(REQUIRE);
    judge.env("RUST_BACKTRACE", "0").env(IN_SECONDS, PATIENCE.as_secs().to_string());
    judge.stdout(Stdio::null()).stderr(Stdio::null());
    let mut judge = judge.spawn().expect("a start");
    let process = Process(judge.id());
    let mut most = 0;
    until_within(patience() * 6, "the judge has ended", || {
        let all = process.descendants().into_iter().chain([process]);
        // One that has just ended has no memory.
        let now = all.map(|one| one.resident_bytes().unwrap_or_default()).sum();
        most = most.max(now);
        judge.try_wait().expect("a child").is_some()
    })
    .expect("an end");
    let records = fs::read_to_string(&file).expect("records");
    (most, records.lines().map(|line| serde_json::from_str(line).expect("a record")).collect())
}

fn each_outcome_has_its_name() {
    let (output, records) = judged("right", "", &["own::"]);
    assert_eq!(output.status.code(), Some(101));
    for (check, outcome) in [
        ("own::passes", "passed"),
        ("own::is_wrong", "wrong"),
        ("own::hangs", "hung"),
        ("own::panics", "crashed"),
        ("own::is_killed", "crashed"),
        ("own::talks", "too much output"),
        ("own::runs", "passed"),
        ("own::runs_and_panics", "crashed"),
        ("own::runs_and_is_killed", "crashed"),
        ("own::runs_and_hangs", "hung"),
        ("own::runs_and_talks", "too much output"),
        ("own::goes_wrong_on_a_thread", "crashed"),
        ("own::sees_no_record", "passed"),
        ("own::has_our_words", "passed"),
    ] {
        let record = of(&records, check);
        assert_eq!(record["outcome"], outcome, "{record:#}");
    }
    for (check, call) in [("own::hangs", "in nanosleep"), ("own::runs_and_hangs", "in futex")] {
        let sits = of(&records, check)["sits"][0].as_str().expect("a call");
        assert!(sits.starts_with(call), "{check}: {sits}");
    }
    for check in ["own::panics", "own::runs_and_panics"] {
        let panicked = of(&records, check);
        let told = (&panicked["panic"], &panicked["end"]);
        assert_eq!(told, (&"told to".into(), &"exit status: 101".into()), "{check}");
    }
    for check in ["own::is_killed", "own::runs_and_is_killed", "own::goes_wrong_on_a_thread"] {
        let killed = of(&records, check)["end"].as_str().expect("an end");
        assert!(killed.starts_with("signal: 6 (SIGABRT)"), "{check}: {killed}");
    }
    assert_eq!(of(&records, "own::has_our_words")["scope"], "lesson");
}

fn the_calls_of_what_fails_are_written_where_they_were_watched() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("traces");
    let path = file.to_str().expect("a path");
    let run = |more: &[&str]| {
        let _ = fs::remove_file(&file);
        let arguments = [&["--traces", path, "--exact"], more].concat();
        judged("right", "", &arguments);
        let written = fs::read_to_string(&file).unwrap_or_default();
        written.lines().map(|line| serde_json::from_str(line).expect("a trace")).collect()
    };
    let traces: Vec<Value> = run(&["own::hangs"]);
    assert!(traces.is_empty(), "nobody watched it: {traces:#?}");
    let traces: Vec<Value> = run(&["--witnessed", "own::passes"]);
    assert!(traces.is_empty(), "it passes: {traces:#?}");
    let traces: Vec<Value> = run(&["--witnessed", "own::hangs"]);
    let [trace] = &traces[..] else { panic!("{traces:#?}") };
    assert_eq!(trace["check"], "own::hangs");
    let lines = trace["lines"].as_array().expect("lines");
    let has = |words: &str| {
        lines.iter().any(|line| line.as_str().is_some_and(|line| line.contains(words)))
    };
    assert!(has("accept") && has("threads"), "{trace:#}");
}

fn a_gate_that_fails_fails_alone() {
    let (output, records) = judged("wrong", "", &["own::"]);
    // The filter leaves the gate itself out: those behind it run it all the same.
    assert!(output.status.success() && !records.is_empty());
    assert!(records.iter().all(|record| record["outcome"] == "not run"), "{records:#?}");
    let came = "not run: it_answers_one_client has failed: \"wrong\" instead of \"HELLO\"";
    assert_eq!(of(&records, "own::passes")["came"], came);
    // Whoever judges a program is not told that all is well with it.
    let (output, _) = judged("wrong", "", &["--judge", "own::"]);
    assert_eq!(output.status.code(), Some(1));
    let (output, records) = judged("right", "", &["--judge", "there_is_no_such_check"]);
    assert_eq!((output.status.code(), records.len()), (Some(1), 0));
    let (output, _) = judged("right", "", &["--judge", "own::passes"]);
    assert_eq!(output.status.code(), Some(0));
    let (output, records) = judged("wrong", "", &["it_answers_one_client"]);
    assert_eq!(output.status.code(), Some(101));
    assert_eq!((records.len(), &records[0]["outcome"]), (1, &"wrong".into()));
}

fn a_need_is_looked_for_and_may_be_required() {
    let few = "ulimit -n 200;";
    let (output, records) = judged("right", few, &["own::needs_descriptors"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 ignored"), "{said}");
    let record = of(&records, "own::needs_descriptors");
    assert_eq!((&record["outcome"], &record["need"]), (&"not here".into(), &"descriptors".into()));
    let required = format!("{REQUIRE}=ptrace,descriptors; export {REQUIRE}; {few}");
    let (output, _) = judged("right", &required, &["own::needs_descriptors"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains(&format!("{REQUIRE} has descriptors, but: ")), "{said}");
}

fn a_foreign_program_owes_nobody_our_words() {
    let exe = std::env::current_exe().expect("a path").display().to_string();
    let foreign = ["--subject", &exe, "own::"];
    let (output, records) = judged("right", "", &foreign);
    assert_eq!(output.status.code(), Some(1), "a command's status, not a test program's");
    assert!(records.iter().all(|record| record["scope"] != "lesson"), "{records:#?}");
    assert_eq!(of(&records, "own::passes")["outcome"], "passed");
}

fn what_makes_no_sense_is_refused() {
    let nothing = "/nonexistent/program".to_owned();
    let exe = std::env::current_exe().expect("a path").display().to_string();
    let folder = std::env::temp_dir().display().to_string();
    for (limits, arguments, words) in [
        ("", &["--subject", &*nothing][..], "/nonexistent/program: No such file or directory"),
        ("", &["--subject", &*folder], "is a folder, not a program"),
        ("", &["--subject", &*exe, "--in-place-of", "poll-server"], "there are: select-server"),
        ("READINESS_REQUIRE=ptrce; export READINESS_REQUIRE;", &[], "there is no need \"ptrce\""),
    ] {
        let (output, records) = judged("right", limits, arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains(words), "{arguments:?}: {said}");
        assert!(records.is_empty());
    }
}

fn a_failure_says_what_was_done_and_how_the_subject_stood() {
    let (output, _) = judged("right", "", &["own::is_wrong", "--exact"]);
    let said = String::from_utf8_lossy(&output.stdout);
    for line in [
        "  did       asked it",
        "  expected  a reply",
        "  subject   it lives, ",
        "  perhaps   Why not?",
        "  read      book/src/03-select.md#why",
    ] {
        assert!(said.lines().any(|told| told.starts_with(line)), "{line:?} in {said}");
    }
    assert!(said.contains("  came      \"lower\" instead of \"LOWER\""), "{said}");
}

/// A script that does not `exec` its server is judged itself; nothing of it is left.
fn a_script_around_a_server_is_told_and_leaves_nothing_behind() {
    let folder = TempDir::new().expect("a folder");
    let (path, mark) = (folder.path().join("script"), folder.path().display());
    let exe = std::env::current_exe().expect("a path");
    let text = format!("#!/bin/sh\nSTARTED_BY={mark} {} \"$@\" &\nwait\n", exe.display());
    script::write(&path, &text).expect("a script");
    let path = path.display().to_string();
    let (output, records) = judged("right", "", &["--subject", &path, "own::is_wrong"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("in a script, `exec` the program"), "{said}");
    assert_eq!(of(&records, "own::is_wrong")["path"], *path);
    let servers = || Process::with("STARTED_BY", &mark.to_string());
    until("the servers have ended", || servers().is_empty()).expect("nothing is left");
}
