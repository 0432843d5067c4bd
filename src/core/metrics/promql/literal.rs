//! Reads strings, numbers and durations of PromQL as Prometheus does.

use std::time::Duration;

use super::QueryError;

/// Greatest number of digits in one part of a duration: `999999999ms` are eleven days, and no sum of parts
/// overflows.
const MAX_DIGITS: usize = 9;
/// Units of durations in milliseconds, in the order in which a duration must have them.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 24 * 3_600_000),
    ("w", 7 * 24 * 3_600_000),
    ("d", 24 * 3_600_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Reads the string literal at the beginning of a text. Returns its content and the text after it.
///
/// # Errors
/// [`QueryError::Malformed`] where the literal does not end, or has an escape that Go's strings do not have.
pub(super) fn unquote(text: &str) -> Result<(String, &str), QueryError> {
    let mut chars = text.chars();
    let quote = chars.next().unwrap_or_default();
    let mut content = String::new();
    loop {
        match chars.next() {
            Some(char) if char == quote => return Ok((content, chars.as_str())),
            None => {
                return Err(QueryError::Malformed(format!(
                    "a string in {quote} is not closed"
                )));
            }
            Some('\n') if quote != '`' => {
                return Err(QueryError::Malformed(format!(
                    "a string in {quote} is not closed before the end of its line"
                )));
            }
            Some('\\') if quote != '`' => content.push(escaped(&mut chars, quote)?),
            Some(char) => content.push(char),
        }
    }
}

/// The character that an escape stands for. The backslash was read before.
fn escaped(chars: &mut std::str::Chars<'_>, quote: char) -> Result<char, QueryError> {
    let unknown = |escape: char| QueryError::Malformed(format!("unknown escape \\{escape} in a string"));
    let letter = chars.next().unwrap_or_default();
    let (digits, radix, first) = match letter {
        'a' => return Ok('\x07'),
        'b' => return Ok('\x08'),
        'f' => return Ok('\x0c'),
        'n' => return Ok('\n'),
        'r' => return Ok('\r'),
        't' => return Ok('\t'),
        'v' => return Ok('\x0b'),
        '\\' => return Ok('\\'),
        same if same == quote => return Ok(quote),
        'x' => (2, 16, 0),
        'u' => (4, 16, 0),
        'U' => (8, 16, 0),
        '0'..='7' => (2, 8, letter.to_digit(8).unwrap_or_default()),
        other => return Err(unknown(other)),
    };
    // `\x41`, `\101` and `\u0041` are all `A`. For an octal escape the first digit was read as the letter.
    let mut code: u32 = first;
    for _ in 0..digits {
        let digit = chars.next().and_then(|char| char.to_digit(radix));
        let digit = digit.ok_or_else(|| unknown(letter))?;
        code = code
            .checked_mul(radix)
            .and_then(|code| code.checked_add(digit))
            .ok_or_else(|| unknown(letter))?;
    }
    // In Go's strings \x and octal escapes are bytes. Above 7f a byte is only a part of a character.
    if matches!(letter, 'x' | '0'..='7') && code > 0x7f {
        return Err(QueryError::Malformed(format!(
            "\\{letter} in a string stands for a byte that is no character; write the character itself"
        )));
    }
    char::from_u32(code).ok_or_else(|| unknown(letter))
}

/// Reads a number such as `1_000`, `0x1F` (31), `0755` (octal, 493) or `1e-3`. `None` where Prometheus reads
/// no number, or one that is not finite.
pub(super) fn number(written: &str) -> Option<f64> {
    let is_digit = |char: Option<char>| char.is_some_and(|char| char.is_ascii_hexdigit());
    // An underscore is allowed between two digits only.
    let mut before = None;
    for (at, char) in written.char_indices() {
        let after = written.get(at..).and_then(|rest| rest.chars().nth(1));
        if char == '_' && !(is_digit(before) && is_digit(after)) {
            return None;
        }
        before = Some(char);
    }
    let plain = written.replace('_', "");
    // As in Go, `0755` is octal (493). `0759` has a digit that is not octal, so it is the decimal number 759.
    let radix = |digits: &str, radix: u32| {
        let value = i64::from_str_radix(digits, radix).ok()?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "PromQL's numbers are floats, so Prometheus does the same"
        )]
        Some(value as f64)
    };
    if let Some(digits) = plain.strip_prefix("0x").or_else(|| plain.strip_prefix("0X")) {
        return digits
            .starts_with(|char: char| char.is_ascii_hexdigit())
            .then(|| radix(digits, 16))
            .flatten();
    }
    if plain.len() > 1 && plain.starts_with('0') && plain.chars().all(|char| matches!(char, '0'..='7')) {
        return radix(&plain, 8);
    }
    let is_decimal = plain
        .chars()
        .all(|char| char.is_ascii_digit() || matches!(char, '.' | 'e' | 'E' | '+' | '-'));
    plain
        .parse()
        .ok()
        .filter(|value: &f64| is_decimal && value.is_finite())
}

/// Reads a duration such as `1h30m`: whole numbers, each with its unit, from the largest unit to the
/// smallest. `None` for any other text, and for zero.
pub(super) fn duration(written: &str) -> Option<Duration> {
    let mut rest = written;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|char: char| !char.is_ascii_digit())?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let end = tail
            .find(|char: char| char.is_ascii_digit())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        // The iterator goes on after the unit that was found, so a unit out of order is not found.
        let (_, millis) = units.find(|(name, _)| *name == unit)?;
        if number.len() > MAX_DIGITS {
            return None;
        }
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*millis)?)?;
        rest = tail;
    }
    (total > 0).then(|| Duration::from_millis(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        for (quoted, content) in [
            (r#""a\"b\\\n\t\x41\101é\U0001f600""#, "a\"b\\\n\tAAé😀"),
            (r"'it\'s \\d'", "it's \\d"),
            ("`raw \\d \"'\n`", "raw \\d \"'\n"),
        ] {
            assert_eq!(unquote(quoted), Ok((content.to_owned(), "")), "{quoted}");
        }
        for refused in [
            r#""\d""#,
            r#""\'""#,
            r#""\xff""#,
            r#""\377""#,
            r#""\ud800""#,
            r#""\U99999999""#,
            "\"\\é\"",
            "\"a\nb\"",
            "\"\\",
        ] {
            assert!(unquote(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn durations_have_their_units_in_order() {
        let seconds = |written: &str| duration(written).map(|duration| duration.as_secs());
        assert_eq!(seconds("1h30m"), Some(5400));
        assert_eq!(seconds("1y1w1d"), Some(373 * 86_400));
        assert_eq!(duration("1s500ms"), Some(Duration::from_millis(1500)));
        for refused in ["", "5", "0s", "1m1h", "1m1m", "1.5m", "1x", "9999999999ms", "m"] {
            assert_eq!(duration(refused), None, "{refused}");
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for refused in [
            "1__0",
            "_1",
            "1_",
            "0x",
            "0x1p3",
            "1e",
            "1e999",
            "1.2.3",
            "0xffffffffffffffffff",
            "0x+1",
            "inf",
        ] {
            assert_eq!(number(refused), None, "{refused}");
        }
    }
}
