//! Instruments: programs of other packages, which the tutor builds and becomes, as it does with a lesson's.
//! Whoever only runs a lesson never waits for their build.

use std::ffi::OsString;

use cli::failure::Failure;
use cli::programs::Build;

use crate::become_it;

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
pub fn asked() -> Vec<OsString> {
    let mut typed: Vec<OsString> = std::env::args_os().collect();
    if let [_, help, name] = &mut typed[..]
        && help == "help"
        && INSTRUMENTS.iter().any(|(instrument, _)| name == instrument)
    {
        *help = std::mem::replace(name, "--help".into());
    }
    typed
}

/// Builds an instrument and becomes it.
pub fn become_one(name: &str, given: &Given) -> Result<(), Failure> {
    let own = INSTRUMENTS.iter().filter(|(instrument, _)| *instrument == name);
    let packages = own.map(|(_, package)| *package).chain(["tutor"]);
    let path = Build::programs(packages).run()?.path(name)?;
    Err(become_it(&path, &given.arguments).into())
}
