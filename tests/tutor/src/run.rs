//! Programs that the tutor builds and becomes, so that signals and the exit status are their own: a
//! lesson's, or an instrument of another package. Whoever only runs a lesson never waits for the build of
//! the instruments.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use cli::exit::EarlyExit;
use cli::programs::{Build, Programs};
use cli::syllabus::Syllabus;
use cli::variant;

/// Each instrument's program, and the package that it is of.
const INSTRUMENTS: [(&str, &str); 3] =
    [("claims", "claims"), ("trace", "timeline"), ("packets", "timeline")];

/// What an instrument is given: its own arguments, `--help` among them.
#[derive(clap::Args)]
pub struct Given {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    arguments: Vec<OsString>,
}

/// What was typed, where `help trace` is `trace --help`: an instrument tells its help itself.
pub fn typed() -> Vec<OsString> {
    let mut typed: Vec<OsString> = std::env::args_os().collect();
    if let [_, help, name] = &mut typed[..]
        && help == "help"
        && INSTRUMENTS.iter().any(|(instrument, _)| name == instrument)
    {
        *help = std::mem::replace(name, "--help".into());
    }
    typed
}

/// Becomes an instrument.
pub fn instrument(name: &str, given: &Given) -> Result<(), EarlyExit> {
    let own = INSTRUMENTS.iter().filter(|(instrument, _)| *instrument == name);
    let packages = own.map(|(_, package)| *package).chain(["tutor"]);
    become_it(&Build::programs(packages).run()?, name, &given.arguments)
}

/// Becomes a lesson's program, or that program with a mistake in it.
pub fn program(
    typed: &str,
    mistake: Option<&str>,
    arguments: &[OsString],
) -> Result<(), EarlyExit> {
    let syllabus = Syllabus::read()?;
    let (lesson, program) = syllabus.program_meant(typed)?;
    if let Some(mistake) = mistake {
        let (_, path) = variant::build(lesson, mistake)?;
        return become_file(&path, arguments);
    }
    become_it(&Programs::of("tutor", [lesson])?, &program.name, arguments)
}

/// Returns only to say why not.
pub fn become_it(programs: &Programs, name: &str, arguments: &[OsString]) -> Result<(), EarlyExit> {
    become_file(&programs.path(name)?, arguments)
}

fn become_file(path: &Path, arguments: &[OsString]) -> Result<(), EarlyExit> {
    let error = Command::new(path).args(arguments).exec();
    Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())).into())
}
