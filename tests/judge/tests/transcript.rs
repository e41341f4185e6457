//! The transcripts' own checks: a transcript that is true passes, one that is not is found, and
//! nothing is left running.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use judge::transcript::{Fault, Transcripts};
use lab::script;
use lab::wait::until;
use tempfile::TempDir;

/// A stand-in for a lesson's server: it says where it listens and stays until it is interrupted.
const SERVER: &str = r#"#!/bin/sh
case $1 in
--help) echo 'Usage: server [--listen ADDR:PORT]  [default: 127.0.0.1:7003]'; exit 0 ;;
--listen) address=$2; shift 2 ;;
esac
if [ "$1" = --bad ]; then echo "bad flag" >&2; exit 2; fi
echo $$ > "$PIDFILE_FOLDER/pid"
echo "listening on $address"
echo "told 1.5 ms" >&2
exec sleep 1000
"#;

struct Fixture {
    folder: TempDir,
}

impl Fixture {
    /// A page in a folder of its own, beside the stand-in.
    fn new(page: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let server = SERVER.replace("$PIDFILE_FOLDER", &folder.path().display().to_string());
        script::write(&folder.path().join("server"), &server).expect("a stand-in");
        fs::write(folder.path().join("page.md"), page).expect("a page");
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn transcripts(&self) -> Transcripts {
        Transcripts::of_file(self.path("page.md"), "03-select")
            .program("select-server", self.path("server"))
            .update(false)
    }

    fn run(&self) -> Result<usize, Fault> {
        self.transcripts().run()
    }

    /// The page after an update.
    fn updated(&self) -> String {
        self.transcripts().update(true).run().expect("an update");
        fs::read_to_string(self.path("page.md")).expect("the page")
    }

    /// The end of a killed process takes a moment.
    fn expect_no_server(&self) {
        until("the server is gone", || self.server_is_gone()).expect("no server");
    }

    /// Has the server that the page started ended?
    fn server_is_gone(&self) -> bool {
        let pid = fs::read_to_string(self.path("pid")).expect("the server's number");
        let stat = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"));
        // A process that nobody has waited for yet has ended all the same.
        stat.map_or(true, |stat| stat.contains(") Z "))
    }
}

fn holds(page: &str) {
    if let Err(fault) = Fixture::new(page).run() {
        panic!("{fault}");
    }
}

/// What is said about a page that does not hold.
fn fault(page: &str) -> String {
    match Fixture::new(page).run() {
        Ok(_) => panic!("held: {page}"),
        Err(fault) => fault.to_string(),
    }
}

/// The folder of the page that this process is to run until it is killed.
const VICTIM: &str = "TRANSCRIPT_VICTIM";

#[test]
fn a_true_transcript_passes() {
    holds(
        "# A\n\n```console\n$ echo one; echo two >&2\none\ntwo\n$ printf 'a\\nb\\n' | cat -n\n     1\ta\n     2\tb\n```\n",
    );
}

#[test]
fn a_false_line_is_found_with_its_place() {
    let said = fault("# A\n\n```console\n$ echo one\none\n$ echo two\nthree\n```\n");
    for part in ["page.md:6", "echo two", "! three", "| two"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_duration_is_held_to_its_bound() {
    let page = |printed: &str| {
        format!(
            "<!-- bound: late: 1 s or more -->\n```console\n$ echo late {printed}\nlate 3 s\n```\n"
        )
    };
    holds(&page("2.5 s"));
    let fault = fault(&page("0.5 s"));
    assert!(fault.contains("late 0.5 s (not 1s or more)"), "{fault}");
}

#[test]
fn a_missing_and_a_surplus_line_are_found() {
    assert!(fault("```console\n$ echo one; echo two\none\n```\n").contains("| two"));
    assert!(fault("```console\n$ echo one\none\ntwo\n```\n").contains("! two"));
    assert!(fault("```console\n$ true\none\n```\n").contains("! one"));
}

#[test]
fn of_many_equal_lines_two_are_told() {
    let page = "```console\n$ yes | head -n 9000; echo other\ny\n...\ny\nend\n```\n";
    let said = fault(page);
    for part in ["| y\n", "| ... (8998 more of it)\n", "| other\n"] {
        assert!(said.contains(part), "{part} in {said}");
    }
    assert!(said.lines().count() < 12, "{said}");
}

#[test]
fn the_shell_keeps_status_folder_and_variables() {
    holds(
        "```console\n$ (exit 7)\n$ echo $?\n7\n$ echo $?\n0\n$ x='it'\"'\"'s'\n$ echo \"$x\"\nit's\n```\n",
    );
    holds("```console\n$ cargo tutor run 03 -- --bad\nbad flag\n$ echo $?\n2\n```\n");
}

#[test]
fn a_continued_command_is_one_command() {
    holds("```console\n$ printf '%s\\n' a \\\n> b\na\nb\n```\n");
}

#[test]
fn a_program_stays_is_interrupted_and_frees_its_terminal() {
    let fixture = Fixture::new(
        "```console,terminal-1,stays\n$ cargo tutor run 03\nlistening on 127.0.0.1:7003\n```\n\
         ```console,terminal-2\n$ echo other\nother\n```\n\
         ```console,terminal-1\ntold 0.1 ms\n^C\n$ echo $?\n130\n```\n",
    );
    assert_eq!(fixture.run().map_err(|fault| fault.to_string()), Ok(3));
    fixture.expect_no_server();
}

#[test]
fn a_program_that_stays_is_killed_at_the_end() {
    let fixture = Fixture::new(
        "```console,terminal-1,stays\n$ cargo tutor run select-server -- --listen 127.0.0.1:1\n\
         listening on 127.0.0.1:1\ntold 3 ms\n```\n",
    );
    fixture.run().unwrap_or_else(|fault| panic!("{fault}"));
    fixture.expect_no_server();
}

#[test]
fn a_program_that_stays_is_killed_when_a_later_line_is_false() {
    let fixture = Fixture::new(
        "```console,terminal-1,stays\n$ cargo tutor run 3\n...\ntold 3 ms\n```\n\
         ```console\n$ echo one\ntwo\n```\n",
    );
    assert!(fixture.run().is_err());
    fixture.expect_no_server();
}

#[test]
fn what_stays_does_not_outlive_a_killed_test_process() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        let folder = PathBuf::from(folder);
        let _ = Transcripts::of_file(folder.join("page.md"), "03-select")
            .program("select-server", folder.join("server"))
            .run();
        panic!("nobody has killed it");
    }
    let fixture = Fixture::new(
        "```console,terminal-1,stays\n$ cargo tutor run 03\nlistening on 127.0.0.1:7003\n```\n\
         ```console\n$ sleep 9\n```\n",
    );
    // This test binary once more, as a process that can be killed in the middle of a page.
    let mut victim = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "what_stays_does_not_outlive_a_killed_test_process"])
        .env(VICTIM, fixture.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a second process");
    let started = || fs::read_to_string(fixture.path("pid")).is_ok_and(|pid| pid.ends_with('\n'));
    until("the server has started", started).expect("a server");
    assert!(!fixture.server_is_gone());
    victim.kill().expect("kill");
    victim.wait().expect("wait");
    fixture.expect_no_server();
}

