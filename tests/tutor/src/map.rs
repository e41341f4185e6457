//! The map of the course.

use std::io;

use cli::screen::Screen;
use cli::syllabus::Syllabus;

/// A line for each lesson, and what to type next.
pub fn show(syllabus: &Syllabus, screen: &mut Screen) -> io::Result<()> {
    screen.heading("readiness: how one thread serves many connections")?;
    screen.line("")?;
    for lesson in &syllabus.lessons {
        let (idea, programs) = (&lesson.idea, lesson.program_names());
        screen.line(format_args!("  {lesson:<22}  {idea:<38}  {programs}"))?;
    }
    screen.line("")?;
    for (command, what) in [
        ("cargo tutor demo 03", "watch one lesson's program with real clients"),
        ("cargo tutor run 03 -- -v", "run it yourself; -v tells every wait"),
        ("cargo tutor peer polite 127.0.0.1:7003", "be its client, in another terminal"),
        ("cargo tutor check 03 --program PATH", "judge a server of yours by the lesson's checks"),
        ("cargo tutor claims", "try on your kernel what web pages claim"),
        ("cargo tutor trace 03", "watch how it waits: its calls beside its clients"),
        ("cargo tutor packets 01", "see each outcome of a connect as packets on the wire"),
        ("cargo tutor book", "read the pages"),
        ("cargo tutor doctor", "what this machine has and lacks"),
    ] {
        screen.line(format_args!("  {command:<40}  {what}"))?;
    }
    screen.line("")?;
    screen.heading("start here: cargo tutor tour")
}
