//! Without an fd_set there is no 1024: the limit is that of descriptors, which the server raises.

use std::time::Instant;

use lab::need::Need;
use lab::subject::raise_own_descriptor_limit;
use lab::wait::patience;

use super::{ANSWERS, clients};
use crate::check::{Check, Scope, Suite, require, same_bytes};
use crate::failure::Failure;

/// A full house without an fd_set.
pub const SUITES: &[Suite] = &[Suite::new(Scope::Contract, CHECKS)
    .named("many")
    .needs(&[Need::Descriptors])
    .behind(&ANSWERS)];

/// What 2,000 idle clients may cost, 16 KiB each. A buffer for each of them that holds a message costs more.
const MOST: u64 = 32 << 20;

const CHECKS: &[Check] = &[Check {
    name: "two_thousand_clients_are_served_at_once",
    did: "connected 2,000 clients, all at once, to a server with a soft limit of 256",
    expected: "every one is served, the last as well as the first, twice; less than 32 MiB for all",
    perhaps: "Is the soft limit of descriptors raised, and every client kept in the wait?",
    read: "05-poll.md#why",
    run: |it| {
        let limit = raise_own_descriptor_limit()?;
        let server = it.launch().descriptor_limits(256, limit).server()?;
        let alone = server.process().resident_bytes()?;
        let mut clients = clients(&server, 2000)?;
        // They are accepted in turn: when the last one is answered, all are in. How long that takes is the
        // server's speed, and so is the rest: many times as long is no speed any more.
        let begun = Instant::now();
        let last = clients.last_mut().ok_or_else(|| Failure::wrong("it has no client"))?;
        last.be_patient_for(6 * patience())?;
        same_bytes(last.ask(b"last")?, b"LAST")?;
        let patience = patience() + 4 * begun.elapsed();
        for client in &mut clients {
            client.be_patient_for(patience)?;
        }
        for _ in 0..2 {
            for client in &mut clients {
                client.send(b"me too")?;
            }
            for client in clients.iter_mut().rev() {
                same_bytes(client.receive(6)?, b"ME TOO")?;
            }
        }
        server.process().rests()?;
        let grown = server.process().resident_bytes()?.saturating_sub(alone);
        require(grown < MOST, format_args!("{grown} bytes more in memory for 2,000 idle clients"))
    },
}];