#[test]
fn a_command_that_was_to_stay_but_ended_is_found() {
    let said =
        fault("```console,terminal-1,stays\n$ cargo tutor run 03 -- --bad\nlistening on\n```\n");
    assert!(said.contains("was to stay up"), "{said}");
    assert!(said.contains("bad flag"), "{said}");
}

#[test]
fn a_busy_or_unknown_terminal_is_said() {
    assert!(fault("```console,terminal-1\nlisted\n```\n").contains("no program stays"));
    let said = fault("```console\n$ cargo tutor peer polite 127.0.0.1:7003 | cat\n```\n");
    assert!(said.contains("no pipe"), "{said}");
    assert!(fault("```console\n$ cargo build\n```\n").contains("cannot run: cargo build"));
    assert!(fault("```console\n$ cargo tutor run 04\n```\n").contains("no program 04"));
    assert!(fault("no block\n").contains("no console block"));
}

#[test]
fn peers_run_in_terminals_and_meet() {
    holds(
        "```console,terminal-1,stays\n$ cargo tutor peer upper 127.0.0.1:7003\n[..]127.0.0.1:7003[..]\n```\n\
         ```console,terminal-2\n$ cargo tutor peer polite 127.0.0.1:7003\n\
         polite: connected to 127.0.0.1:7003\n...\n```\n\
         ```console,terminal-1\n...\n^C\n$ echo $?\n130\n```\n",
    );
}

#[test]
fn while_a_peer_stays_what_is_at_work_comes_to_rest_first() {
    let folder = TempDir::new().expect("a folder");
    let told = folder.path().join("told").display().to_string();
    let works = format!(
        "echo works; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo rests | tee {told}; sleep 9"
    );
    holds(&format!(
        "```console,terminal-1,stays\n$ cargo tutor peer upper 127.0.0.1:7003\n...\n```\n\
         ```console,terminal-2,stays\n$ {works}\nworks\n```\n\
         ```console\n$ cat {told}\nrests\n```\n\
         ```console,terminal-2\nrests\n```\n"
    ));
}

#[test]
fn an_update_writes_what_is_true_and_only_that() {
    let fixture = Fixture::new(
        "# A\n\n```console,terminal-1,stays\n$ cargo tutor run 03\n```\n\n\
         ```console\n$ echo took 1.0 ms\ntook 7.5 ms\n$ echo b; echo c 2 s; echo d\nc 1 s\nx\n\n$ echo\n```\nend\n",
    );
    assert_eq!(
        fixture.updated(),
        "# A\n\n```console,terminal-1,stays\n$ cargo tutor run 03\nlistening on 127.0.0.1:7003\ntold 1.5 ms\n```\n\n\
         ```console\n$ echo took 1.0 ms\ntook 7.5 ms\n$ echo b; echo c 2 s; echo d\nb\nc 1 s\nd\n\n$ echo\n```\nend\n",
    );
    fixture.run().unwrap_or_else(|fault| panic!("{fault}"));
    let before = fs::metadata(fixture.path("page.md")).and_then(|page| page.modified());
    fixture.updated();
    let after = fs::metadata(fixture.path("page.md")).and_then(|page| page.modified());
    assert_eq!(before.expect("a time"), after.expect("a time"), "a true page was written again");
}
