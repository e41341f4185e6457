//! What a peer did, in words.

use lab::witness::record::Bytes;

use crate::names::Form;
use crate::recording::Did;
use crate::words::{Words, bytes, quoted};

/// What a peer did.
#[must_use]
pub fn words_of(did: &Did) -> Words {
    match did {
        Did::Listens(_) => Words::from("listens"),
        Did::Refuses(_) => Words::from("refuses"),
        Did::Drops(_) => Words::from("drops all"),
        Did::Connects(_) => Words::from("connects"),
        Did::Accepts => Words::from("accepts"),
        Did::Sends(count, text) => moved("sends", *count, text),
        Did::Gets(count, text) => moved("gets", *count, text),
        Did::HearsNothing => Words { short: "nothing".to_owned(), ..Words::from("hears nothing") },
        Did::HalfCloses => Words { short: "FIN".to_owned(), ..Words::from("half-closes") },
        Did::MeetsEnd => Words { short: "end".to_owned(), ..Words::from("meets the end") },
        Did::Fails(why) => Words::from(why.as_str()),
    }
}

fn moved(verb: &str, count: u64, text: &Bytes) -> Words {
    Words::of(|form| match form {
        Form::Short => format!("{verb} {count}"),
        Form::Full if count > 100 => format!("{verb} {}", bytes(count)),
        // How much goes into the buffers before they are full differs from run to run.
        Form::Plain if count > 100 => format!("{verb} much"),
        _ => format!("{verb} {}", quoted(text, count)),
    })
}
