//! A full house under select: an fd_set has bits for the descriptors 0 to 1023 only.

use lab::need::Need;
use lab::subject::raise_own_descriptor_limit;
use lab::wait::QUIET;

use super::{ANSWERS, clients};
use crate::check::{Check, Scope, Suite, require, same_bytes};

/// A full house under select.
pub const SUITES: &[Suite] = &[Suite::new(Scope::Contract, CHECKS)
    .named("select_limit")
    .needs(&[Need::Descriptors])
    .behind(&ANSWERS)];

/// What 1,000 idle clients may cost, 16 KiB each. A buffer for each of them that holds a message costs more.
const MOST: u64 = 16 << 20;

const CHECKS: &[Check] = &[Check {
    name: "a_thousand_clients_are_served_and_the_next_ones_wait_until_somebody_leaves",
    did: "connected 1,040 clients to a server that waits in select",
    expected: "at least 1,000 are served, with less than 16 MiB; the others wait, not thrown out",
    perhaps: "What happens when accept would return descriptor 1024?",
    read: "03-select.md#full",
    run: |it| {
        raise_own_descriptor_limit()?;
        let server = it.server()?;
        let alone = server.process().resident_bytes()?;
        let mut clients = clients(&server, 1040)?;
        for client in &mut clients {
            client.send(b"room?")?;
        }
        let mut waiting = clients.split_off(1000);
        for client in &mut clients {
            same_bytes(client.receive(5)?, b"ROOM?")?;
        }
        require(waiting[39].hears_nothing_for(QUIET)?, "the last one heard something")?;
        server.process().rests()?;
        let grown = server.process().resident_bytes()?.saturating_sub(alone);
        require(grown < MOST, format_args!("{grown} bytes more in memory for 1,000 idle clients"))?;
        same_bytes(clients[999].ask(b"and me?")?, b"AND ME?")?;
        // 40 leave, and all who waited come in.
        clients.truncate(960);
        for client in &mut waiting {
            same_bytes(client.receive(5)?, b"ROOM?")?;
        }
        Ok(())
    },
}];
