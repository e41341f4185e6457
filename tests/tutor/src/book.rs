//! `book`: finds mdBook, or installs the pinned version, and serves the pages.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use cli::failure::Failure;
use cli::screen::Screen;
use cli::syllabus::root;

#[derive(clap::Args)]
pub struct BookOptions {
    /// Where to serve it, on 127.0.0.1
    #[arg(long, value_name = "N", default_value_t = 3000, conflicts_with = "build")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Only build it, into book/book
    #[arg(long)]
    build: bool,
}

pub fn run(options: &BookOptions, screen: &mut Screen) -> Result<(), Failure> {
    let mdbook = installed_or_install()?;
    let mut command = Command::new(&mdbook);
    command.current_dir(root());
    if options.build {
        command.args(["build", "book"]);
    } else {
        let port = options.port;
        screen.heading(format_args!("the book: http://127.0.0.1:{port}/ (Ctrl-C ends it)"))?;
        command.args(["serve", "book", "--hostname", "127.0.0.1", "--port", &port.to_string()]);
    }
    let error = command.exec();
    Err(io::Error::new(error.kind(), format!("{}: {error}", mdbook.display())).into())
}

/// An mdBook of the pinned version, if there is one: in PATH, or in `.tools`.
pub fn installed() -> Option<PathBuf> {
    let output = find_mdbook().arg("--installed").stderr(Stdio::null()).output().ok()?;
    path_in(&output)
}

/// The same, installed into `.tools` first if there is none. What is done is told on standard error.
fn installed_or_install() -> Result<PathBuf, Failure> {
    let output = find_mdbook().stderr(Stdio::inherit()).output()?;
    let words = "mdBook could not be installed; the pages can be read as they are, in book/src";
    path_in(&output).ok_or_else(|| io::Error::other(words).into())
}

/// The script that the tests of the whole course use too: it knows the version.
fn find_mdbook() -> Command {
    let mut command = Command::new(root().join("tools/mdbook"));
    command.stdin(Stdio::null());
    command
}

fn path_in(output: &Output) -> Option<PathBuf> {
    let path = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| PathBuf::from(path.trim()))
}
