//! `packets`: the handshake of each outcome, as it crosses the wire.

mod meaning;
mod recorded;
mod show;

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvError, RecvTimeoutError};
use std::time::Duration;

use cli::failure::Failure;
use cli::meant::unknown;
use cli::programs::Programs;
use cli::screen::Screen;
use cli::syllabus::{Lesson, Syllabus};
use lab::handshake::{self, Run, SITUATIONS_01, SITUATIONS_08, Situation, Story};
use lab::limits;

#[derive(clap::Args)]
pub struct Arguments {
    /// A lesson that connects: 01 or 08
    pub lesson: String,
    /// Only these situations: refused,silence
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    only: Vec<String>,
    /// Show the run that is kept with the course, and make none
    #[arg(long)]
    recorded: bool,
    /// Print the run as data
    #[arg(long)]
    json: bool,
}

pub fn run(screen: &mut Screen, arguments: &Arguments) -> Result<(), Failure> {
    let syllabus = Syllabus::read()?;
    let lesson = syllabus.lesson_meant(&arguments.lesson)?;
    let situations = match lesson.number() {
        "01" => SITUATIONS_01,
        "08" => SITUATIONS_08,
        _ => {
            let words = format!(
                "{lesson} has no packets to show: its program does not connect\n\
                 try: cargo tutor packets 01, or cargo tutor packets 08"
            );
            return Err(Failure::Arguments(words));
        }
    };
    let situations = chosen(situations, &arguments.only)?;
    let mut recording = recorded::of(lesson)?;
    recording.stories.retain(|story| situations.iter().any(|it| it.name == story.situation));
    if arguments.recorded {
        return if arguments.json { print(screen, &recording) } else { tell(screen, &recording) };
    }
    let program = Programs::of("tutor", [lesson])?.path(&lesson.programs[0].name)?;
    let stories = start(&situations, &program);
    let live = Live { situations, stories };
    if arguments.json {
        return live.collect(lesson, &recording).and_then(|run| print(screen, &run));
    }
    live.tell(screen, &recording)
}

/// The situations with these names; all, if none is named.
fn chosen(all: &'static [Situation], names: &[String]) -> Result<Vec<&'static Situation>, Failure> {
    let list = || all.iter().map(|situation| situation.name);
    for name in names {
        if !list().any(|known| known == name) {
            let words = unknown("situation", name, list());
            let list = list().collect::<Vec<_>>().join(", ");
            return Err(Failure::Arguments(format!("{words}\nthere are: {list}")));
        }
    }
    let is_chosen = |it: &&Situation| names.is_empty() || names.iter().any(|name| name == it.name);
    Ok(all.iter().filter(is_chosen).collect())
}

/// What has not come by then is announced: a person should know what is waited for.
const SOON: Duration = Duration::from_millis(250);

/// Every situation is under way at the same time, each in a network of its own.
struct Live {
    situations: Vec<&'static Situation>,
    stories: Vec<Receiver<News>>,
}

/// What a situation's thread has to say.
enum News {
    /// The program runs: this machine can make such a network.
    Begun,
    /// It is over, or it never began.
    Ended(io::Result<Story>),
}

fn start(situations: &[&'static Situation], program: &Path) -> Vec<Receiver<News>> {
    let start = |&situation: &&'static Situation| {
        let (sender, story) = mpsc::channel();
        let program = program.to_owned();
        let others = sender.clone();
        let started = limits::thread(move || {
            // If nobody listens any more, nobody needs to be told.
            let begun = || drop(sender.send(News::Begun));
            let story = handshake::show(situation, &program, begun);
            drop(sender.send(News::Ended(story.map_err(limits::explain))));
        });
        if let Err(error) = started {
            drop(others.send(News::Ended(Err(error))));
        }
        story
    };
    situations.iter().map(start).collect()
}

impl Live {
    /// Tells each story as soon as it and those before it are over. What this machine forbids is
    /// shown from the recording.
    fn tell(self, screen: &mut Screen, recording: &Run) -> Result<(), Failure> {
        let mut said = Vec::new();
        let mut failed = false;
        let mut live = false;
        let count = self.situations.len();
        for (situation, news) in self.situations.into_iter().zip(self.stories) {
            let mut latest = news.recv();
            if let Ok(News::Begun) = latest {
                if !live {
                    show::live(screen, &lab::kernel::numbers(), count)?;
                    live = true;
                }
                latest = match news.recv_timeout(SOON) {
                    Err(RecvTimeoutError::Timeout) => {
                        show::waiting(screen, situation)?;
                        news.recv()
                    }
                    soon => soon.map_err(|_| RecvError),
                };
            }
            match ended(latest) {
                Ok(story) => show::story(screen, situation, "", &story)?,
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    let words = error.to_string();
                    if !said.contains(&words) {
                        show::missing(screen, &words, recording)?;
                        said.push(words);
                    }
                    let story = recorded::story(recording, situation)?;
                    show::story(screen, situation, recorded::LABEL, story)?;
                }
                Err(error) => {
                    show::failed(screen, situation, &error)?;
                    failed = true;
                }
            }
        }
        if failed { Err(Failure::Told) } else { Ok(()) }
    }

    /// All stories as one run; or the recording, if this machine forbids to make one.
    fn collect(self, lesson: &Lesson, recording: &Run) -> Result<Run, Failure> {
        let last = |news: Receiver<News>| ended(news.iter().last().ok_or(RecvError));
        let stories: io::Result<Vec<Story>> = self.stories.into_iter().map(last).collect();
        match stories {
            Ok(stories) => {
                let lesson = lesson.to_string();
                Ok(Run { lesson, kernel: lab::kernel::numbers(), recorded: false, stories })
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let _ = writeln!(io::stderr(), "{error}\nthis is the recorded run instead");
                Ok(recording.clone())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn ended(news: Result<News, RecvError>) -> io::Result<Story> {
    match news {
        Ok(News::Ended(story)) => story,
        Ok(News::Begun) | Err(RecvError) => Err(io::Error::other("its thread ended early")),
    }
}

/// A run that was made before.
fn tell(screen: &mut Screen, run: &Run) -> Result<(), Failure> {
    show::recorded(screen, run)?;
    let situations = SITUATIONS_01.iter().chain(SITUATIONS_08);
    for story in &run.stories {
        let situation = situations.clone().find(|it| it.name == story.situation);
        let situation = situation.ok_or_else(|| {
            io::Error::other(format!("the recording has an unknown situation {}", story.situation))
        })?;
        show::story(screen, situation, recorded::LABEL, story)?;
    }
    Ok(())
}

fn print(screen: &mut Screen, run: &Run) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(run).map_err(io::Error::other)?;
    Ok(screen.line(text)?)
}
