//! `book`: serves the pages with mdBook.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use cli::exit::EarlyExit;
use cli::mdbook;
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

pub fn run(options: &BookOptions, screen: &mut Screen) -> Result<(), EarlyExit> {
    let mdbook = mdbook::installed_or_install()?;
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
