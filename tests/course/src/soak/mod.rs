//! Repeats the test suite and keeps a log: first on the machine as it is, then beside more busy
//! loops than it has cores. Several soaks can be counted together, as long as the checked code is the same.

mod checked;
mod tally;

use std::fs::{File, OpenOptions};
use std::hint;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use cli::exit::EarlyExit;
use cli::programs::cargo;
use cli::syllabus::root;
use nix::sys::signal::Signal;

use crate::bounded::{Bounded, Ending};
use tally::{Count, Tally};

/// What `cargo course soak` is told.
#[derive(Debug, clap::Args)]
pub struct SoakOptions {
    /// Runs on the machine as it is
    #[arg(long, value_name = "N", default_value_t = 40)]
    idle: u32,
    /// Runs beside the busy loops
    #[arg(long, value_name = "N", default_value_t = 10)]
    busy: u32,
    /// How many busy loops: twice the cores, unless it is said
    #[arg(long, value_name = "N")]
    loops: Option<usize>,
    /// A run that takes longer is a failure
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Count what earlier soaks of the same code have run, and run only what is missing of --idle and --busy
    #[arg(long)]
    resume: bool,
    /// Where to append the log; what was counted lies beside it, as JSON
    #[arg(long, value_name = "FILE", default_value = "soak.log")]
    log: PathBuf,
}

/// Runs the suite as often as it is told to. Exit status 0 if all runs passed, 1 if not, 130 or 143 if
/// a signal ended it.
///
/// # Errors
///
/// Arguments that make no sense; what starting cargo and writing the log say.
pub fn run(options: &SoakOptions) -> Result<ExitCode, EarlyExit> {
    let cores = thread::available_parallelism()?.get();
    let loops = options.loops.unwrap_or(2 * cores);
    if options.idle + options.busy == 0 {
        return Err(EarlyExit::Arguments("--idle 0 --busy 0: nothing to do".to_owned()));
    }
    if options.busy > 0 && loops <= cores {
        return Err(EarlyExit::Arguments(format!(
            "--loops {loops}: this machine has {cores} cores, and it takes more to make it busy"
        )));
    }
    let log = OpenOptions::new().create(true).append(true).open(&options.log);
    let log = log.map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}", options.log.display()))
    })?;
    let mut soak = Soak {
        bounded: Bounded::new()?,
        limit: Duration::from_secs(options.limit),
        log,
        all: options.idle + options.busy,
        place: options.log.with_extension("json"),
        compiler: said("rustc", &["--version"]),
        tally: Tally::of(""),
    };
    soak.begin(options, cores, loops)?;
    soak.count_from(options.resume)?;
    let ended = soak.repeat(options, loops)?;
    let failed = soak.tally.failed();
    let passed = soak.tally.idle.passed + soak.tally.busy.passed;
    let sums = format!("{passed} passed, {failed} failed");
    match ended {
        Some(Signal::SIGINT) => {
            soak.say(format!("interrupted: {sums}"))?;
            Ok(ExitCode::from(130))
        }
        Some(_) => {
            soak.say(format!("ended by a signal: {sums}"))?;
            Ok(ExitCode::from(143))
        }
        None => {
            soak.say(sums)?;
            Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

struct Soak {
    bounded: Bounded,
    limit: Duration,
    log: File,
    all: u32,
    /// Where the tally is kept.
    place: PathBuf,
    compiler: String,
    tally: Tally,
}

/// The machine as it is, or beside busy loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Idle,
    Busy,
}

impl Soak {
    fn say(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        let line = line.as_ref();
        writeln!(io::stdout(), "{line}")?;
        writeln!(self.log, "{line}")
    }

    /// The number of the code as it is now.
    fn checked(&self) -> io::Result<String> {
        checked::number(&root(), &self.compiler)
    }

    /// Begins the tally anew, or where the last soak of the same code ended.
    fn count_from(&mut self, resume: bool) -> io::Result<()> {
        self.tally = Tally::of(&self.checked()?);
        let kept = if resume { Tally::kept(&self.place)? } else { None };
        match kept {
            None if resume => self.say("soak: nothing was counted before")?,
            None => {}
            Some(kept) if kept.checked == self.tally.checked => {
                self.say(format!("soak: goes on behind {kept}"))?;
                self.tally = kept;
            }
            Some(kept) => {
                self.say(format!("soak: what is checked has changed: void are {kept}"))?;
            }
        }
        self.tally.keep(&self.place)
    }

    fn count(&mut self, sort: Sort) -> &mut Count {
        match sort {
            Sort::Idle => &mut self.tally.idle,
            Sort::Busy => &mut self.tally.busy,
        }
    }

    /// Says what is run, where and when.
    fn begin(&mut self, options: &SoakOptions, cores: usize, loops: usize) -> io::Result<()> {
        let (date, rust) = (said("date", &["-u", "+%FT%TZ"]), self.compiler.clone());
        let kernel = lab::kernel::release();
        self.say(format!("soak: {date}, Linux {kernel}, {cores} cores, {rust}"))?;
        let commit = said("git", &["rev-parse", "--short", "HEAD"]);
        let differ = said("git", &["status", "--porcelain"]).lines().count();
        self.say(format!("soak: commit {commit}, {differ} files differ from it"))?;
        let SoakOptions { idle, busy, log, .. } = options;
        let log = log.display();
        self.say(format!(
            "soak: {idle} runs idle, then {busy} beside {loops} busy loops; log in {log}"
        ))
    }

    /// Builds the suite and runs it as often as it shall be; returns the signal that ended it early.
    fn repeat(&mut self, options: &SoakOptions, loops: usize) -> Result<Option<Signal>, EarlyExit> {
        let mut output = tempfile::tempfile()?;
        let mut build = cargo();
        build.args(["test", "--workspace", "--no-run"]).env("CARGO_TERM_COLOR", "never");
        match self.bounded.run(&mut build, self.limit, &output)? {
            Ending::Told(signal) => return Ok(Some(signal)),
            Ending::Exited(status) if status.success() => {}
            _ => {
                let text = text_of(&mut output)?;
                self.log.write_all(text.as_bytes())?;
                let words = format!("{text}soak: the suite does not build");
                return Err(io::Error::other(words).into());
            }
        }
        for (sort, wanted) in [(Sort::Idle, options.idle), (Sort::Busy, options.busy)] {
            let left = wanted.saturating_sub(self.count(sort).all());
            let _load = Load::begin(if sort == Sort::Busy && left > 0 { loops } else { 0 });
            for _ in 0..left {
                if let Some(signal) = self.once(sort)? {
                    return Ok(Some(signal));
                }
            }
        }
        Ok(None)
    }

    /// One run of the suite.
    fn once(&mut self, sort: Sort) -> Result<Option<Signal>, EarlyExit> {
        let load = if sort == Sort::Idle { "idle" } else { "busy" };
        let mut output = tempfile::tempfile()?;
        let before = std::fs::read_to_string("/proc/loadavg")?;
        let before = before.split(' ').next().unwrap_or_default();
        let mut suite = cargo();
        suite.args(["test", "--workspace", "--no-fail-fast"]).env("CARGO_TERM_COLOR", "never");
        let begun = Instant::now();
        let end = self.bounded.run(&mut suite, self.limit, &output)?;
        let took = begun.elapsed().as_secs_f64();
        let text = text_of(&mut output)?;
        let tests = Sums::of(&text);
        let failure = match end {
            Ending::Told(signal) => return Ok(Some(signal)),
            Ending::TimeUp => Some(format!("not finished after {} s", self.limit.as_secs())),
            Ending::Exited(status) if !status.success() => Some(status.to_string()),
            Ending::Exited(_) if tests.passed == 0 => Some("no test was run".to_owned()),
            Ending::Exited(_) => None,
        };
        let verdict = match &failure {
            None => "passed".to_owned(),
            Some(why) => format!("FAILED ({why})"),
        };
        // Whoever edits meanwhile has another program judged than was counted so far.
        if self.checked()? != self.tally.checked {
            self.say(format!(
                "soak: what is checked has changed meanwhile: void are {}",
                self.tally
            ))?;
            return Err(EarlyExit::Told);
        }
        self.count(sort).add(failure.is_none());
        self.tally.keep(&self.place)?;
        let (number, all) = (self.tally.idle.all() + self.tally.busy.all(), self.all);
        let Sums { passed, ignored } = tests;
        self.say(format!(
            "run {number} of {all}, {load}: {verdict}, {passed} tests and {ignored} ignored in {took:.3} s, \
             load {before} before"
        ))?;
        if failure.is_none() {
            return Ok(None);
        }
        writeln!(self.log, "--- everything that this run printed\n{text}---")?;
        for test in failures(&text) {
            writeln!(io::stdout(), "    {test}")?;
        }
        Ok(None)
    }
}

/// How many tests passed and were ignored, all binaries together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sums {
    passed: u64,
    ignored: u64,
}

