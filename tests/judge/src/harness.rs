//! Tests as `cargo test`, its filters and nextest expect them, made when the program starts: each has
//! a name, and finds out whether this machine has what it needs before it runs.

use std::process::ExitCode;

use lab::need::Need;
use lab::probe;
use libtest_mimic::{Arguments, Completion, Conclusion, Failed, Trial};

/// What a test comes to: done, or left out, with the reason.
pub(crate) type Ended = Result<Completion, Failed>;

/// The first of these needs that this machine forbids, and the setting that does.
///
/// # Errors
///
/// A sentence, when that could not be found out.
pub(crate) fn missing(needs: &[Need]) -> Result<Option<(Need, String)>, String> {
    for need in needs {
        match probe::look(*need) {
            Ok(()) => {}
            Err(error) if Need::of(&error).is_some() => {
                return Ok(Some((*need, error.to_string())));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(None)
}

/// A test whose need is forbidden is left out; where the need is required, it fails.
pub(crate) fn left_out(need: Need, why: &str, required: &[Need]) -> Ended {
    let name = need.name();
    if required.contains(&need) {
        return Err(format!("{} has {name}, but: {why}", lab::need::REQUIRE).into());
    }
    Ok(Completion::ignored_with(format_args!("not here ({name}): {why}")))
}

/// Runs tests and prints what came of them.
pub(crate) fn run(mut arguments: Arguments, trials: Vec<Trial>) -> Conclusion {
    // As cargo's own tests do; the file .cargo/config.toml sets it. With 0 nothing would ever run.
    let threads = std::env::var("RUST_TEST_THREADS").ok().and_then(|count| count.parse().ok());
    arguments.test_threads = arguments.test_threads.or(threads).map(|count| count.max(1));
    libtest_mimic::run(&arguments, trials)
}

/// A test of a tool's own.
pub struct Test {
    name: String,
    needs: &'static [Need],
    body: Box<dyn FnOnce() -> Result<(), NotPassed> + Send>,
}

/// Why a test has not passed.
#[derive(Debug)]
pub enum NotPassed {
    /// Something is wrong.
    Wrong(String),
    /// What it needs is forbidden here, which it found out itself; the sentence names the setting.
    Forbidden {
        /// What it needs.
        need: Need,
        /// The sentence.
        why: String,
    },
}

impl From<String> for NotPassed {
    fn from(words: String) -> Self {
        Self::Wrong(words)
    }
}

impl Test {
    /// A test that is a function without arguments and fails by a panic, as those of `#[test]`. It has
    /// the function's name, with the modules between it and the test program's root.
    pub fn new<F: FnOnce() + Send + 'static>(needs: &'static [Need], body: F) -> Self {
        let path = std::any::type_name::<F>();
        let name = path.split_once("::").map_or(path, |(_, name)| name).to_owned();
        let body = Box::new(move || {
            body();
            Ok(())
        });
        Self { name, needs, body }
    }

    /// A test with a name of its own, which finds out itself what it needs.
    pub fn named(
        name: impl Into<String>,
        body: impl FnOnce() -> Result<(), NotPassed> + Send + 'static,
    ) -> Self {
        Self { name: name.into(), needs: &[], body: Box::new(body) }
    }
}

/// Runs the tests of a tool. One whose need is forbidden here is ignored, and says which setting it
/// misses; it fails where `READINESS_REQUIRE` lists the need.
#[must_use]
pub fn tests(tests: impl IntoIterator<Item = Test>) -> ExitCode {
    let arguments = Arguments::from_args();
    let required = match Need::required() {
        Ok(required) => required,
        Err(words) => return refuse(&words),
    };
    let trials = tests.into_iter().map(|Test { name, needs, body }| {
        let required = required.clone();
        Trial::ignorable_test(name, move || {
            let ended = match missing(needs)? {
                Some((need, why)) => Err(NotPassed::Forbidden { need, why }),
                None => body(),
            };
            match ended {
                Ok(()) => Ok(Completion::Completed),
                Err(NotPassed::Wrong(words)) => Err(words.into()),
                Err(NotPassed::Forbidden { need, why }) => left_out(need, &why, &required),
            }
        })
    });
    run(arguments, trials.collect()).exit_code()
}

/// Says why no test can be run.
pub(crate) fn refuse(words: &str) -> ExitCode {
    eprintln!("{words}");
    ExitCode::from(2)
}
