//! `doctor`: what this machine has and lacks, what it is needed for, and how to get it.

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anstyle::AnsiColor;
use cli::exit::EarlyExit;
use cli::mdbook;
use cli::screen::Screen;
use lab::need::{Need, REQUIRE};
use lab::probe;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// The oldest kernel on which the lessons and their checks were run: `cargo course kernels`.
const KERNEL: (u32, u32) = (5, 10);

/// One line of the report.
struct Finding {
    name: &'static str,
    state: State,
    needed_for: &'static str,
    remedy: &'static str,
}

/// What was found, or why not.
enum State {
    Ok(String),
    Missing(String),
    /// Missing, and one can do without.
    Optional(String),
    /// Tests that need it are left out.
    Forbidden(String),
}

impl State {
    fn needed(found: Result<String, String>) -> Self {
        found.map_or_else(Self::Missing, Self::Ok)
    }

    fn optional(found: Result<String, String>) -> Self {
        found.map_or_else(Self::Optional, Self::Ok)
    }
}

pub fn run(screen: &mut Screen) -> Result<(), EarlyExit> {
    let required = Need::required().map_err(EarlyExit::Arguments)?;
    let needs = Need::ALL.map(|need| (need, of_need(need)));
    let forbidden: Vec<Need> = needs
        .iter()
        .filter(|(_, finding)| matches!(finding.state, State::Forbidden(_)))
        .map(|(need, _)| *need)
        .collect();
    let findings: Vec<Finding> =
        system().into_iter().chain(needs.map(|(_, finding)| finding)).chain(tools()).collect();
    for finding in &findings {
        tell(screen, finding)?;
    }
    let missing = findings.iter().filter(|it| matches!(it.state, State::Missing(_))).count();
    screen.line("")?;
    if !forbidden.is_empty() {
        let names = forbidden.iter().map(|need| need.name()).collect::<Vec<_>>().join(", ");
        screen.paragraph(format_args!(
            "Forbidden here: {names}. Tests that need one of these are ignored, and say why; where \
             {REQUIRE} lists it, they fail."
        ))?;
        screen.line("")?;
    }
    let required = forbidden.iter().filter(|need| required.contains(need)).count();
    match missing + required {
        0 => {
            screen.heading("everything that the course needs is here")?;
            Ok(())
        }
        count => {
            screen
                .heading(format_args!("{count} of the things that the course needs are missing"))?;
            Err(EarlyExit::Told)
        }
    }
}

fn tell(screen: &mut Screen, finding: &Finding) -> io::Result<()> {
    let Finding { name, state, needed_for, remedy } = finding;
    let (word, color, found) = match state {
        State::Ok(found) => ("ok", AnsiColor::Green, found),
        State::Optional(why) => ("missing", AnsiColor::Yellow, why),
        State::Forbidden(why) => ("forbidden", AnsiColor::Yellow, why),
        State::Missing(why) => ("missing", AnsiColor::Red, why),
    };
    let color = color.on_default();
    let optional = if matches!(state, State::Optional(_)) { " (optional)" } else { "" };
    let line =
        format!("{color}{word:<9}{color:#}  {name:<15}  {found}; for {needed_for}{optional}");
    screen.line(line)?;
    if !matches!(state, State::Ok(_)) {
        screen.line(format_args!("{:26}  get it: {remedy}", ""))?;
    }
    Ok(())
}

fn system() -> Vec<Finding> {
    let machine = std::env::consts::ARCH;
    let known = match machine {
        "x86_64" | "aarch64" => Ok(machine.to_owned()),
        other => Err(format!("{other} was never tried")),
    };
    let room = lab::confine::possible()
        .map(|()| "processes and files apart".to_owned())
        .map_err(|error| format!("{error}; limits and a filter of system calls are there"));
    let loopback = Ipv4Addr::new(127, 9, 8, 7);
    let answers = probe::loopback(loopback)
        .map(|()| format!("{loopback} answers"))
        .map_err(|error| format!("{loopback}: {error}"));
    vec![
        Finding {
            name: "kernel",
            state: State::needed(kernel()),
            needed_for: "what the pages say of it",
            remedy: "a newer Linux, or the dev container on one",
        },
        Finding {
            name: "processor",
            state: State::needed(known),
            needed_for: "system calls' numbers and layouts",
            remedy: "a machine with x86-64 or aarch64",
        },
        Finding {
            name: "127.0.0.0/8",
            state: State::needed(answers),
            needed_for: "every lesson",
            remedy: "bring loopback up, as root: `ip link set lo up`",
        },
        Finding {
            name: "room",
            state: State::optional(room),
            needed_for: "programs that are judged",
            remedy: "what user namespaces need, and a container that does not cover parts of /proc",
        },
    ]
}

