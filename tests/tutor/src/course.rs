//! The lessons of the course, and how a person names one.

use std::fmt;

/// One lesson: a crate in `chapters/`, a page of the same name, and its programs.
pub struct Lesson {
    pub number: u8,
    pub name: &'static str,
    pub idea: &'static str,
    /// The first one is the lesson's default.
    pub programs: &'static [&'static str],
}

/// All lessons, in the order of the course.
pub const LESSONS: [Lesson; 9] = [
    Lesson {
        number: 1,
        name: "blocking-connect",
        idea: "connect sleeps until the kernel knows",
        programs: &["blocking-connect"],
    },
    Lesson {
        number: 2,
        name: "blocking-server",
        idea: "one blocked read stops everybody",
        programs: &["blocking-server", "threaded-server"],
    },
    Lesson {
        number: 3,
        name: "select",
        idea: "ask about many clients at once",
        programs: &["select-server"],
    },
    Lesson {
        number: 4,
        name: "nonblocking-io",
        idea: "never wait in read or write",
        programs: &["nonblocking-server"],
    },
    Lesson {
        number: 5,
        name: "poll",
        idea: "an array instead of bits: no 1,024",
        programs: &["poll-server"],
    },
    Lesson {
        number: 6,
        name: "epoll-lt",
        idea: "told only about the ready ones",
        programs: &["epoll-lt-server"],
    },
    Lesson {
        number: 7,
        name: "epoll-et",
        idea: "told once per change: you owe the rest",
        programs: &["epoll-et-server"],
    },
    Lesson {
        number: 8,
        name: "nonblocking-connect",
        idea: "many connects at once, one deadline",
        programs: &["nonblocking-connect"],
    },
    Lesson {
        number: 9,
        name: "readiness",
        idea: "what each call reports, on your kernel",
        programs: &["readiness-table"],
    },
];

impl Lesson {
    /// The package in the workspace.
    pub fn package(&self) -> String {
        format!("ch{self}")
    }

    fn is_called(&self, name: &str) -> bool {
        let name = name.strip_prefix("ch").unwrap_or(name);
        name.parse() == Ok(self.number) || name == self.name || name == self.to_string()
    }
}

/// The folder in `chapters/`: `03-select`.
impl fmt::Display for Lesson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{}", self.number, self.name)
    }
}

/// The lesson that is called `name`: by its number or its name.
pub fn lesson(name: &str) -> Option<&'static Lesson> {
    LESSONS.iter().find(|lesson| lesson.is_called(name))
}

/// The program that is called `name`, by its own name or its lesson's, with its lesson.
pub fn program(name: &str) -> Option<(&'static Lesson, &'static str)> {
    let by_program = LESSONS.iter().find_map(|lesson| {
        let program = lesson.programs.iter().find(|&&program| program == name)?;
        Some((lesson, *program))
    });
    by_program.or_else(|| lesson(name).map(|lesson| (lesson, lesson.programs[0])))
}

/// Every name of a lesson, and of a program if `programs`.
pub fn names(programs: bool) -> Vec<String> {
    let mut names: Vec<String> = LESSONS.iter().map(|lesson| lesson.name.to_owned()).collect();
    names.extend(LESSONS.iter().map(Lesson::to_string));
    if programs {
        let all = LESSONS.iter().flat_map(|lesson| lesson.programs);
        names.extend(all.map(|&program| program.to_owned()));
    }
    names
}
