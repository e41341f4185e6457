//! What a row of one's own owes: four states, and what poll really said of them.

use judge::{Check, Failure, Scope, Suite, equal, require};
use lab::need::Need;
use lab::witness::bits::Events;
use lab::witness::record::{Arguments, Object};

pub const CHECKS: &[Suite] = &[
    Suite::new(Scope::Contract, STATES).behind(&FRESH),
    Suite::new(Scope::Mechanism, MEASURED).needs(&[Need::Ptrace]).behind(&FRESH),
];

const READ: &str = "09-readiness.md#exercise-eventfd";

const FRESH: Check = Check {
    name: "a_fresh_one_is_told",
    did: "ran it, and read its first line",
    expected: "`fresh OUT`, exit status 0",
    perhaps: "Is poll asked for IN and OUT, and what it reports printed?",
    read: READ,
    run: |it| {
        let ran = it.run([""; 0], "")?;
        let right = ran.text().lines().next() == Some("fresh OUT") && ran.status == Some(0);
        require(right, &ran)
    },
};

/// One line: a state, and what poll reports of it.
fn state(lines: &str, at: usize, expected: &str) -> Result<(), Failure> {
    equal(lines.lines().nth(at), Some(expected))
}

const STATES: &[Check] = &[
    Check {
        name: "with_a_number_in_it_it_is_readable_too",
        did: "read its second line: 1 was added",
        expected: "`added IN|OUT`",
        perhaps: "Would a read wait now? Would a write?",
        read: READ,
        run: |it| state(&it.run([""; 0], "")?.text(), 1, "added IN|OUT"),
    },
    Check {
        name: "the_largest_number_leaves_no_room",
        did: "read its third line: so much was added that nothing more can be",
        expected: "`full IN`",
        perhaps: "How large may the number become? Did the write that should fill it succeed?",
        read: READ,
        run: |it| state(&it.run([""; 0], "")?.text(), 2, "full IN"),
    },
    Check {
        name: "a_read_takes_all_of_it",
        did: "read its fourth line: the number was read",
        expected: "`taken OUT`, and no line after it",
        perhaps: "What does a read leave behind, without EFD_SEMAPHORE and with it?",
        read: READ,
        run: |it| {
            let ran = it.run([""; 0], "")?;
            state(&ran.text(), 3, "taken OUT")?;
            require(ran.text().lines().count() == 4, &ran)
        },
    },
];

const MEASURED: &[Check] = &[Check {
    name: "each_line_is_what_poll_has_said",
    did: "watched it, and compared its lines with what poll answered about an eventfd",
    expected: "four looks at an eventfd, asked for IN and OUT; in each line what that look saw",
    perhaps: "Which of the lines are measured, and which predicted?",
    read: READ,
    run: |it| {
        let mut subject = it.launch().witnessed().start()?;
        require(subject.exit_status()?.success(), "it failed")?;
        let mut lines = Vec::new();
        while let Some(line) = subject.line()? {
            lines.push(line);
        }
        let record = subject.record().unwrap_or_default();
        let mut seen = Vec::new();
        for call in record.calls()? {
            let Arguments::Poll { entries, .. } = &call.call.arguments else { continue };
            let is_one =
                |object: &Object| matches!(object, Object::Other(name) if name.contains("eventfd"));
            let both = Events::IN | Events::OUT;
            let found = entries.iter().filter(|entry| is_one(&entry.descriptor.object));
            seen.extend(
                found.filter(|entry| entry.events.contains(both)).map(|entry| entry.revents),
            );
        }
        let told = lines.iter().map(|line| line.rsplit(' ').next().unwrap_or_default().to_owned());
        let seen: Vec<String> = seen.iter().map(ToString::to_string).collect();
        let came = format_args!("poll has said {seen:?}, and the lines are {lines:?}");
        require(told.eq(seen.iter().cloned()), came)
    },
}];
