//! What the start of a Rust program does, and what std sets on a listener.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::process::Command;

use lab::rig::option;
use lab::sockets::ANY_PORT;
use libc::{SO_REUSEADDR, SO_REUSEPORT, SOL_SOCKET};

use crate::experiments::child::child;
use crate::experiments::network::setting;
use crate::experiments::tcp::AcceptQueue;
use crate::seen::Seen;

/// C214: ignored in this program, which has done nothing for it; not in what it starts.
pub(super) fn sigpipe(seen: &mut Seen) -> io::Result<()> {
    let own = fs::read_to_string("/proc/self/status")?;
    seen.says("SIGPIPE in this program, which has never set it", disposition(&own)?, "ignored");
    let ended = child(|| {
        let own = fs::read_to_string("/proc/self/status");
        u8::from(own.and_then(|own| disposition(&own)).ok() != Some("ignored"))
    })?;
    let forked = if ended.end()? == "exit 0" { "ignored" } else { "not ignored" };
    seen.says("in a child that was only forked", forked, "ignored");
    let started = Command::new("cat").arg("/proc/self/status").output()?;
    let started = String::from_utf8_lossy(&started.stdout).into_owned();
    seen.says("in a program that Command starts", disposition(&started)?, "default");
    Ok(())
}

/// What a status file says of SIGPIPE: proc(5), `SigIgn` and `SigCgt`.
fn disposition(status: &str) -> io::Result<&'static str> {
    let has = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let mask = u64::from_str_radix(line.trim(), 16).ok()?;
        Some(mask & 1 << (libc::SIGPIPE - 1) != 0)
    };
    let missing = || io::Error::other("no signals in /proc/self/status");
    let (ignored, caught) = has("SigIgn:").zip(has("SigCgt:")).ok_or_else(missing)?;
    Ok(if ignored {
        "ignored"
    } else if caught {
        "caught"
    } else {
        "default"
    })
}

/// C215: its options and its backlog.
pub(super) fn bind(seen: &mut Seen) -> io::Result<()> {
    let listener = TcpListener::bind(ANY_PORT)?;
    let get = |name| option::get(&listener, SOL_SOCKET, name);
    seen.expect("TcpListener::bind: SO_REUSEADDR", get(SO_REUSEADDR)?, 1);
    seen.expect("SO_REUSEPORT", get(SO_REUSEPORT)?, 0);
    let most = setting("core/somaxconn")?.unwrap_or(4096);
    seen.note("net.core.somaxconn", most);
    seen.expect(
        "its backlog: 128, or less by somaxconn",
        u64::from(AcceptQueue::of(&listener)?.backlog),
        most.min(128),
    );
    Ok(())
}
