//! What cargo and the compiler say of a learner's program: `--message-format=json`, whose lines say whose fault is
//! whose.

use std::path::Path;

use serde_json::Value;

/// What came of a build.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The compiler's errors, in its own words.
    pub errors: Vec<String>,
    /// Those in another crate: the course's, of which the learner's makes use.
    pub elsewhere: Vec<String>,
    /// How many warnings it has.
    pub warnings: usize,
    /// The program that was built.
    pub executable: Option<String>,
}

impl Said {
    /// Reads it. The manifest of the learner's crate ends so: `03-1-netcat/Cargo.toml`.
    pub fn parse(messages: &str, manifest: &Path) -> Self {
        let mut said = Self::default();
        for message in messages.lines() {
            let Ok(message) = serde_json::from_str::<Value>(message) else { continue };
            match message["reason"].as_str() {
                Some("compiler-message") => {
                    let of = message["manifest_path"].as_str().map(Path::new);
                    said.add(&message["message"], of.is_none_or(|of| of.ends_with(manifest)));
                }
                Some("compiler-artifact") => {
                    if let Some(path) = message["executable"].as_str() {
                        said.executable = Some(path.to_owned());
                    }
                }
                _ => {}
            }
        }
        said
    }

    fn add(&mut self, message: &Value, is_own: bool) {
        // Of what the compiler says the last line only counts: `aborting due to 2 previous errors`.
        let is_sum = |text: &str| {
            text.starts_with("aborting due to")
                || text.contains("warning emitted")
                || text.contains("warnings emitted")
        };
        let text = message["message"].as_str().unwrap_or_default();
        let counts = message["spans"].as_array().is_some_and(Vec::is_empty) && is_sum(text);
        match message["level"].as_str() {
            _ if counts => {}
            Some("error" | "error: internal compiler error") => {
                let words = message["rendered"].as_str().unwrap_or(text);
                let errors = if is_own { &mut self.errors } else { &mut self.elsewhere };
                errors.push(words.trim_end().to_owned());
            }
            Some("warning") if is_own => self.warnings += 1,
            _ => {}
        }
    }

    /// The first error that is not about the program: no linker, no room.
    pub fn of_the_machine(&self) -> Option<&str> {
        let is = |words: &&String| {
            let no_linker = words.contains("linker `") && words.contains("not found");
            no_linker || words.contains("No space left on device")
        };
        self.errors.iter().chain(&self.elsewhere).find(is).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Said;

    const NO_TYPE: &str = r#"{"reason":"compiler-message","message":{"level":"error","message":"mismatched types","spans":[{}],"rendered":"error[E0308]: mismatched types\n --> src/main.rs:2:1\n\n"}}"#;
    const SUM: &str = r#"{"reason":"compiler-message","message":{"level":"error","message":"aborting due to 1 previous error","spans":[],"rendered":"error: aborting\n"}}"#;
    const UNUSED: &str = r#"{"reason":"compiler-message","message":{"level":"warning","message":"unused variable","spans":[{}],"rendered":"warning: unused\n"}}"#;
    const BUILT: &str = r#"{"reason":"compiler-artifact","executable":"/a b/03-1-netcat"}"#;
    const NO_LINKER: &str = r#"{"reason":"compiler-message","message":{"level":"error","message":"linker `cc` not found","spans":[],"rendered":"error: linker `cc` not found\n"}}"#;

    fn parse(messages: &str) -> Said {
        Said::parse(messages, Path::new("work/Cargo.toml"))
    }

    #[test]
    fn errors_are_kept_warnings_counted_and_sums_left_out() {
        let said = parse(&[NO_TYPE, UNUSED, SUM, "no JSON", "{}"].join("\n"));
        assert_eq!(said.errors, ["error[E0308]: mismatched types\n --> src/main.rs:2:1"]);
        assert_eq!((said.warnings, said.executable), (1, None));
        let said = parse(BUILT);
        assert_eq!(said.executable.as_deref(), Some("/a b/03-1-netcat"));
        assert!(said.errors.is_empty());
    }

    #[test]
    fn what_is_wrong_in_another_crate_is_not_the_learners_error() {
        let message = NO_TYPE.replacen('{', r#"{"manifest_path":"/course/Cargo.toml","#, 1);
        let said = parse(&message);
        assert_eq!((said.errors.len(), said.elsewhere.len()), (0, 1));
        let message = message.replace("/course/", "/work/");
        assert_eq!(parse(&message).errors.len(), 1);
    }

    #[test]
    fn a_missing_linker_is_not_the_programs_fault() {
        assert!(parse(NO_LINKER).of_the_machine().is_some());
        assert_eq!(parse(NO_TYPE).of_the_machine(), None);
    }
}