impl Sums {
    /// Each test binary ends with a line `test result: ok. 12 passed; 0 failed; 1 ignored; ...`.
    fn of(output: &str) -> Self {
        let results = output.lines().filter(|line| line.starts_with("test result: "));
        let count = |line: &str, what: &str| {
            let before = line.split([';', '.']).find_map(|part| part.strip_suffix(what));
            before.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        results.fold(Self { passed: 0, ignored: 0 }, |sums, line| Self {
            passed: sums.passed + count(line, " passed"),
            ignored: sums.ignored + count(line, " ignored"),
        })
    }
}

/// The tests that failed, each after its file: cargo says `Running FILE (BINARY)` before each binary.
fn failures(output: &str) -> Vec<String> {
    let mut file = "";
    let mut failures = Vec::new();
    for line in output.lines() {
        if let Some(running) = line.trim_start().strip_prefix("Running ") {
            let path = running.trim_start_matches("unittests ").trim_start_matches("../");
            file = path.split(' ').next().unwrap_or_default();
        }
        let test = line.strip_prefix("test ").and_then(|line| line.strip_suffix("... FAILED"));
        failures.extend(test.map(|test| format!("{file}: {}", test.trim())));
    }
    failures
}

/// Busy loops, one a thread: more than the scheduler can serve at once. They end with this value.
struct Load {
    over: Arc<AtomicBool>,
}

impl Load {
    fn begin(loops: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..loops {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    hint::spin_loop();
                }
            });
        }
        Self { over }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn text_of(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a program says of itself, or `unknown`.
fn said(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).stdin(Stdio::null()).stderr(Stdio::null());
    let output = command.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim_end().to_owned());
    text.unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Sums, failures};

    const OUTPUT: &str = "     Running unittests src/lib.rs (target/debug/deps/lab-1)\n\
        test a ... ok\ntest b      ... FAILED\n\
        test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n\
             Running ../../tests/x.rs (target/debug/deps/x-1)\n\
        test c ... ignored\ntest d ... FAILED\n\
        test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out\n";

    #[test]
    fn what_the_suite_printed_is_summed_up() {
        assert_eq!(Sums::of(OUTPUT), Sums { passed: 13, ignored: 3 });
        assert_eq!(failures(OUTPUT), ["src/lib.rs: b", "tests/x.rs: d"]);
    }
}
