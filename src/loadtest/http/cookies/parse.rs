//! One Set-Cookie header (RFC 6265, section 5.2).

use jiff::{SignedDuration, Timestamp};

use super::date;

/// The longest cookie, name and value together, and the longest attribute, in bytes (section 6.1 and browsers).
const LONGEST: (usize, usize) = (4096, 1024);

/// A cookie as a server gives it.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
    /// In lower case, without the dot before it.
    pub(super) domain: Option<String>,
    pub(super) path: Option<&'a str>,
    pub(super) secure: bool,
    max_age: Option<i64>,
    expires: Option<Timestamp>,
}

impl<'a> Given<'a> {
    /// Reads the value of a header; `None` where it is no cookie, or one that is too long.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || name.len() + value.len() > LONGEST.0 {
            return None;
        }
        let mut given = Self {
            name,
            value,
            ..Self::default()
        };
        for part in parts.filter(|part| part.len() <= LONGEST.1) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            given.attribute(&key.trim().to_ascii_lowercase(), value.trim());
        }
        Some(given)
    }

    /// Takes an attribute. One that is malformed or unknown is left out.
    fn attribute(&mut self, key: &str, value: &'a str) {
        match key {
            "expires" => self.expires = date::parse(value).or(self.expires),
            "max-age" => self.max_age = seconds(value).or(self.max_age),
            "domain" => {
                let domain = value.strip_prefix('.').unwrap_or(value);
                if !domain.is_empty() {
                    self.domain = Some(domain.to_ascii_lowercase());
                }
            }
            "path" => self.path = Some(value).filter(|path| path.starts_with('/')),
            "secure" => self.secure = true,
            _ => {}
        }
    }

    /// When the cookie is over: Max-Age counts more than Expires. `None`: with the user.
    pub(super) fn expires(&self, now: Timestamp) -> Option<Timestamp> {
        match self.max_age {
            Some(..=0) => Some(Timestamp::MIN),
            Some(seconds) => {
                let end = now.saturating_add(SignedDuration::from_secs(seconds));
                Some(end.unwrap_or(Timestamp::MAX))
            }
            None => self.expires,
        }
    }
}

/// A number of seconds; one that is too large is the largest.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(if digits.len() < text.len() {
        i64::MIN
    } else {
        i64::MAX
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_in_any_case_and_what_is_wrong_is_left_out() {
        let text =
            " a = b=c ; PATH=/x; domain=.Shop.Example; secure; Max-Age=x; Expires=never; Priority=High";
        let given = Given::parse(text).unwrap();
        assert_eq!(
            (given.name, given.value, given.path, given.secure),
            ("a", "b=c", Some("/x"), true)
        );
        assert_eq!(given.domain.as_deref(), Some("shop.example"));
        assert_eq!(given.expires(Timestamp::UNIX_EPOCH), None);
        assert_eq!(Given::parse("a=b; Path=x").unwrap().path, None);
        for text in ["", "novalue", "=b", "; a=b", &format!("a={}", "x".repeat(5000))] {
            assert!(Given::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn max_age_is_from_now_on_and_has_no_bound() {
        let now = Timestamp::from_second(1000).unwrap();
        let end = |text: &str| {
            Given::parse(&format!("a=b; max-age={text}"))
                .unwrap()
                .expires(now)
        };
        assert_eq!(end("60"), Some(Timestamp::from_second(1060).unwrap()));
        assert_eq!(
            (end("0"), end("-5")),
            (Some(Timestamp::MIN), Some(Timestamp::MIN))
        );
        assert_eq!(end("99999999999999999999"), Some(Timestamp::MAX));
        assert_eq!(end("1e3"), None);
    }
}
