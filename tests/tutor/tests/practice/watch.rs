//! Watching: a save is checked, a check that runs is ended by the next one, keys, and nothing is left behind.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use lab::process::Process;
use lab::wait;
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::Pid;
use serde_json::json;

use crate::course::{Course, STARTER, record};

/// A watch that runs, and what it has printed.
struct Watch {
    child: Child,
    said: Arc<Mutex<String>>,
}

impl Watch {
    fn start(course: &Course, arguments: &[&str], stdin: Stdio) -> Self {
        let mut command = course.process(&[&["watch"], arguments].concat());
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let said = Arc::new(Mutex::new(String::new()));
        let gather = |mut from: Box<dyn Read + Send>| {
            let said = Arc::clone(&said);
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                while let Ok(count @ 1..) = from.read(&mut bytes) {
                    said.lock()
                        .expect("a text")
                        .push_str(&String::from_utf8_lossy(&bytes[..count]));
                }
            });
        };
        gather(Box::new(child.stdout.take().expect("a pipe")));
        gather(Box::new(child.stderr.take().expect("a pipe")));
        Self { child, said }
    }

    fn says(&self, words: &str, times: usize) {
        let count = || self.said.lock().expect("a text").matches(words).count();
        let came = wait::until("it says so", || count() >= times);
        assert!(
            came.is_ok(),
            "no {times} times {words:?} in:\n{}",
            self.said.lock().expect("a text")
        );
        assert_eq!(count(), times, "{words:?} in:\n{}", self.said.lock().expect("a text"));
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).expect("it lives");
    }

    fn ends(&mut self) -> ExitStatus {
        let mut status = None;
        let ended = wait::try_until("the watch ends", || {
            status = self.child.try_wait()?;
            Ok(status.is_some())
        });
        assert!(ended.is_ok(), "{}", self.said.lock().expect("a text"));
        status.expect("a status")
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn started() -> Course {
    let course = Course::new();
    assert_eq!(course.said(&["start", "03.1"]).1, 0);
    course.judge(&[record(0, "a", "wrong", json!({}))]);
    course
}

fn save(course: &Course, number: u32) {
    course.put(Course::PROGRAM, &format!("{STARTER}// {number}\n"));
}

/// The stand-in for cargo writes its number down and waits, so that a check runs until it is ended.
fn checks_never_end(course: &Course) {
    course.put(
        "bin/cargo.wait",
        "echo $$ >>\"$here/pids\"\nsleep 1000 & echo $! >>\"$here/pids\"\nwait\n",
    );
}

/// All that wait there now, when the `count`th check has begun.
fn waiting(course: &Course, count: usize) -> Vec<u32> {
    let pids = || -> Vec<u32> {
        let text = fs::read_to_string(course.root().join("bin/pids")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    };
    wait::until("a check has begun", || pids().len() >= 2 * count).expect("a check");
    pids().into_iter().skip(2 * (count - 1)).collect()
}

fn are_gone(pids: &[u32]) {
    let gone = || pids.iter().all(|pid| Process(*pid).state().is_err());
    wait::until("what was started is gone", gone).expect("nothing is left");
}

#[test]
fn each_save_is_checked_once_however_it_is_written() {
    for arguments in [&["03.1"][..], &["03.1", "--poll"]] {
        let course = started();
        let watch = Watch::start(&course, arguments, Stdio::null());
        watch.says("03.1 A netcat: not yet", 1);
        watch.says("watching work/03-1-netcat/src/main.rs\nCtrl-C ends it\n", 1);
        save(&course, 1);
        watch.says("03.1 A netcat: not yet", 2);
        watch.says("Ctrl-C ends it\n", 2);
        // As vim does: the old file is renamed, the new one written in its place, the old one removed.
        let program = course.root().join(Course::PROGRAM);
        let backup = program.with_extension("rs~");
        fs::rename(&program, &backup).expect("a backup");
        let mut file = File::create(&program).expect("a new file");
        file.write_all(STARTER.as_bytes()).and_then(|()| file.write_all(b"// 2\n")).expect("text");
        drop(file);
        fs::remove_file(backup).expect("no backup");
        watch.says("Ctrl-C ends it\n", 3);
        // As others do: a new file is renamed over it.
        let new = program.with_extension("new");
        fs::write(&new, "fn main() {}\n")
            .and_then(|()| fs::rename(&new, &program))
            .expect("a move");
        watch.says("Ctrl-C ends it\n", 4);
        // The same once more is nothing new.
        fs::write(&program, "fn main() {}\n").expect("the same");
        save(&course, 9);
        watch.says("Ctrl-C ends it\n", 5);
        assert_eq!(course.text("bin/judge.asked").lines().count(), 5);
    }
}

#[test]
fn a_save_is_seen_within_a_second() {
    let course = started();
    let watch = Watch::start(&course, &["03.1"], Stdio::null());
    watch.says("Ctrl-C ends it\n", 1);
    // How long a check takes here, without a watch.
    let begun = Instant::now();
    course.said(&["check", "03.1"]);
    let alone = begun.elapsed();
    let begun = Instant::now();
    save(&course, 1);
    watch.says("Ctrl-C ends it\n", 2);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(1) + alone * 4, "{took:?}, and {alone:?} without");
}

#[test]
fn a_check_that_runs_is_ended_by_the_next_save_and_by_the_end() {
    for end in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let course = started();
        checks_never_end(&course);
        let mut watch = Watch::start(&course, &["03.1"], Stdio::null());
        let first = waiting(&course, 1);
        save(&course, 1);
        let second = waiting(&course, 2);
        are_gone(&first);
        assert!(second.iter().all(|pid| Process(*pid).state().is_ok()));
        watch.signal(end);
        let status = watch.ends();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(end as i32));
        are_gone(&second);
        let left = fs::read_dir(course.root().join("target/tutor")).expect("a folder").count();
        assert_eq!(left, 0, "{end}");
    }
}

