//! `trace`: what it prints, and how it ends whatever the program on trial does. The
//! programs are small sh scripts; nothing here calls cargo.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode, Stdio};

use assert_cmd::Command;
use assert_cmd::cargo::{cargo_bin, cargo_bin_cmd};
use judge::Test;
use lab::need::Need;
use lab::rig::pipes;
use lab::script;
use lab::subject::{Launch, with_default_signals};
use lab::wait::{IN_SECONDS, patience, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use predicates::prelude::PredicateBooleanExt;
use predicates::str::{contains, is_empty, starts_with};

const PTRACE: &[Need] = &[Need::Ptrace];

fn main() -> ExitCode {
    judge::tests([
        // Those first that wait until the lab has no more patience.
        Test::new(PTRACE, a_flood_of_output_fills_neither_the_memory_nor_the_message),
        Test::new(PTRACE, a_program_that_never_prints_its_address_is_given_up),
        Test::new(PTRACE, a_program_that_listens_nowhere_and_hears_no_signal_is_ended),
        Test::new(PTRACE, a_server_that_never_sleeps_does_not_hold_the_script_up),
        Test::new(PTRACE, the_lanes_of_a_good_server_are_shown),
        Test::new(&[], names_that_mean_nothing_get_a_suggestion),
        Test::new(&[], help_fits_a_terminal_of_80_columns),
        Test::new(&[], a_program_that_cannot_be_started_is_named),
        Test::new(PTRACE, a_program_that_prints_something_else_is_told_what_was_expected),
        Test::new(PTRACE, nobody_connects_to_another_machine_whatever_a_program_says),
        Test::new(PTRACE, what_cannot_be_witnessed_or_run_is_named),
        Test::new(PTRACE, a_disk_that_is_full_is_an_error_and_a_reader_who_has_gone_is_none),
        Test::new(PTRACE, a_program_that_forks_away_leaves_nothing_behind),
        Test::new(PTRACE, ctrl_c_leaves_nothing_behind),
        Test::new(PTRACE, where_tracing_is_forbidden_the_setting_is_named),
        Test::new(PTRACE, a_client_that_does_not_do_its_part_is_told_so),
    ])
}

/// A folder with scripts, removed at the end.
struct Scripts(PathBuf);

impl Scripts {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("trace-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for scripts");
        Self(folder)
    }

    /// A script that says who it is, in the file `pid`, and then does this.
    fn script(&self, name: &str, does: &str) -> PathBuf {
        let path = self.0.join(name);
        let pid = self.pid_file();
        let text = format!("#!/bin/sh\necho $$ >'{}'\n{does}\n", pid.display());
        script::write(&path, &text).expect("a script");
        path
    }

    /// A server of the course's protocol, with its first line: the lab's `upper`.
    fn server(&self, name: &str) -> PathBuf {
        let does = format!(
            "'{}' upper 2>&1 | while IFS= read -r line; do echo \"${{line#upper: }}\"; done",
            cargo_bin!("stand-in").display()
        );
        self.script(name, &does)
    }

    fn pid_file(&self) -> PathBuf {
        self.0.join("pid")
    }

    /// Has everything that the script wrote its number for ended?
    fn nobody_is_left(&self) {
        let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
        for pid in text.split_whitespace() {
            until("the program has ended", || !runs(pid)).expect("no orphan");
        }
    }
}

impl Drop for Scripts {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After the name: the state, Z for one that has ended.
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

fn trace(arguments: &[&str]) -> Command {
    let mut command = cargo_bin_cmd!("trace");
    command.args(arguments).timeout(patience() * 3).env("CARGO", "/nonexistent/cargo");
    command
}

/// The trace of a program on trial as the server of lesson 03.
fn on_trial(program: &Path) -> Command {
    let mut command = trace(&["03", "--program"]);
    command.arg(program);
    command
}

fn the_lanes_of_a_good_server_are_shown() {
    let scripts = Scripts::new("good");
    let server = scripts.server("select-server");
    let output = trace(&["03"]).env("READINESS_PROGRAMS", &scripts.0).output().expect("a trace");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("03-select: select-server under the witness\n"), "{text}");
    for words in ["connects", "sends \"hello\\n\"", "gets \"HELLO\\n\"", "meets the end", "accept"]
    {
        assert!(text.contains(words), "no {words} in\n{text}");
    }
    assert!(text.contains("\nprocesses    "), "{text}");
    assert!(!text.contains('\u{1b}'), "plain in a pipe");
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?}\n{text}");
    scripts.nobody_is_left();

    // An answer that the kernel has not given.
    let output =
        on_trial(&server).args(["--raw", "--inject", "write=2"]).output().expect("a trace");
    assert!(String::from_utf8_lossy(&output.stdout).contains("= 2 (INJECTED)"), "{output:?}");
    let wrong = trace(&["03", "--inject", "acept=EMFILE"]).assert().code(2);
    wrong.stderr(contains("no system call is named \"acept\""));

    // The same as lines, and as data.
    let output = on_trial(&server).arg("--raw").output().expect("a trace");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(" = ") && text.contains("--- bob sends \"hello\\n\" ---"), "{text}");
    assert!(text.contains("execve(") || text.contains("mmap("), "the runtime's too: {text}");
    let output = on_trial(&server).arg("--json").output().expect("a trace");
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["lesson"], "03-select");
    assert!(json["runs"][0]["record"]["events"].as_array().is_some_and(|all| all.len() > 10));
    assert!(json["runs"][0]["peers"].as_array().is_some_and(|all| all.len() > 5));
}

