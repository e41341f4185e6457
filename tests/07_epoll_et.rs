//! The checks of chapter 07: one thread, epoll(7), edge-triggered.

use std::process::ExitCode;

use judge::server::lies::told_a_lie;
use judge::server::witness::{SERVED, served};
use judge::server::{ANSWERS, send_in_pieces};
use judge::{Check, Done, LessonChecks, Scope, Suite, require, same_bytes};
use lab::need::Need;
use lab::peer::{Client, pattern, upper};
use lab::queues::queues;
use lab::witness::lie::Lie;
use lab::witness::record::{Arguments, Record};
use nix::errno::Errno;

fn main() -> ExitCode {
    LessonChecks::new("07-epoll-et")
        .program("epoll-et-server", env!("CARGO_BIN_EXE_epoll-et-server"), OWN)
        .exercise("1-drain", exercise_1::CHECKS)
        .exercise("2-announce", exercise_2::CHECKS)
        .exercise("3-tally", exercise_3::CHECKS)
        .exercise("4-two-threads", exercise_4::CHECKS)
        .main()
}

#[path = "../chapters/07-epoll-et/exercises/1-drain/checks.rs"]
mod exercise_1;
#[path = "../chapters/07-epoll-et/exercises/2-announce/checks.rs"]
mod exercise_2;
#[path = "../chapters/07-epoll-et/exercises/3-tally/checks.rs"]
mod exercise_3;
#[path = "../chapters/07-epoll-et/exercises/4-two-threads/checks.rs"]
mod exercise_4;

const OWN: &[Suite] = &[
    Suite::new(Scope::Lesson, BUDGET).behind(&ANSWERS),
    Suite::new(Scope::Mechanism, EDGES).needs(&[Need::Ptrace]).behind(&ANSWERS),
];

const BUDGET: &[Check] = &[Check {
    name: "a_client_with_much_to_say_is_served_in_turns",
    did: "stopped the server, sent as much as the kernel took, continued, and read nothing",
    expected: "a wait after every 16 reads of 16 KiB: others would have their turn there",
    perhaps: "Is one client drained to the end, however long that takes?",
    read: "07-epoll-et.md#budget",
    run: |it| {
        let server = it.launch().arg("-v").server()?;
        let mut client = Client::connect(server.address())?;
        client.ask(b"first")?;
        server.process().rests()?;
        // Not the one that the stop interrupts.
        let waits =
            || server.stderr().lines().filter(|line| line.contains(" ready of ")).count() as u64;
        let before = waits();
        server.stop()?;
        while let Ok(1..) = client.send_without_waiting(&pattern(65536)) {}
        server.go_on()?;
        // It replies until nobody takes the replies any more.
        server.process().rests()?;
        let here = client.stream().local_addr()?;
        let (ours, theirs) = queues(here, server.address())?;
        let replied = theirs.unacknowledged + ours.unread;
        let (turns, waits) = (replied / (16 * 16 * 1024), waits() - before);
        let came = format_args!("{waits} waits while {replied} bytes were replied to");
        require(turns > 2 && waits >= turns, came)
    },
}];

