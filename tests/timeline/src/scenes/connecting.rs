//! A program that connects meets each answer: somebody listens, nobody does, every packet is dropped.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use lab::clock::monotonic;
use lab::rig::{BlackHole, RefusingPort, accept_within};
use lab::subject::Running;
use lab::wait::patience;

use super::{OnTrial, SceneRun, of_program, run};
use crate::recording::{Did, PeerAction};

/// When a program that connects shall give up, in milliseconds.
const LIMIT: &str = "1000";

/// A run for each answer.
pub fn each_answer(program: OnTrial<'_>) -> io::Result<Vec<SceneRun>> {
    let named = |name: &str, mut run: SceneRun| {
        name.clone_into(&mut run.recording.name);
        run
    };
    Ok(vec![
        named("somebody listens", accepted(program)?),
        named("nobody listens", refused(program)?),
        named("every packet is dropped", unanswered(program)?),
    ])
}

fn accepted(program: OnTrial<'_>) -> io::Result<SceneRun> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = listener.local_addr()?.to_string();
    let mut peers = vec![is("open", Did::Listens(address.clone()))];
    let mut subject = connecting(program, &[&address])?;
    let wrong = |words: String| of_program(program.path, &io::Error::other(words));
    let stream = connection(&listener, &mut subject)
        .map_err(|error| wrong(format!("it did not connect to {address}: {error}")))?;
    peers.push(now("open", Did::Accepts));
    stream.set_read_timeout(Some(patience()))?;
    meet_end(stream).map_err(|error| {
        wrong(format!("{error}: a client closes its connection and ends by itself"))
    })?;
    peers.push(now("open", Did::MeetsEnd));
    ended(program, &mut subject, peers)
}

/// Reads until the client closes, which a program on trial may never do.
fn meet_end(mut stream: TcpStream) -> io::Result<()> {
    let late = || {
        io::Error::other(format!(
            "it did not close its connection within {patience:?}",
            patience = patience()
        ))
    };
    let start = Instant::now();
    let mut buffer = [0; 4096];
    while start.elapsed() < patience() {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            // With a timeout set, a stopped and continued process gets it too: signal(7).
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(late()),
            Err(error) => return Err(error),
        }
    }
    Err(late())
}

/// The connection of a program that connects, or that it has ended without one.
fn connection(listener: &TcpListener, subject: &mut Running) -> io::Result<TcpStream> {
    let start = Instant::now();
    loop {
        // It may have connected and ended at once: the look at its end comes first.
        let ended = subject.ended()?;
        match (accept_within(listener, A_LOOK), ended) {
            (Ok(stream), _) => return Ok(stream),
            (Err(_), Some(status)) => return Err(io::Error::other(format!("it ended ({status})"))),
            (Err(error), None) if start.elapsed() > patience() => return Err(error),
            (Err(_), None) => {}
        }
    }
}

/// How long a connection is waited for before the next look at whether the program has ended.
const A_LOOK: Duration = Duration::from_millis(100);

fn refused(program: OnTrial<'_>) -> io::Result<SceneRun> {
    let port = RefusingPort::new()?;
    let address = port.address().to_string();
    let peers = vec![is("closed", Did::Refuses(address.clone()))];
    let mut subject = connecting(program, &[&address])?;
    ended(program, &mut subject, peers)
}

fn unanswered(program: OnTrial<'_>) -> io::Result<SceneRun> {
    let hole = BlackHole::new()?;
    let address = hole.address().to_string();
    let peers = vec![is("hole", Did::Drops(address.clone()))];
    let mut subject = connecting(program, &["--timeout", LIMIT, &address])?;
    ended(program, &mut subject, peers)
}

/// One run with all of them at once.
pub fn all_answers(program: OnTrial<'_>) -> io::Result<SceneRun> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let open = listener.local_addr()?.to_string();
    let (port, hole) = (RefusingPort::new()?, BlackHole::new()?);
    let (closed, silent) = (port.address().to_string(), hole.address().to_string());
    let peers = vec![
        is("open", Did::Listens(open.clone())),
        is("closed", Did::Refuses(closed.clone())),
        is("hole", Did::Drops(silent.clone())),
    ];
    let addresses = ["--timeout", LIMIT, &open, &closed, &silent];
    let mut subject = connecting(program, &addresses)?;
    ended(program, &mut subject, peers)
}

/// What a peer is from the beginning.
fn is(who: &str, did: Did) -> PeerAction {
    PeerAction { at: 0, until: 0, who: who.to_owned(), did }
}

/// What a peer waited for, and when it came.
fn now(who: &str, did: Did) -> PeerAction {
    let at = monotonic();
    PeerAction { at, until: at, who: who.to_owned(), did }
}

fn connecting(program: OnTrial<'_>, more: &[&str]) -> io::Result<Running> {
    program.launch(more)?.start()
}

/// The run of a program that has ended, or shall within the lab's patience.
fn ended(
    program: OnTrial<'_>,
    subject: &mut Running,
    peers: Vec<PeerAction>,
) -> io::Result<SceneRun> {
    let wrong = |words: String| of_program(program.path, &io::Error::other(words));
    subject
        .exit_status()
        .map_err(|error| wrong(format!("{error}: a client ends by itself, with each answer")))?;
    let record = subject.record().ok_or_else(|| wrong("it was not witnessed".to_owned()))?;
    Ok(run(record, peers, None))
}
