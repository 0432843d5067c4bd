//! An example beside the cause of a failure.

use std::{cmp::Ordering, fmt::Display};

/// Longest example, in characters.
const LONGEST: usize = 200;
/// Characters that change the direction of text (Unicode's Bidi_Control). A terminal would show what stands
/// around them in another order.
const DIRECTIONS: [char; 12] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}',
];

/// What was found in one failure, for people: texts, names and times. All details are equal, so that failures
/// with different details count together; the detail of the first one is kept.
#[derive(Clone, Debug, Default)]
pub struct Detail(Option<Box<str>>);

impl Detail {
    /// There is nothing more to say than the cause.
    pub const NONE: Self = Self(None);

    /// The begin of a foreign text, as one line without control characters and without those that change the
    /// direction of the text around them.
    pub fn of(text: impl Display) -> Self {
        let text = text.to_string();
        let printable = |char: char| {
            if char.is_control() || DIRECTIONS.contains(&char) {
                '\u{fffd}'
            } else {
                char
            }
        };
        let mut begin: String = text.chars().take(LONGEST).map(printable).collect();
        if begin.len() < text.len() {
            begin.push('\u{2026}');
        }
        Self((!begin.is_empty()).then(|| begin.into()))
    }

    /// The text, if there is one.
    pub fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl PartialEq for Detail {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Detail {}

impl PartialOrd for Detail {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Detail {
    fn cmp(&self, _: &Self) -> Ordering {
        Ordering::Equal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_is_one_short_line_and_tells_nothing_apart() {
        let long = Detail::of("\u{1b}[2J\n".to_owned() + &"ä".repeat(500));
        let text = long.text().unwrap();
        assert_eq!(
            (text.chars().count(), text.chars().any(char::is_control)),
            (LONGEST + 1, false)
        );
        assert_eq!(
            Detail::of("a\u{202e}b\u{2069}").text(),
            Some("a\u{fffd}b\u{fffd}")
        );
        assert_eq!(Detail::of("short").text(), Some("short"));
        assert_eq!(Detail::of("").text(), None);
        assert_eq!(long, Detail::NONE);
    }
}