const EDGES: &[Check] = &[
    Check {
        name: "its_interest_is_edge_triggered",
        did: SERVED,
        expected: "EPOLLET, in what it registers and in the kernel's interest list",
        perhaps: "Is EPOLLET missing from the interest of the clients or of the listener?",
        read: "07-epoll-et.md#code",
        run: |it| {
            let (server, _client, record) = served(it)?;
            record.watches_edge_triggered()?;
            let interests = server.process().interests()?;
            // The listener and the client who stayed.
            let edge = interests.iter().all(|interest| interest.is_edge());
            require(interests.len() == 2 && edge, format_args!("{interests:?}"))
        },
    },
    Check {
        name: "every_edge_is_drained_before_it_sleeps",
        did: "stopped it; up to a megabyte and a FIN, five bytes and a FIN; continued, read all",
        expected: "reads until EAGAIN, the end or a short read; in between only waits that return",
        perhaps: "Is one read made for each report, or a FIN behind a short read forgotten?",
        read: "07-epoll-et.md#how-far",
        run: |it| {
            let server = it.witnessed()?;
            let mut client = Client::connect(server.address())?;
            client.ask(b"first")?;
            let mut brief = Client::connect(server.address())?;
            brief.ask(b"first")?;
            server.stop()?;
            // Little enough to be there in full, and the FIN with it: one report, and a short read before the end.
            brief.send(b"brief")?;
            brief.half_close()?;
            let megabyte = pattern(1 << 20);
            let mut sent = 0;
            while let Ok(count @ 1..) = client.send_without_waiting(&megabyte[sent..]) {
                sent += count;
            }
            client.half_close()?;
            server.go_on()?;
            let came = client.receive_rest()?;
            let same = came == upper(&megabyte[..sent]);
            require(same, format_args!("{} bytes came", came.len()))?;
            same_bytes(brief.receive_rest()?, b"BRIEF")?;
            let record = server.record_at_rest()?;
            record.drains_every_edge()?;
            record.never_spins()?;
            Ok(())
        },
    },
    Check {
        name: "nobody_is_drained_to_the_end_while_others_wait",
        did: "stopped the server, sent as much as the kernel took, continued, and read nothing; three times",
        expected: "waits in between, none of which sleeps: in none of the turns is most of it read, or a MiB",
        perhaps: "Is one client served until it has nothing more, however long that takes?",
        read: "07-epoll-et.md#budget",
        run: |it| {
            let server = it.witnessed()?;
            // Whoever drains to the end may find an end too early by chance: a slow sender's.
            for _ in 0..3 {
                let mut client = Client::connect(server.address())?;
                client.ask(b"first")?;
                let idle = server.record_at_rest()?;
                server.stop()?;
                while let Ok(1..) = client.send_without_waiting(&pattern(65536)) {}
                server.go_on()?;
                let record = server.record_at_rest()?;
                record.drains_every_edge()?;
                nobody_has_most(&record, idle.calls()?.count())?;
            }
            Ok(())
        },
    },
    Check {
        name: "whoever_is_still_owed_a_reply_has_met_a_full_buffer",
        did: "let each write take 40 bytes at most, and every other one meet a full buffer; sent 24 pieces",
        expected: "when it sleeps and owes a reply, its last write has met EAGAIN or was not taken whole",
        perhaps: "Does it stop sending before the kernel takes no more?",
        read: "07-epoll-et.md#how-far",
        run: |it| {
            // Three to begin with: then something is queued all the time.
            let begin = Lie::errno("write", Errno::EAGAIN).only(1, 3);
            let full = |at: u32| Lie::errno("write", Errno::EAGAIN).only(2 * at + 5, 2 * at + 5);
            // Nobody reports room after a lie: what is still owed at the end may stay so.
            let lies =
                [begin].into_iter().chain((0..16).map(full)).chain([Lie::at_most("write", 40)]);
            let server = it.lied_to(lies)?;
            let mut client = Client::connect(server.address())?;
            send_in_pieces(&mut client, &server, &pattern(24 * 40), 40)?;
            let record = server.record_at_rest()?;
            let owing = record.owes_only_where_room_will_be_told()?;
            require(owing > 0, "it never slept while it owed a reply")?;
            require(told_a_lie(&server), "it never made such a call")
        },
    },
];

/// Of what it read after so many calls, was no half and no MiB read in one turn, between two waits?
fn nobody_has_most(record: &Record, before: usize) -> Done {
    let mut turns = vec![0];
    for call in record.calls()?.skip(before) {
        if call.is_wait() {
            turns.push(0);
        } else if matches!(call.call.arguments, Arguments::Read { .. }) {
            *turns.last_mut().expect("one is there") += call.value().unwrap_or_default();
        }
    }
    let all: i64 = turns.iter().sum();
    let most = turns.into_iter().max().unwrap_or_default();
    let right = most * 2 < all && most < 1 << 20;
    require(right, format_args!("{most} of {all} bytes were read in one turn"))
}
