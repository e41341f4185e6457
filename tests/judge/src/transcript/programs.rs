//! The programs that `cargo tutor run` may name, and how a transcript's shell finds them.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::place::Place;
use crate::arguments;
use lab::script::quoted;
use lab::subject::Launch;
use lab::wait::IN_SECONDS;

/// What the shell of a transcript has to know.
#[derive(Debug)]
pub struct TranscriptPrograms {
    lesson: String,
    programs: Vec<Program>,
    learner: Option<Learner>,
}

/// Somebody who practises: the tutor's other commands run, too, and work is done in a folder of its own.
#[derive(Debug, Clone)]
pub struct Learner {
    pub tutor: PathBuf,
    pub folder: PathBuf,
}

impl Learner {
    /// How many seconds a check waits for what must happen: on such a page it does not.
    const PATIENCE: u32 = 1;

    /// What the shell has to know.
    fn prelude(&self) -> String {
        let (folder, tutor) = (&self.folder.display(), self.tutor.display().to_string());
        format!(
            "cd {}\nexport READINESS_WORK={} {IN_SECONDS}={}\ntutor() {{ {} \"$@\"; }}\n",
            quoted(&folder.to_string()),
            quoted(&format!("{folder}/work")),
            Self::PATIENCE,
            quoted(&tutor)
        )
    }
}

#[derive(Debug)]
struct Program {
    name: String,
    path: PathBuf,
    /// The address that a server listens on unless it is told another.
    listens: Option<String>,
}

impl TranscriptPrograms {
    /// Asks each program for its default address with `--help`.
    pub fn new(
        lesson: &str,
        programs: &[(String, PathBuf)],
        learner: Option<Learner>,
    ) -> io::Result<Self> {
        let mut known = Vec::new();
        for (name, path) in programs {
            let listens = default_address(path)?;
            known.push(Program { name: name.clone(), path: path.clone(), listens });
        }
        Ok(Self { lesson: lesson.to_owned(), programs: known, learner })
    }

    /// A shell function `cargo` that runs the registered programs, each server at `place`.
    pub fn prelude(&self, place: &Place) -> String {
        let mut prelude = self.learner.as_ref().map(Learner::prelude).unwrap_or_default();
        let other =
            if self.learner.is_some() { "'tutor '*) shift; tutor \"$@\"; return ;;" } else { "" };
        let _ = write!(
            prelude,
            "cargo() {{\n\
             case \"$1 $2\" in 'tutor run') ;; \
             'tutor peer') echo 'transcript: a peer is a command of its own: no pipe, no &' >&2; \
             return 2 ;; {other} \
             *) echo \"transcript: cannot run: cargo $*\" >&2; return 2 ;; esac\n\
             wanted=$3; shift 3\n\
             if [ \"$1\" = --mistake ]; then wanted=\"$wanted --mistake $2\"; shift 2; fi\n\
             if [ \"$1\" = -- ]; then shift; fi\n\
             listen=yes; for argument in \"$@\"; do \
             case $argument in --listen|--listen=*) listen=no ;; esac; done\n\
             case $wanted in\n",
        );
        for (at, program) in self.programs.iter().enumerate() {
            let mut names = quoted(&program.name);
            if at == 0 {
                for name in lesson_names(&self.lesson) {
                    names = names + "|" + &quoted(&name);
                }
            }
            let path = quoted(&program.path.display().to_string());
            let _ = write!(prelude, "{names}) ");
            if let Some(address) = &program.listens {
                let address = place.moved(address);
                let _ = write!(
                    prelude,
                    "if [ $listen = yes ]; then set -- --listen {address} \"$@\"; fi; "
                );
            }
            let _ = writeln!(prelude, "{path} \"$@\" ;;");
        }
        prelude
            + "*) echo \"transcript: this page's test has no program $wanted\" >&2; return 2 ;;\n\
               esac\n}\n"
    }
}

/// `03-select` is also `03`, `3` and `select`.
fn lesson_names(lesson: &str) -> Vec<String> {
    let mut names = vec![lesson.to_owned()];
    if let Some((number, name)) = lesson.split_once('-') {
        names.extend([number.to_owned(), name.to_owned()]);
        let plain = number.trim_start_matches('0');
        if !plain.is_empty() && plain != number {
            names.push(plain.to_owned());
        }
    }
    names
}

/// What the program's help says about the address that it listens on.
fn default_address(path: &PathBuf) -> io::Result<Option<String>> {
    let program = Launch::new(path).arg("--help").start()?;
    let mut help = String::new();
    while let Some(line) = program.line()? {
        help = help + &line + "\n";
    }
    Ok(arguments::default_address(&help))
}
