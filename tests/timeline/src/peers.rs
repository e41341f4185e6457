//! What a peer did, in words.

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
        Did::Sends(count, text) => Words::of(|form| match form {
            Form::Short => format!("sends {count}"),
            Form::Full if *count > 100 => format!("sends {}", bytes(*count)),
            // How much goes into the buffers before they are full differs from run to run.
            Form::Plain if *count > 100 => "sends much".to_owned(),
            _ => format!("sends {}", quoted(text, *count)),
        }),
        Did::Gets(count, text) => Words::of(|form| match form {
            Form::Short => format!("gets {count}"),
            Form::Full if *count > 100 => format!("gets {}", bytes(*count)),
            Form::Plain if *count > 100 => "gets much".to_owned(),
            _ => format!("gets {}", quoted(text, *count)),
        }),
        Did::HearsNothing => Words::of(|form| match form {
            Form::Short => "nothing".to_owned(),
            _ => "hears nothing".to_owned(),
        }),
        Did::HalfCloses => Words::of(|form| match form {
            Form::Short => "FIN".to_owned(),
            _ => "half-closes".to_owned(),
        }),
        Did::MeetsEnd => Words::of(|form| match form {
            Form::Short => "end".to_owned(),
            _ => "meets the end".to_owned(),
        }),
        Did::Fails(why) => Words::from(why.as_str()),
    }
}
