//! What the limits of a process refuse, told with what can be done about it.

use std::io;
use std::thread::{Builder, JoinHandle};

use nix::errno::Errno;

/// The same error; with the limit's name, if it says that no descriptor is left: `EMFILE`, `ENFILE`.
#[must_use]
pub fn explain(error: io::Error) -> io::Error {
    let setting = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EMFILE) => "this process may have more with `ulimit -n 1024`",
        Some(Errno::ENFILE) => "the whole machine has none left: fs.file-max",
        _ => return error,
    };
    io::Error::new(error.kind(), format!("no descriptor is left ({error}): {setting}"))
}

/// [`explain`] for the start of a thread or a process, which other limits refuse, too: `EAGAIN`,
/// `ENOMEM`.
#[must_use]
pub fn explain_start(error: io::Error) -> io::Error {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::EAGAIN | Errno::ENOMEM) => io::Error::new(
            error.kind(),
            format!(
                "no thread or process can be started ({error}): a limit is too low: ulimit -u or \
                 -v, or a container's (pids.max)"
            ),
        ),
        _ => explain(error),
    }
}

/// Starts a thread. Other than `std::thread::spawn` it does not panic where a limit forbids it.
///
/// # Errors
///
/// A sentence that names the limits: `RLIMIT_NPROC`, getrlimit(2).
pub fn thread<T: Send + 'static>(
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().spawn(body).map_err(explain_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_told_with_what_to_do_and_other_errors_stay() {
        let said = |errno: Errno, explain: fn(io::Error) -> io::Error| {
            explain(io::Error::from_raw_os_error(errno as i32)).to_string()
        };
        for (errno, words) in [(Errno::EMFILE, "ulimit -n"), (Errno::ENFILE, "fs.file-max")] {
            assert!(said(errno, explain).contains(words));
            assert!(said(errno, explain_start).contains(words));
        }
        // Of a read or a connect EAGAIN is no limit.
        assert!(!said(Errno::EAGAIN, explain).contains("ulimit"));
        assert!(said(Errno::EAGAIN, explain_start).contains("ulimit -u"));
        let other = io::Error::from_raw_os_error(Errno::ECONNREFUSED as i32);
        assert_eq!(explain_start(other).raw_os_error(), Some(Errno::ECONNREFUSED as i32));
    }
}
