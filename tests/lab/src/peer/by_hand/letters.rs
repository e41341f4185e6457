//! An endless text of letters in which a lost, doubled or moved byte shows.

/// How much of the text can be asked for at once.
pub const CHUNK: usize = 64 * 1024;

/// The text repeats after this many letters: a prime, so that no buffer's size is a multiple of it.
const PERIOD: usize = 65_521;

/// The text, as it is sent and as it must come back.
pub struct Letters {
    lower: Vec<u8>,
    upper: Vec<u8>,
}

impl Letters {
    pub fn new() -> Self {
        let mut state = 1_u32;
        let mut letter = || {
            // A linear congruential generator: the letters need only to look irregular.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (state >> 24) as u8 % 26
        };
        let mut lower: Vec<u8> = (0..PERIOD).map(|_| letter()).collect();
        lower.extend_from_within(..CHUNK.min(PERIOD));
        let upper = lower.to_ascii_uppercase();
        Self { lower, upper }
    }

    /// The letters from position `at` on: at least one, and at most `most`.
    pub fn from(&self, at: u64, most: u64) -> &[u8] {
        window(&self.lower, at, most)
    }

    /// Are `bytes` the reply to the letters from position `at` on?
    pub fn are_reply(&self, bytes: &[u8], at: u64) -> bool {
        let mut at = at;
        bytes.chunks(CHUNK / 2).all(|bytes| {
            let right = window(&self.upper, at, bytes.len() as u64) == bytes;
            at += bytes.len() as u64;
            right
        })
    }
}

fn window(text: &[u8], at: u64, most: u64) -> &[u8] {
    let start = usize::try_from(at % PERIOD as u64).expect("less than the period");
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let text = &text[start..];
    &text[..most.min(text.len()).min(CHUNK / 2)]
}
