//! The servers that never wait in read or write, with a load on them: 04 to 07.

use std::io;
use std::time::Duration;

use cli::syllabus::Program;
use lab::peer::Client;
use lab::peer::by_hand;
use lab::shown;
use lab::subject::{Server, Told};
use lab::wait::patience;

use super::Demo;
use super::account::{Account, Who, ask, require};

/// When a polite client counts as answered in time: half a second, a busy machine included.
const IN_TIME: Duration = Duration::from_millis(500);

/// What the server may hold in memory while a client does not read.
const MEMORY: u64 = 60 * 1000 * 1000;

pub const LATE_READER: Demo = Demo {
    name: "late-reader",
    about: "Client A sends 16 MiB and does not read; client B asks all the while.",
    compares: false,
    show: |account| {
        let server = account.server(account.first()?, &[])?;
        let mut asking = account.client(Who::B, &server)?;
        let mut late = by_hand::named("late")?.start(server.address(), patience() * 3)?;
        let (mut worst, mut times, mut most) = (Duration::ZERO, 0, 0);
        while !account.follow(Who::A, &late)? {
            worst = worst.max(ask(&mut asking)?);
            times += 1;
            most = most.max(server.process().resident_bytes()?);
        }
        late.end()?;
        let worst_shown = shown::duration(worst);
        let answered = format!("asked {times} times, answered within {worst_shown} each time");
        account.say(Who::B, answered);
        let memory = format!("{} kB", most / 1000);
        account.say(Who::Kernel, format_args!("VmRSS of the server: at most {memory}"));
        require(worst < IN_TIME, || format!("B waited {worst_shown}"))?;
        require(most < MEMORY, || format!("the server grew to {memory}"))?;
        Ok(format!(
            "every byte arrived, B never waited longer than {worst_shown}, and {memory} were \
             enough: the server stopped reading from A"
        ))
    },
};

/// Connects `count` clients that say nothing.
fn crowd(account: &mut Account<'_>, server: &Server, count: usize) -> io::Result<Vec<Client>> {
    let limit = lab::subject::raise_own_descriptor_limit()?;
    // Ours and the server's come from the same hard limit.
    require(limit >= count as u64 + 100, || {
        format!("{count} clients need {} descriptors, the hard limit is {limit}", count + 100)
    })?;
    let connect = |_| Client::connect(server.address());
    let clients: Vec<Client> = (0..count).map(connect).collect::<io::Result<_>>()?;
    account.say(Who::A, format_args!("and {} others connected, all silent", count - 1));
    account.show()?;
    Ok(clients)
}

pub const MORE_THAN_A_SET_HOLDS: Demo =
    Demo {
        name: "more-than-a-set-holds",
        about: "1,100 clients: more than the 1,024 descriptors that an fd_set has bits for.",
        compares: false,
        show: |account| {
            let server = account.server(account.first()?, &["-v"])?;
            let mut clients = crowd(account, &server, 1100)?;
            let entries = clients.len() + 1;
            let last = clients.last_mut().ok_or_else(|| io::Error::other("no client"))?;
            // A line for each accept is not the point: they have come when that of a reply has.
            ask(last)?;
            let ready = server.process().descriptors()? - 1;
            let named = format!("[{ready}]");
            let tells =
                |told: &[Told]| Ok(told.last().is_some_and(|told| told.line.contains(&named)));
            account.hear(&server, "the server has answered the last one", tells)?;
            account.say(Who::B, "the last one of them asks");
            account.ask(Who::B, last)?;
            let told = account.hear(&server, "the server has answered the last one", tells)?;
            account.tell(Who::Server, told)?;
            require(ready >= 1024, || format!("the last one has descriptor {ready}"))?;
            let bytes = entries * 8;
            account.say(Who::Kernel, format_args!(
            "each poll is given {entries} entries of 8 bytes, {bytes} bytes, and looks at all"
        ));
            Ok(format!("descriptor {ready} was served; the price is the whole array, every time"))
        },
    };

pub const ONLY_THE_READY: Demo = Demo {
    name: "only-the-ready",
    about: "1,000 idle clients, and one that asks.",
    compares: false,
    show: |account| {
        let program = account.first()?;
        let server = account.server(program, &["-v"])?;
        let _idle = crowd(account, &server, 1000)?;
        let mut asking = account.client(Who::B, &server)?;
        answered(account, &server, &mut asking)?;
        account.ask(Who::B, &mut asking)?;
        let told = told_so_far(account, program, &server)?;
        let woken = told.iter().filter(|told| waits(program, told)).count();
        let named = reports(&told);
        account.tell(Who::Server, told)?;
        require(woken == 1 && named == 1, || {
            format!("expected one epoll_wait with one report, got {woken} with {named}")
        })?;
        Ok("epoll_wait named the one that asked, and the kernel looked at no other".to_owned())
    },
};