#[test]
fn a_check_that_is_interrupted_leaves_nothing_behind() {
    for end in [Signal::SIGINT, Signal::SIGTERM] {
        let course = started();
        let before = course.text("work/progress.toml");
        // The judge's own: it detaches what it starts, and ignores what a terminal sends.
        course.put(
            "bin/judge.does",
            "trap '' INT TERM HUP\necho $$ >\"$here/pids\"\n\
             setsid sh -c 'trap \"\" INT TERM HUP; sleep 1000; :' & echo $! >>\"$here/pids\"\nwait\n",
        );
        let mut check = course.process(&["check", "03.1"]);
        let mut check =
            check.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a start");
        let pids = waiting(&course, 1);
        kill(Pid::from_raw(check.id().cast_signed()), end).expect("it lives");
        let status = check.wait().expect("an end");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(end as i32));
        are_gone(&pids);
        let mut said = String::new();
        check.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
        assert_eq!(said, "");
        assert_eq!(course.text("work/progress.toml"), before);
        let left = fs::read_dir(course.root().join("target/tutor")).expect("a folder").count();
        assert_eq!(left, 0, "{end}");
    }
}

#[test]
fn what_a_killed_tutor_has_left_is_swept_by_the_next() {
    let course = started();
    checks_never_end(&course);
    let mut check = course.process(&["check", "03.1"]).spawn().expect("a start");
    waiting(&course, 1);
    check.kill().expect("a kill");
    check.wait().expect("an end");
    assert!(course.has(&format!("target/tutor/{}", check.id())));
    fs::remove_file(course.root().join("bin/cargo.wait")).expect("no wait");
    course.said(&["check", "03.1"]);
    assert!(!course.has(&format!("target/tutor/{}", check.id())));
}

#[test]
fn what_a_judge_leaves_behind_is_ended_with_the_check() {
    let course = started();
    course.put(
        "bin/judge.does",
        "setsid sleep 1000 & echo $! >\"$here/pids\"; echo 1 >>\"$here/pids\"\n",
    );
    let (text, status) = course.said(&["check", "03.1"]);
    assert_eq!(status, 1, "{text}");
    are_gone(&waiting(&course, 1)[..1]);
}

#[test]
fn without_a_name_what_comes_next_is_watched_and_started() {
    let course = Course::new();
    let watch = Watch::start(&course, &[], Stdio::null());
    watch.says("03.1 A netcat\n", 1);
    watch.says("watching work/03-1-netcat/src/main.rs\n", 1);
    assert_eq!(course.text(Course::PROGRAM), STARTER);
    course.judge(&[record(0, "a", "passed", json!({}))]);
    save(&course, 1);
    watch.says("passed, all 1 checks", 1);
}

