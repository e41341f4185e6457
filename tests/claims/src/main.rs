//! Runs one experiment and prints what it saw, as lines for a person or as JSON.

use std::io::{self, Write};
use std::process::ExitCode;

use claims::report::{self, ReportForm};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--json", name] | [name, "--json"] => report::run_here(name, ReportForm::Json),
        [name] if !name.starts_with('-') => report::run_here(name, ReportForm::Text),
        _ => {
            let _ = writeln!(io::stderr(), "usage: claim [--json] EXPERIMENT");
            ExitCode::from(2)
        }
    }
}