fn of_need(need: Need) -> Finding {
    let (name, needed_for, remedy) = match need {
        Need::UserNamespaces => (
            "user namespaces",
            "networks of one's own: checks of 01 and 08, two rows of 09, `packets` live",
            "as root: `sysctl kernel.apparmor_restrict_unprivileged_userns=0` or \
             `sysctl user.max_user_namespaces=1000`; in a container: a seccomp profile that allows \
             unshare",
        ),
        Need::Ptrace => (
            "ptrace",
            "`trace`, and the checks of how each lesson waits",
            "as root: `sysctl kernel.yama.ptrace_scope=1`; in a container: `--cap-add=SYS_PTRACE`",
        ),
        Need::Descriptors => (
            "descriptors",
            "checks with up to 2,000 clients",
            "raise the hard limit, as root: `ulimit -Hn 4096`, or nofile in \
             /etc/security/limits.conf",
        ),
        Need::Threads => (
            "threads",
            "experiments with hundreds of threads or processes",
            "raise the limit: `ulimit -u`, or pids.max of the container",
        ),
        Need::Ipv6 => {
            ("::1", "IPv6 in 01 to 08", "as root: `sysctl net.ipv6.conf.lo.disable_ipv6=0`")
        }
        Need::Backlog => (
            "accept queue",
            "the check of a crowd at once",
            "as root: `sysctl net.core.somaxconn=4096`",
        ),
        Need::LowPorts => (
            "low ports",
            "the check of a port that needs a privilege",
            "as root: `sysctl net.ipv4.ip_unprivileged_port_start=1024`",
        ),
    };
    let state = match probe::look(need) {
        Ok(()) => State::Ok(found(need)),
        Err(error) => State::Forbidden(error.to_string()),
    };
    Finding { name, state, needed_for, remedy }
}

/// What was found where a need is allowed.
fn found(need: Need) -> String {
    match need {
        Need::Descriptors => limits(Resource::RLIMIT_NOFILE),
        // Whether they are enough is seen by who takes them.
        Need::Threads => limits(Resource::RLIMIT_NPROC),
        Need::Ipv6 => "it answers".to_owned(),
        Need::Backlog => format!("room for {}", lab::need::BACKLOG),
        Need::UserNamespaces | Need::Ptrace => "allowed".to_owned(),
        Need::LowPorts => "there are some".to_owned(),
    }
}

/// The programs raise the soft limit themselves where they must.
fn limits(of: Resource) -> String {
    let number = |limit| match limit {
        RLIM_INFINITY => "none".to_owned(),
        limit => limit.to_string(),
    };
    match getrlimit(of) {
        Ok((soft, hard)) => format!("soft limit {}, hard limit {}", number(soft), number(hard)),
        Err(errno) => errno.to_string(),
    }
}

fn tools() -> Vec<Finding> {
    let tool = |name, path: Option<PathBuf>, needed_for, remedy, state: fn(_) -> State| Finding {
        name,
        state: state(version(path.unwrap_or_else(|| name.into()))),
        needed_for,
        remedy,
    };
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    let (needed, optional) = (State::needed, State::optional);
    vec![
        tool("cargo", cargo, "building the lessons", "https://rustup.rs", needed),
        tool("cc", None, "linking them", "your system's package gcc or clang", needed),
        tool("git", None, "getting newer lessons", "your system's package git", optional),
        tool("mdbook", mdbook::installed(), "the book", "`cargo tutor book` installs it", optional),
        tool("just", None, "short names for long commands", "`cargo install just`", optional),
        tool(
            "cargo-nextest",
            None,
            "running the tests faster",
            "`cargo install cargo-nextest --locked`",
            optional,
        ),
    ]
}

fn kernel() -> Result<String, String> {
    let told = format!("Linux {}", lab::kernel::release());
    let (major, minor) = KERNEL;
    if lab::kernel::is_before(major, minor) {
        return Err(format!(
            "{told} is older than {major}.{minor}, the oldest that the course was run on: some of what the \
             book says may be otherwise here"
        ));
    }
    Ok(told)
}

/// The first line of `PROGRAM --version`.
fn version(program: PathBuf) -> Result<String, String> {
    let ran = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = ran.map_err(|_| "not found".to_owned())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().filter(|_| output.status.success());
    line.map(str::to_owned).ok_or_else(|| "does not run".to_owned())
}
