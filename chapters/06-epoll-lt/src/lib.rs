//! The events of epoll by their names. Chapter 07 tells its reports in the same words.

use std::fmt;

use nix::sys::epoll::EpollFlags;

/// Events by their names in epoll_ctl(2), without the prefix that they share: `IN|OUT`.
pub struct Names(pub EpollFlags);

impl fmt::Display for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.0.iter_names().map(|(name, _)| name.trim_start_matches("EPOLL"));
        f.write_str(&names.collect::<Vec<_>>().join("|"))
    }
}
