//! Runs one experiment and prints what it saw as JSON, or as text with `--text`.

use std::io::{self, Write};
use std::process::ExitCode;

use claims::experiments;
use claims::seen::Seen;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        let _ = writeln!(io::stderr(), "usage: claim EXPERIMENT [--text]");
        return ExitCode::from(2);
    };
    let Some(experiment) = experiments::find(&name) else {
        let _ = writeln!(io::stderr(), "there is no experiment {name:?}");
        return ExitCode::from(2);
    };
    let mut seen = Seen::default();
    let done = (experiment.run)(&mut seen);
    for one in &seen.observations {
        let book = one.book.as_ref().map_or(String::new(), |book| format!("   BOOK SAYS {book}"));
        let _ = writeln!(io::stdout(), "{}: {}{book}", one.did, one.saw);
    }
    if let Err(error) = done {
        let _ = writeln!(io::stderr(), "{error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
