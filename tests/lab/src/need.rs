//! What a machine may forbid; [`probe`](crate::probe) looks for it before it is needed.
//!
//! A test whose need is forbidden is ignored, with a sentence that names the setting. Where nothing may
//! be ignored, the environment variable `READINESS_REQUIRE` lists the needs, for instance
//! `userns,ptrace`: there such a test fails.

use std::fmt;
use std::io::{self, ErrorKind};

use serde::{Deserialize, Serialize};

/// The variable that lists what must be allowed.
pub const REQUIRE: &str = "READINESS_REQUIRE";

/// Something that a machine may forbid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// A user and network namespace made without root: `user_namespaces(7)`.
    UserNamespaces,
    /// Tracing one's own child: ptrace(2).
    Ptrace,
    /// As many open descriptors as the checks with many clients take: `RLIMIT_NOFILE`, getrlimit(2).
    Descriptors,
    /// More threads or processes than a limit allows: `RLIMIT_NPROC`, `RLIMIT_AS`, `pids.max`.
    Threads,
    /// The address `::1`.
    Ipv6,
    /// An accept queue for a thousand: `net.core.somaxconn`, listen(2).
    Backlog,
    /// Ports that need a privilege: `net.ipv4.ip_unprivileged_port_start`, ip(7).
    LowPorts,
}

/// What the checks with many clients take on either side when they run at the same time, and some to
/// spare.
pub const DESCRIPTORS: u64 = 4096;

/// How many connections the accept queue is tried with.
pub const BACKLOG: u32 = 1000;

/// What an `io::Error` of kind `Unsupported` holds: the need, and the sentence with the setting.
#[derive(Debug)]
struct Missing {
    need: Need,
    why: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Missing {}

impl Need {
    /// Its name in the variable [`REQUIRE`].
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UserNamespaces => "userns",
            Self::Ptrace => "ptrace",
            Self::Descriptors => "descriptors",
            Self::Threads => "threads",
            Self::Ipv6 => "ipv6",
            Self::Backlog => "backlog",
            Self::LowPorts => "ports",
        }
    }

    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::UserNamespaces,
        Self::Ptrace,
        Self::Descriptors,
        Self::Threads,
        Self::Ipv6,
        Self::Backlog,
        Self::LowPorts,
    ];

    /// The needs whose names stand in the environment variable [`REQUIRE`], with commas between them:
    /// where one of them is forbidden, what needs it fails.
    ///
    /// # Errors
    ///
    /// A sentence, when a name is none of them.
    pub fn required() -> Result<Vec<Self>, String> {
        Self::listed(&std::env::var(REQUIRE).unwrap_or_default())
    }

    fn listed(list: &str) -> Result<Vec<Self>, String> {
        let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let known = |name: &str| Self::ALL.into_iter().find(|need| need.name() == name);
        names
            .map(|name| {
                known(name).ok_or_else(|| {
                    let all = Self::ALL.map(Self::name).join(", ");
                    format!("{REQUIRE}: there is no need {name:?}; there are: {all}")
                })
            })
            .collect()
    }

    /// The error, of kind `Unsupported`, of something that this environment forbids; `why` is a
    /// sentence that names the setting.
    #[must_use]
    pub fn missing(self, why: impl Into<String>) -> io::Error {
        io::Error::new(ErrorKind::Unsupported, Missing { need: self, why: why.into() })
    }

    /// Which need an error is about: one that [`Need::missing`] made. An errno that std calls
    /// unsupported, `ENOSYS` for instance, is about none.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        let inner = error.get_ref()?.downcast_ref::<Missing>()?;
        Some(inner.need)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_needs_and_nothing_else() {
        assert_eq!(Need::listed(""), Ok(vec![]));
        assert_eq!(Need::listed("userns, ptrace,"), Ok(vec![Need::UserNamespaces, Need::Ptrace]));
        let error = Need::listed("userns,namespaces").unwrap_err();
        assert!(error.contains("no need \"namespaces\"; there are: userns, ptrace,"), "{error}");
    }

    #[test]
    fn each_need_has_a_place_of_its_own() {
        for (at, need) in Need::ALL.into_iter().enumerate() {
            assert_eq!(need as usize, at);
        }
    }
}