#[test]
fn a_program_that_was_deleted_is_waited_for() {
    let course = started();
    let watch = Watch::start(&course, &["03.1"], Stdio::null());
    watch.says("Ctrl-C ends it\n", 1);
    let folder = course.root().join("work/03-1-netcat");
    let away = course.root().join("work/away");
    fs::rename(&folder, &away).expect("a move");
    fs::rename(&away, &folder).expect("a move");
    save(&course, 1);
    watch.says("Ctrl-C ends it\n", 2);
}

/// A terminal: what is typed into it, and the side that a program reads.
fn terminal() -> (File, OwnedFd) {
    let both = openpty(None, None).expect("a terminal");
    (File::from(both.master), both.slave)
}

/// The last line that is printed when a key can be pressed.
const PROMPT: &str = "q quit\n";

#[test]
fn keys_do_what_they_say_and_the_terminal_is_put_back() {
    let course = started();
    course.exercise("2-more");
    let (mut keys, stdin) = terminal();
    let found = tcgetattr(&stdin).expect("settings");
    let stdin_of_watch = stdin.try_clone().expect("a copy");
    let mut watch = Watch::start(&course, &["03.1"], stdin_of_watch.into());
    watch.says(PROMPT, 1);
    let now = tcgetattr(&stdin).expect("settings");
    assert!(!now.local_flags.intersects(LocalFlags::ICANON | LocalFlags::ECHO));
    assert!(now.local_flags.contains(LocalFlags::ISIG), "Ctrl-C stays a signal");
    let mut prompts = 1;
    let mut press = |key: &str, words: &str, times: usize| {
        keys.write_all(key.as_bytes()).expect("a key");
        watch.says(words, times);
        prompts += 1;
        watch.says(PROMPT, prompts);
    };
    press("h", "  1. a question\n", 1);
    press("\n", "03.1 A netcat: not yet", 2);
    press("l", "0 of 6 points\n", 1);
    press("t", "there is no trace", 1);
    course.put(Course::PROGRAM, "mine");
    press("", "03.1 A netcat: not yet", 4);
    press("ry", "03.1 begins anew", 1);
    press("", "03.1 A netcat: not yet", 5);
    assert_eq!(course.text("work/03-1-netcat/src/main.rs.1"), "mine");
    press("n", "watching work/03-2-more/src/main.rs", 1);
    press("p", "03.1 A netcat: not yet", 6);
    keys.write_all(b"rn").expect("a key");
    watch.says("it stays as it is", 1);
    keys.write_all(b"p").expect("a key");
    watch.says("this is the first", 1);
    keys.write_all(b"q").expect("a key");
    assert!(watch.ends().success());
    assert_eq!(tcgetattr(&stdin).expect("settings"), found);
}

#[test]
fn the_terminal_is_put_back_however_it_ends() {
    for end in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let course = started();
        let (_keys, stdin) = terminal();
        let found = tcgetattr(&stdin).expect("settings");
        let stdin_of_watch = stdin.try_clone().expect("a copy");
        let mut watch = Watch::start(&course, &["03.1"], stdin_of_watch.into());
        watch.says("q quit\n", 1);
        assert_ne!(tcgetattr(&stdin).expect("settings"), found);
        watch.signal(end);
        watch.ends();
        assert_eq!(tcgetattr(&stdin).expect("settings"), found, "{end}");
    }
}

#[test]
fn after_a_stop_keys_come_one_by_one_again() {
    let course = started();
    let (mut keys, stdin) = terminal();
    let found = tcgetattr(&stdin).expect("settings");
    let stdin_of_watch = stdin.try_clone().expect("a copy");
    let mut watch = Watch::start(&course, &["03.1"], stdin_of_watch.into());
    watch.says(PROMPT, 1);
    // A shell sets the terminal as it likes it when a job stops.
    watch.signal(Signal::SIGSTOP);
    tcsetattr(&stdin, SetArg::TCSANOW, &found).expect("settings");
    watch.signal(Signal::SIGCONT);
    let is_set =
        || tcgetattr(&stdin).is_ok_and(|now| !now.local_flags.contains(LocalFlags::ICANON));
    wait::until("keys come one by one", is_set).expect("settings");
    keys.write_all(b"q").expect("a key");
    assert!(watch.ends().success());
    assert_eq!(tcgetattr(&stdin).expect("settings"), found);
}
