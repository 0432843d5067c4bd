//! Files beside a scenario: traces, bodies and data.

/// Returns the content of a file by the name that the scenario has for it, or why it cannot be read.
pub type File<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, String>;

/// The text of a file.
pub(super) fn text(file: File<'_>, name: &str) -> Result<String, String> {
    let text = file(name).and_then(|bytes| String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned()));
    text.map_err(|error| format!("{name}: {error}"))
}
