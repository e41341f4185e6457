//! Programs that would hurt those who judge them: they do not, and nothing of them is left.
//!
//! This program is both: the tests; and with `HOSTILE` in its environment, the judge of a lesson.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use judge::{LessonChecks, Test};
use lab::namespace::Network;
use lab::need::{Need, REQUIRE};
use lab::process::Process;
use lab::ran::Ran;
use lab::script;
use lab::subject::Launch;
use lab::wait::{IN_SECONDS, until_within};
use serde_json::Value;
use tempfile::TempDir;

/// In the environment of whatever a hostile program starts, with a value that no other run has.
const MARK: &str = "HOSTILE";

fn main() -> ExitCode {
    if std::env::var_os(MARK).is_some() {
        let exe = std::env::current_exe().expect("a path");
        return LessonChecks::new("03-select").program("select-server", exe, &[]).main();
    }
    judge::tests([
        Test::new(&[Need::UserNamespaces], of_many_processes_in_a_room_none_is_left),
        Test::new(&[Need::UserNamespaces], of_one_in_a_room_that_hears_no_signal_nothing_is_left),
        Test::new(&[Need::UserNamespaces], of_one_in_a_room_that_goes_away_nothing_is_left),
        Test::new(&[Need::UserNamespaces], in_a_room_it_fills_a_small_memory_and_no_disk),
        Test::new(&[Need::UserNamespaces], in_a_room_it_kills_nobody_outside),
        Test::new(&[Need::UserNamespaces], without_a_room_it_still_kills_nobody),
        Test::new(&[], what_prints_without_end_is_ended),
        Test::new(&[], what_complains_without_end_is_ended),
    ])
}

/// A hostile program, in a folder of its own, and somebody whom it must not reach.
struct Hostile {
    folder: TempDir,
    mark: String,
    bystander: Child,
}

impl Drop for Hostile {
    fn drop(&mut self) {
        let _ = self.bystander.kill();
        let _ = self.bystander.wait();
    }
}

impl Hostile {
    /// A script that does this, and then sleeps.
    fn that(does: &str) -> Self {
        let folder = TempDir::new().expect("a folder");
        let bystander = Command::new("sleep").arg("600").stdin(Stdio::null()).spawn();
        let bystander = bystander.expect("a start");
        let text = format!(
            "#!/bin/sh\nexec 3>&1 1>&2\nbystander={}\n{does}\nexec sleep 600\n",
            bystander.id()
        );
        script::write(&folder.path().join("hostile"), &text).expect("a script");
        let mark = folder.path().file_name().expect("a name").to_string_lossy().into_owned();
        Self { folder, mark, bystander }
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("hostile")
    }

    /// Has it judged; returns the record of the check that it failed.
    fn judged(&self, network: Option<Network>) -> Value {
        let file = self.folder.path().join("records");
        let mut judge = Launch::new(std::env::current_exe().expect("a path"))
            .arg("--subject")
            .arg(self.program())
            .arg("--records")
            .arg(&file)
            .arg("it_answers_one_client")
            .env(MARK, &self.mark)
            .env(IN_SECONDS, "2")
            .env(REQUIRE, "");
        if let Some(network) = network {
            judge = judge.in_namespace(network);
        }
        let ran = Ran::within(Duration::from_secs(60), judge.start().expect("a start"));
        let ran = ran.expect("an end");
        assert_eq!(ran.status, Some(1), "{ran}");
        let records = fs::read_to_string(&file).expect("records");
        let records = records.lines().map(|line| serde_json::from_str(line).expect("a record"));
        let mut failed = records.filter(|record: &Value| record["outcome"] != "not run");
        failed.next().unwrap_or_else(|| panic!("no record: {ran}"))
    }

    /// What it said last.
    fn words(record: &Value) -> String {
        record["last_words"].to_string()
    }

    /// The processes that have its mark: the kernel may not have ended the last ones yet.
    fn left(&self) -> Vec<Process> {
        Process::with(MARK, &self.mark)
    }