fn names_that_mean_nothing_get_a_suggestion() {
    let assert = trace(&["selct"]).assert().code(2).stdout(is_empty());
    assert.stderr(contains("did you mean \"select\"?"));
    trace(&["99"]).assert().code(2).stderr(starts_with("there is no lesson or program \"99\"\n"));
    trace(&["03", "--raw", "--json"]).assert().code(2);
    // The instrument of lesson 09 waits for nobody.
    let assert = trace(&["09"]).assert().code(2).stdout(is_empty());
    assert.stderr(starts_with("there is no trace of readiness-table: "));
}

fn help_fits_a_terminal_of_80_columns() {
    let assert = trace(&["--help"]).assert().success().stdout(contains("--inject"));
    let text = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

fn a_program_that_cannot_be_started_is_named() {
    let scripts = Scripts::new("none");
    let path = scripts.0.join("not-there");
    on_trial(&path).assert().code(1).stderr(contains("not-there: No such file"));
    fs::write(&path, "text").expect("a file");
    on_trial(&path).assert().code(1).stderr(contains("not-there: is not executable"));
    on_trial(&scripts.0).assert().code(1).stderr(contains("is a folder, not a program"));
}

fn a_program_that_prints_something_else_is_told_what_was_expected() {
    let scripts = Scripts::new("other");
    let expected = contains("must be `listening on ADDR:PORT`");
    let other = scripts.script("other", "echo hello; exec sleep 100");
    on_trial(&other).assert().code(1).stderr(expected.clone().and(contains("hello")));
    scripts.nobody_is_left();
    let ends = scripts.script("ends", "exit 3");
    on_trial(&ends).assert().code(1).stderr(expected.clone().and(contains("exit status: 3")));
    let killed = scripts.script("killed", "kill -9 $$");
    on_trial(&killed).assert().code(1).stderr(expected.clone().and(contains("SIGKILL")));
    let closes = scripts.script("closes", "exec >&- 2>&-; exec sleep 100");
    on_trial(&closes)
        .assert()
        .code(1)
        .stderr(expected.clone().and(contains("closed its standard")));
    scripts.nobody_is_left();
    let bytes = scripts.script("bytes", "printf '\\377\\376\\n'; exec sleep 100");
    on_trial(&bytes).assert().code(1).stderr(expected);
    scripts.nobody_is_left();
}

fn nobody_connects_to_another_machine_whatever_a_program_says() {
    let scripts = Scripts::new("elsewhere");
    for address in ["192.0.2.1:80", "[2001:db8::1]:80", "127.0.0.1:0"] {
        let does = format!("echo 'listening on {address}'; exec sleep 100");
        let program = scripts.script("elsewhere", &does);
        let assert = on_trial(&program).assert().code(1).stdout(is_empty());
        assert.stderr(contains("no address of a server on loopback").and(contains(address)));
        scripts.nobody_is_left();
    }
}

fn a_flood_of_output_fills_neither_the_memory_nor_the_message() {
    let scripts = Scripts::new("flood");
    // A line without an end for as long as anybody listens, and 64 MiB of standard error.
    let line = scripts.script("line", "exec tr '\\0' x </dev/zero");
    let errors = "head -c 67108864 /dev/zero | tr '\\0' x >&2; exit 3";
    let errors = scripts.script("errors", errors);
    // So much, or, on a machine that is too slow for it, so long.
    let too_long = "no line on standard output within";
    for (program, words) in [
        (&line, ["no end of a line: it has printed more than", too_long]),
        (&errors, ["\u{2026}xxx", too_long]),
    ] {
        // With 1 GiB of addresses: what is kept of it must be far less.
        let output = Process::new("sh")
            .args(["-c", "ulimit -v 1048576; exec \"$@\"", "sh"])
            .args([cargo_bin!("trace"), Path::new("03"), Path::new("--program")])
            .arg(program)
            .output()
            .expect("sh");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        let told = words.iter().any(|words| said.contains(words));
        assert!(told && said.len() < 4000, "{} bytes: {said}", said.len());
        scripts.nobody_is_left();
    }
}

fn what_cannot_be_witnessed_or_run_is_named() {
    let scripts = Scripts::new("kinds");
    let path = scripts.script("no-interpreter", "");
    fs::write(&path, "#!/not/there\n").expect("a script");
    on_trial(&path).assert().code(1).stderr(contains("the interpreter after #!"));
    // The beginning of a 32-bit program: elf(5).
    fs::write(&path, b"\x7fELF\x01\x01\x01").expect("a program");
    on_trial(&path).assert().code(1).stderr(contains("is a 32-bit program"));
}

fn a_disk_that_is_full_is_an_error_and_a_reader_who_has_gone_is_none() {
    let scripts = Scripts::new("full");
    let server = scripts.server("server");
    let to = |stdout: Stdio| {
        let mut trace = Process::new(cargo_bin!("trace"));
        trace.args(["03", "--program"]).arg(&server).stdout(stdout);
        trace.output().expect("it starts")
    };
    let full = fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let output = to(full.into());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("write standard output: No space left"), "{said}");
    let writer = pipes::without_reader().expect("a pipe");
    let output = to(writer.into());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{:?} {said}", output.status);
    scripts.nobody_is_left();
}