pub const TOLD_ONCE: Demo = Demo {
    name: "told-once",
    about: "48 KiB are waiting when the server wakes, and it reads 16 KiB at a time. How often is \
            it told? Then a client floods while another asks.",
    compares: true,
    show: |account| {
        let level = times_told(account, account.compared()?)?;
        let edge = times_told(account, account.first()?)?;
        require(edge < level, || {
            format!("level-triggered told {level} times, edge-triggered {edge} times")
        })?;
        let worst = shown::duration(beside_a_flood(account)?);
        Ok(format!(
            "level-triggered was told {level} times, edge-triggered {edge}; what it then owes, it \
             pays in turns: beside a flood, B was answered within {worst}"
        ))
    },
};

/// How often epoll_wait reports the same message of 48 KiB.
fn times_told(account: &mut Account<'_>, program: &Program) -> io::Result<usize> {
    let message = vec![b'x'; 48 * 1024];
    let server = account.server(program, &["-v"])?;
    let mut client = account.client(Who::A, &server)?;
    // The report of the connect itself is not the point.
    answered(account, &server, &mut client)?;
    server.stop()?;
    let sent = client.send_without_waiting(&message)?;
    account.say(Who::A, format_args!("sent {sent} bytes while the server was stopped (SIGSTOP)"));
    server.go_on()?;
    let reply = client.receive(sent)?;
    require(reply.iter().all(|&byte| byte == b'X'), || "a wrong answer".to_owned())?;
    account.say(Who::A, format_args!("got all {sent} bytes back"));
    let told = told_so_far(account, program, &server)?;
    let times = reports(&told);
    account.tell(Who::Server, told)?;
    Ok(times)
}

/// How long a polite client waits at most while another one floods.
fn beside_a_flood(account: &mut Account<'_>) -> io::Result<Duration> {
    let server = account.server(account.first()?, &[])?;
    let mut asking = account.client(Who::B, &server)?;
    let mut flood = by_hand::named("flooding")?.start(server.address(), Duration::from_secs(1))?;
    let (mut worst, mut times) = (Duration::ZERO, 0);
    while !account.follow(Who::A, &flood)? {
        worst = worst.max(ask(&mut asking)?);
        times += 1;
    }
    flood.end()?;
    let shown = shown::duration(worst);
    let answered = format!("asked {times} times meanwhile, answered within {shown} each time");
    account.say(Who::B, answered);
    require(worst < IN_TIME, || format!("B waited {shown} beside the flood"))?;
    Ok(worst)
}

/// A client asks, and its report is heard, with all that was told before it.
fn answered(account: &mut Account<'_>, server: &Server, client: &mut Client) -> io::Result<()> {
    ask(client)?;
    let of_a_client =
        |told: &[Told]| Ok(told.last().is_some_and(|told| is_report(told) && !of_listener(told)));
    account.hear(server, "epoll has reported the client", of_a_client).map(drop)
}

/// What a server has told since it was last heard. Another client connects: when the listener's
/// report has come, so has everything before it.
fn told_so_far(
    account: &mut Account<'_>,
    program: &Program,
    server: &Server,
) -> io::Result<Vec<Told>> {
    let _another = Client::connect(server.address())?;
    let of_another = |told: &[Told]| Ok(told.iter().any(of_listener));
    let mut told = account.hear(server, "epoll has reported the listener", of_another)?;
    let at = told.iter().position(of_listener).unwrap_or(told.len());
    let woken = told[..at].iter().rposition(|told| waits(program, told));
    told.truncate(woken.unwrap_or(at));
    Ok(told)
}

/// Does this line tell that the wait has come back?
fn waits(program: &Program, told: &Told) -> bool {
    program.narrates.as_ref().is_some_and(|narrates| told.line.starts_with(narrates))
}

/// How many events a narration names.
fn reports(told: &[Told]) -> usize {
    told.iter().filter(|told| is_report(told)).count()
}

fn is_report(told: &Told) -> bool {
    told.line.starts_with("  token ")
}

fn of_listener(told: &Told) -> bool {
    told.line.starts_with("  token 0:")
}