    fn leaves_nothing(&self) {
        until_within(Duration::from_secs(10), "nothing of it is left", || self.left().is_empty())
            .unwrap_or_else(|late| panic!("{late}: {:?}", self.left()));
    }

    fn harms_nobody(&mut self) {
        let ended = self.bystander.try_wait().expect("a child");
        assert!(ended.is_none(), "{:?}", ended.and_then(|status| status.signal()));
    }
}

fn of_many_processes_in_a_room_none_is_left() {
    begins_and_leaves_nothing(
        "i=0; while [ $i -lt 200 ]; do setsid sleep 600 & i=$((i+1)); [ $i = 1 ] && echo begun; done",
    );
}

fn of_one_in_a_room_that_hears_no_signal_nothing_is_left() {
    begins_and_leaves_nothing(
        "trap '' TERM INT HUP; (trap '' TERM; setsid sleep 600) & echo begun",
    );
}

fn of_one_in_a_room_that_goes_away_nothing_is_left() {
    begins_and_leaves_nothing("setsid sleep 600 & echo begun; exit 3");
}

fn begins_and_leaves_nothing(does: &str) {
    let mut hostile = Hostile::that(does);
    let record = hostile.judged(None);
    assert!(Hostile::words(&record).contains("begun"), "{record:#}");
    hostile.leaves_nothing();
    hostile.harms_nobody();
}

fn in_a_room_it_fills_a_small_memory_and_no_disk() {
    let hostile = Hostile::that(
        "for folder in . \"$TMPDIR\" /tmp /var/tmp /dev/shm \"$(dirname \"$0\")\"; do\n\
         head -c 100000000 /dev/zero > \"$folder/$HOSTILE.full\"\n\
         ls -l \"$folder/$HOSTILE.full\" | awk '{print \"length\", $5}'\ndone",
    );
    let record = hostile.judged(None);
    let words = Hostile::words(&record);
    assert!(words.contains("Read-only file system"), "{record:#}");
    assert!(words.contains("length 67108864"), "{record:#}");
    let name = format!("{}.full", hostile.mark);
    let here = std::env::current_dir().expect("a folder");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let places = ["/tmp", "/var/tmp", "/dev/shm"].map(Path::new);
    for folder in places.into_iter().chain([&*here, scratch, hostile.folder.path()]) {
        assert!(!folder.join(&name).exists(), "{}", folder.display());
    }
}

/// The lab's thread, the judge, the room's first process, and somebody outside.
const KILLS: &str = "for one in $PPID 1 2 $bystander; do kill -9 $one; done; echo tried";

fn in_a_room_it_kills_nobody_outside() {
    let mut hostile = Hostile::that(&format!("{KILLS}; kill -9 -1"));
    let record = hostile.judged(None);
    assert_eq!(record["outcome"], "hung", "{record:#}");
    let words = Hostile::words(&record);
    assert!(words.contains("tried") && words.contains("not permitted"), "{record:#}");
    hostile.harms_nobody();
    hostile.leaves_nothing();
}

fn without_a_room_it_still_kills_nobody() {
    let mut hostile =
        Hostile::that("for one in $PPID $bystander; do kill -9 $one; done; echo tried");
    let forbidden = Network::with_loopback().without_namespaces();
    let record = hostile.judged(Some(forbidden));
    assert_eq!(record["outcome"], "hung", "{record:#}");
    let words = Hostile::words(&record);
    assert!(words.contains("tried") && words.contains("not permitted"), "{record:#}");
    hostile.harms_nobody();
}

fn what_prints_without_end_is_ended() {
    is_ended_though_it("exec yes >&3");
}

fn what_complains_without_end_is_ended() {
    is_ended_though_it("yes >&3 & exec yes");
}

fn is_ended_though_it(does: &str) {
    let mut hostile = Hostile::that(does);
    let record = hostile.judged(None);
    let outcome = record["outcome"].as_str();
    assert!(matches!(outcome, Some("too much output" | "hung" | "wrong")), "{record:#}");
    hostile.leaves_nothing();
    hostile.harms_nobody();
}