fn a_program_that_never_prints_its_address_is_given_up() {
    let scripts = Scripts::new("never");
    let never = scripts.script("never", "trap '' TERM INT\nsleep 100");
    let assert = on_trial(&never).env(IN_SECONDS, "2").assert().code(1);
    assert.stderr(contains("no line on standard output within 2s"));
    scripts.nobody_is_left();
}

fn a_program_that_forks_away_leaves_nothing_behind() {
    let scripts = Scripts::new("forks");
    let pid = scripts.pid_file();
    let away = format!(
        "sh -c 'echo $$ >>\"{}\"; echo listening on 127.0.0.1:1; exec sleep 100' &\n\
         until [ $(wc -l <\"{0}\") = 2 ]; do :; done; exit 0",
        pid.display()
    );
    let program = scripts.script("forks", &away);
    let assert = on_trial(&program).assert().code(1);
    assert.stderr(contains("a server must stay in the foreground"));
    scripts.nobody_is_left();
}

fn a_program_that_listens_nowhere_and_hears_no_signal_is_ended() {
    let scripts = Scripts::new("deaf");
    let does = "trap '' TERM INT HUP\necho listening on 127.0.0.1:1\nwhile :; do sleep 1; done";
    let program = scripts.script("deaf", does);
    let assert = on_trial(&program).env(IN_SECONDS, "2").assert().code(1);
    assert.stderr(contains("the scene ended early").and(contains("ann: connect 127.0.0.1:1")));
    scripts.nobody_is_left();
}

fn ctrl_c_leaves_nothing_behind() {
    let scripts = Scripts::new("ctrl-c");
    let program = scripts.script("endless", "trap '' TERM INT HUP\nwhile :; do sleep 1; done");
    let mut trace = Process::new(cargo_bin!("trace"));
    trace.args(["03", "--program"]).arg(&program).stdout(Stdio::null()).stderr(Stdio::null());
    // A shell that starts the tests with `&` lets them, and all below them, ignore SIGINT.
    let mut trace = with_default_signals(&mut trace).spawn().expect("it starts");
    let begun = || fs::read_to_string(scripts.pid_file()).is_ok_and(|pid| pid.ends_with('\n'));
    until("the program has begun", begun).expect("it begins");
    kill(Pid::from_raw(trace.id().cast_signed()), Signal::SIGINT).expect("it is there");
    let status = trace.wait().expect("it ends");
    assert!(!status.success());
    scripts.nobody_is_left();
}

fn where_tracing_is_forbidden_the_setting_is_named() {
    let scripts = Scripts::new("forbidden");
    let program = scripts.script("server", "echo listening on 127.0.0.1:1; exec sleep 100");
    // A process has one tracer at most: under a witness another one is refused.
    let launch = Launch::new(cargo_bin!("trace")).arg("03").arg("--program");
    let mut subject = launch.arg(&program).witnessed().start().expect("it starts");
    let status = subject.exit_status().expect("it ends");
    let said = subject.final_stderr();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("ptrace"), "{said}");
}

fn a_client_that_does_not_do_its_part_is_told_so() {
    let scripts = Scripts::new("client");
    let program = scripts.script("client", "exit 0");
    let assert = trace(&["01", "--program"]).arg(&program).assert().code(1).stdout(is_empty());
    assert.stderr(contains("it did not connect to 127.0.0.1:").and(contains("exit status: 0")));
}

fn a_server_that_never_sleeps_does_not_hold_the_script_up() {
    let scripts = Scripts::new("awake");
    // Somebody listens, but who is watched computes: nothing that is sent is ever taken.
    let does = format!(
        "'{}' never-accepting 2>&1 | {{ IFS= read -r line; echo \"${{line#*: }}\"; \
         while :; do :; done; }}",
        cargo_bin!("stand-in").display()
    );
    let program = scripts.script("awake", &does);
    let assert = trace(&["04", "--program"]).arg(&program).assert().code(1);
    let told = contains("the scene ended early").and(contains("no more; and it does not sleep"));
    assert.stderr(told);
    scripts.nobody_is_left();
}
