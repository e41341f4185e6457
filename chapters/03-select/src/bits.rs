//! `--show-bits`: an `fd_set` as the kernel sees it, drawn.

use std::os::fd::AsRawFd;

use ch02_blocking_server::Narrator;
use nix::sys::select::FdSet;

/// Shows the lowest `count` bits of `set` on standard error; nothing if no count was asked for.
pub fn show(when: &str, set: &FdSet<'_>, count: Option<u16>) {
    if let Some(count) = count {
        Narrator::new(true).say(format_args!("{when} {}", draw(set, count.into())));
    }
}

/// The lowest `count` bits of `set`, descriptor 0 on the right, in groups of four.
fn draw(set: &FdSet<'_>, count: usize) -> String {
    let mut bits = vec!['0'; count];
    for fd in set.fds(None) {
        if let Some(bit) = usize::try_from(fd.as_raw_fd()).ok().and_then(|fd| bits.get_mut(fd)) {
            *bit = '1';
        }
    }
    let groups: Vec<String> = bits.chunks(4).map(|group| group.iter().rev().collect()).collect();
    groups.into_iter().rev().collect::<Vec<_>>().join(" ")
}
