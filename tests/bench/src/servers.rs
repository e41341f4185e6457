//! The servers on trial: which there are, and how to build them.

use std::collections::HashMap;
use std::env;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Whether a server is the course's own or one that it is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A package of the course's workspace.
    Course(&'static str),
    /// A binary of this workspace.
    Peer,
    /// A file in src/peers/c, and what the C compiler is told besides -O2.
    C(&'static str, &'static [&'static str]),
}

/// A server on trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// The program's name.
    pub name: &'static str,
    /// Does it hold more than the 1,024 descriptors of an fd_set?
    pub many: bool,
    source: Source,
}

const fn server(name: &'static str, many: bool, source: Source) -> Candidate {
    Candidate { name, many, source }
}

/// All servers, in the order of the tables.
pub const ALL: [Candidate; 10] = [
    server("select-server", false, Source::Course("ch03-select")),
    server("nonblocking-server", false, Source::Course("ch04-nonblocking-io")),
    server("poll-server", true, Source::Course("ch05-poll")),
    server("epoll-lt-server", true, Source::Course("ch06-epoll-lt")),
    server("epoll-et-server", true, Source::Course("ch07-epoll-et")),
    server("c-poll", true, Source::C("poll.c", &[])),
    server("c-epoll", true, Source::C("epoll.c", &[])),
    server("c-epoll-et", true, Source::C("epoll.c", &["-DEDGE"])),
    server("mio-server", true, Source::Peer),
    server("tokio-server", true, Source::Peer),
];

/// Builds `servers` and returns where each one's program is.
///
/// # Errors
///
/// A sentence that says which build failed; the compiler's own words are on standard error.
pub fn build(servers: &[Candidate]) -> io::Result<HashMap<&'static str, PathBuf>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let course: Vec<_> = servers
        .iter()
        .filter_map(|server| match server.source {
            Source::Course(package) => Some(package),
            _ => None,
        })
        .flat_map(|package| ["--package", package])
        .collect();
    let mut built = HashMap::new();
    if !course.is_empty() {
        built.extend(cargo(&here.join("../.."), &course)?);
    }
    if servers.iter().any(|server| server.source == Source::Peer) {
        built.extend(cargo(here, &[])?);
    }
    let mut paths = HashMap::new();
    for server in servers {
        let path = match server.source {
            Source::C(file, flags) => compile(here, server.name, file, flags)?,
            _ => built.remove(server.name).ok_or_else(|| {
                io::Error::other(format!("cargo built no program named {}", server.name))
            })?,
        };
        paths.insert(server.name, path);
    }
    Ok(paths)
}

/// Builds the programs of a workspace and returns them by name. Cargo itself says where they are,
/// so CARGO_TARGET_DIR and its like are obeyed.
fn cargo(workspace: &Path, packages: &[&str]) -> io::Result<HashMap<String, PathBuf>> {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program)
        .args(["build", "--release", "--bins", "--message-format=json-render-diagnostics"])
        .args(packages)
        .current_dir(workspace)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot run cargo: {error}")))?;
    if !output.status.success() {
        let place = workspace.display();
        return Err(io::Error::other(format!("cargo build --release failed in {place}")));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let programs = messages.filter_map(|message| {
        let name = message["target"]["name"].as_str()?.to_owned();
        Some((name, PathBuf::from(message["executable"].as_str()?)))
    });
    Ok(programs.collect())
}

/// Compiles one C program with -O2, beside this program.
fn compile(here: &Path, name: &str, file: &str, flags: &[&str]) -> io::Result<PathBuf> {
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let path = env::current_exe()?.with_file_name(name);
    let status = Command::new(&compiler)
        .args(["-std=gnu11", "-O2", "-Wall", "-Wextra"])
        .args(flags)
        .arg("-o")
        .arg(&path)
        .arg(here.join("src/peers/c").join(file))
        .status();
    let compiler = compiler.display();
    match status {
        Ok(status) if status.success() => Ok(path),
        Ok(_) => Err(io::Error::other(format!("{compiler} could not compile {file}"))),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(io::Error::other(format!(
            "no C compiler `{compiler}`: install one (Debian: apt install gcc libc6-dev) or name \
             one with CC, or leave the C peers out with --only"
        ))),
        Err(error) => Err(io::Error::new(error.kind(), format!("{compiler}: {error}"))),
    }
}
