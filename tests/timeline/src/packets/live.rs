//! A lesson's scenes, live: all of them at once, told one after the other.

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvError, RecvTimeoutError};
use std::time::Duration;

use cli::exit::EarlyExit;
use cli::screen::Screen;
use cli::syllabus::Lesson;
use lab::limits;

use super::exchange::{Exchange, Exchanges};
use super::scenes::Met;
use super::{recorded, run, show};

/// What has not come by then is announced: a person should know what is waited for.
const SOON: Duration = Duration::from_millis(250);

/// Every scene is under way at the same time, each in a network of its own.
pub(super) struct Live {
    scenes: Vec<Met>,
    news: Vec<Receiver<News>>,
}

/// What a scene's thread has to say.
enum News {
    /// The program runs: this machine can make such a network.
    Begun,
    /// It is over, or it never began.
    Ended(io::Result<Exchange>),
}

impl Live {
    /// Starts all of them.
    pub(super) fn start(scenes: Vec<Met>, program: &Path) -> Self {
        let start = |met: &Met| {
            let (sender, news) = mpsc::channel();
            let (met, program) = (met.clone(), program.to_owned());
            let others = sender.clone();
            let started = limits::thread(move || {
                // If nobody listens any more, nobody needs to be told.
                let begun = || drop(sender.send(News::Begun));
                let exchange = run::exchange(&met, &program, begun);
                drop(sender.send(News::Ended(exchange.map_err(limits::explain))));
            });
            if let Err(error) = started {
                drop(others.send(News::Ended(Err(error))));
            }
            news
        };
        let news = scenes.iter().map(start).collect();
        Self { scenes, news }
    }

    /// Tells each exchange as soon as it and those before it are over. What this machine forbids is
    /// shown from the recording.
    pub(super) fn tell(self, screen: &mut Screen, recording: &Exchanges) -> Result<(), EarlyExit> {
        let mut said = Vec::new();
        let mut failed = false;
        let mut live = false;
        let count = self.scenes.len();
        for (met, news) in self.scenes.into_iter().zip(self.news) {
            let mut latest = news.recv();
            if let Ok(News::Begun) = latest {
                if !live {
                    show::live(screen, &lab::kernel::numbers(), count)?;
                    live = true;
                }
                latest = match news.recv_timeout(SOON) {
                    Err(RecvTimeoutError::Timeout) => {
                        show::waiting(screen, &met)?;
                        news.recv()
                    }
                    soon => soon.map_err(|_| RecvError),
                };
            }
            let scene = met.scene;
            match ended(latest) {
                Ok(exchange) => show::exchange(screen, scene, "", &exchange)?,
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    let words = error.to_string();
                    if !said.contains(&words) {
                        show::missing(screen, &words, recording)?;
                        said.push(words);
                    }
                    let exchange = recorded::exchange(recording, scene)?;
                    show::exchange(screen, scene, recorded::LABEL, exchange)?;
                }
                Err(error) => {
                    show::failed(screen, scene, &error)?;
                    failed = true;
                }
            }
        }
        if failed { Err(EarlyExit::Told) } else { Ok(()) }
    }

    /// All exchanges together; or the recording, if this machine forbids to make them.
    pub(super) fn collect(
        self,
        lesson: &Lesson,
        recording: &Exchanges,
    ) -> Result<Exchanges, EarlyExit> {
        let last = |news: Receiver<News>| ended(news.iter().last().ok_or(RecvError));
        let exchanges: io::Result<Vec<Exchange>> = self.news.into_iter().map(last).collect();
        match exchanges {
            Ok(exchanges) => {
                let (lesson, kernel) = (lesson.to_string(), lab::kernel::numbers());
                Ok(Exchanges { lesson, kernel, recorded: false, exchanges })
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                let _ = writeln!(io::stderr(), "{error}\nthis is the recorded run instead");
                Ok(recording.clone())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn ended(news: Result<News, RecvError>) -> io::Result<Exchange> {
    match news {
        Ok(News::Ended(exchange)) => exchange,
        Ok(News::Begun) | Err(RecvError) => Err(io::Error::other("its thread ended early")),
    }
}
