//! Texts of callers: bounded, and without the zero byte that PostgreSQL cannot store. Parsed once, at the edge.

use serde::{Deserialize, Deserializer, de::Error as _};

/// A text of 1 to `MOST` bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MOST: usize>(String);

/// An e-mail address as it is stored: lower case. That it reaches somebody is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl<const MOST: usize> Text<MOST> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: String) -> Result<Self, String> {
        if text.is_empty() || text.len() > MOST {
            Err(format!(
                "a text of 1 to {MOST} bytes is needed, this has {}",
                text.len()
            ))
        } else if text.contains('\0') {
            Err("a text has no zero bytes".to_owned())
        } else {
            Ok(Self(text))
        }
    }
}

impl Email {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn parse(text: &str) -> Result<Self, String> {
        let right = |(name, host): (&str, &str)| {
            !name.is_empty()
                && host.contains('.')
                && !text.contains(char::is_whitespace)
                && !text.contains('\0')
        };
        if text.len() <= 254 && text.rsplit_once('@').is_some_and(right) {
            Ok(Self(text.to_lowercase()))
        } else {
            Err("this is no e-mail address".to_owned())
        }
    }
}

impl<'de, const MOST: usize> Deserialize<'de> for Text<MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Email {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_bounds_and_no_zero_byte() {
        let parsed = |text: &str| Text::<4>::parse(text.to_owned()).is_ok();
        assert!(parsed("a") && parsed("abcd"));
        assert!(!parsed("") && !parsed("abcde") && !parsed("a\0b"));
    }

    #[test]
    fn addresses_are_stored_in_lower_case() {
        assert_eq!(
            Email::parse("User0@VoiceAssist.example").unwrap().as_str(),
            "user0@voiceassist.example"
        );
        for wrong in ["", "a", "@b.example", "a@b", "a b@c.example", "a\0@b.example"] {
            assert!(Email::parse(wrong).is_err(), "{wrong}");
        }
    }
}
