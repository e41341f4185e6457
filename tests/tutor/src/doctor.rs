//! `doctor`: what this machine has and lacks, what it is needed for, and how to get it.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anstyle::AnsiColor;
use cli::failure::Failure;
use cli::mdbook;
use cli::screen::Screen;
use lab::probe;
use nix::sys::resource::{Resource, getrlimit};

/// The oldest kernel on which the lessons' programs do what the pages say.
const KERNEL: (u32, u32) = (5, 4);

/// What the checks of 05 to 07 need: 2,000 clients and the rest of the program.
const DESCRIPTORS: u64 = 2200;

/// One line of the report.
struct Finding {
    name: &'static str,
    /// What was found, or why not.
    state: Result<String, String>,
    needed_for: &'static str,
    remedy: &'static str,
    optional: bool,
}

pub fn run(screen: &mut Screen) -> Result<(), Failure> {
    let findings: Vec<Finding> = [system(), permissions(), tools()].into_iter().flatten().collect();
    for finding in &findings {
        tell(screen, finding)?;
    }
    let missing = |finding: &&Finding| finding.state.is_err() && !finding.optional;
    let count = findings.iter().filter(missing).count();
    screen.line("")?;
    if count == 0 {
        screen.heading("everything that the course needs is here")?;
        return Ok(());
    }
    screen.heading(format_args!("{count} of the things that the course needs are missing"))?;
    Err(Failure::Told)
}

fn tell(screen: &mut Screen, finding: &Finding) -> io::Result<()> {
    let Finding { name, state, needed_for, remedy, optional } = finding;
    let (word, color, found) = match state {
        Ok(found) => ("ok", AnsiColor::Green, found),
        Err(why) if *optional => ("missing", AnsiColor::Yellow, why),
        Err(why) => ("missing", AnsiColor::Red, why),
    };
    let color = color.on_default();
    let optional = if *optional { " (optional)" } else { "" };
    let line =
        format!("{color}{word:<7}{color:#}  {name:<18}  {found}; for {needed_for}{optional}");
    screen.line(line)?;
    if state.is_err() {
        screen.line(format_args!("{:27}  get it: {remedy}", ""))?;
    }
    Ok(())
}

fn system() -> Vec<Finding> {
    let machine = std::env::consts::ARCH;
    vec![
        Finding {
            name: "kernel",
            state: kernel(),
            needed_for: "what the pages say of it",
            remedy: "a newer Linux, or the dev container on one",
            optional: false,
        },
        Finding {
            name: "processor",
            state: match machine {
                "x86_64" | "aarch64" => Ok(machine.to_owned()),
                other => Err(format!("{other} was never tried")),
            },
            needed_for: "system calls' numbers and layouts",
            remedy: "a machine with x86-64 or aarch64",
            optional: false,
        },
        Finding {
            name: "descriptors",
            state: descriptors(),
            needed_for: "the checks of 05 to 07: 2,000 clients",
            remedy: "raise the hard limit, as root: `ulimit -Hn 4096`, or nofile in \
                     /etc/security/limits.conf",
            optional: false,
        },
        Finding {
            name: "127.0.0.0/8",
            state: loopback(Ipv4Addr::new(127, 9, 8, 7)),
            needed_for: "every lesson",
            remedy: "bring loopback up, as root: `ip link set lo up`",
            optional: false,
        },
        Finding {
            name: "::1",
            state: loopback(Ipv6Addr::LOCALHOST),
            needed_for: "IPv6 in 01 and 08",
            remedy: "as root: `sysctl net.ipv6.conf.lo.disable_ipv6=0`",
            optional: true,
        },
    ]
}

fn permissions() -> Vec<Finding> {
    vec![
        Finding {
            name: "ptrace",
            state: allowed(probe::witness()),
            needed_for: "`trace`, and the checks of how each lesson waits",
            remedy: "as root: `sysctl kernel.yama.ptrace_scope=1`; in a container: \
                     `--cap-add=SYS_PTRACE`; or leave those checks out: \
                     `READINESS_ALLOW_MISSING=ptrace cargo test --workspace`",
            optional: false,
        },
        Finding {
            name: "user namespaces",
            state: allowed(probe::network()),
            needed_for: "networks of one's own: checks of 01 and 08, two rows of 09, `packets` live",
            remedy: "as root: `sysctl kernel.apparmor_restrict_unprivileged_userns=0` or \
                     `sysctl user.max_user_namespaces=1000`; in a container: a seccomp profile \
                     that allows unshare; or leave those checks out: \
                     `READINESS_ALLOW_MISSING=userns cargo test --workspace`",
            optional: false,
        },
    ]
}

fn tools() -> Vec<Finding> {
    let tool = |name, path: Option<PathBuf>, needed_for, remedy, optional| Finding {
        name,
        state: version(path.unwrap_or_else(|| name.into())),
        needed_for,
        remedy,
        optional,
    };
    let cargo = std::env::var_os("CARGO").map(PathBuf::from);
    vec![
        tool("cargo", cargo, "building the lessons", "https://rustup.rs", false),
        tool("cc", None, "linking them", "your system's package gcc or clang", false),
        tool("git", None, "getting newer lessons", "your system's package git", true),
        tool("mdbook", mdbook::installed(), "the book", "`cargo tutor book` installs it", true),
        tool("just", None, "short names for long commands", "`cargo install just`", true),
        tool(
            "cargo-nextest",
            None,
            "running the tests faster",
            "`cargo install cargo-nextest --locked`",
            true,
        ),
    ]
}

fn kernel() -> Result<String, String> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").map_err(|e| e.to_string())?;
    let release = release.trim();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok());
    let version = (numbers.next().unwrap_or(0_u32), numbers.next().unwrap_or(0_u32));
    let told = format!("Linux {release}");
    if version >= KERNEL { Ok(told) } else { Err(format!("{told} is older than 5.4")) }
}

fn descriptors() -> Result<String, String> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).map_err(|errno| errno.to_string())?;
    let told = format!("soft limit {soft}, hard limit {hard}");
    // The programs raise the soft limit themselves.
    if hard >= DESCRIPTORS { Ok(told) } else { Err(told) }
}

fn loopback(address: impl Into<std::net::IpAddr>) -> Result<String, String> {
    let address = address.into();
    let connected = probe::loopback(address).map_err(|error| format!("{address}: {error}"));
    connected.map(|()| format!("{address} answers"))
}

fn allowed(tried: Result<(), String>) -> Result<String, String> {
    tried.map(|()| "allowed".to_owned()).map_err(|error| format!("not allowed: {error}"))
}

/// The first line of `PROGRAM --version`.
fn version(program: PathBuf) -> Result<String, String> {
    let ran = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let output = ran.map_err(|_| "not found".to_owned())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next().filter(|_| output.status.success());
    line.map(str::to_owned).ok_or_else(|| "does not run".to_owned())
}
