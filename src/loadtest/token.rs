//! Secrets of a run: the one in the address of its live page, and the one by which the pods of a load know each other.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    error::Unspecified,
    hmac,
    rand::{SecureRandom as _, SystemRandom},
};

/// Random bytes of a token: 192 bits, which nobody guesses.
const BYTES: usize = 24;

/// A token. Must not: be shown anywhere but where it is handed on.
pub(crate) struct Token {
    text: String,
    key: hmac::Key,
    tag: hmac::Tag,
}

impl Token {
    /// A token from the random numbers of the operating system.
    ///
    /// # Errors
    /// When the operating system has none.
    pub(crate) fn random() -> Result<Self, Unspecified> {
        let system = SystemRandom::new();
        let mut bytes = [0; BYTES];
        system.fill(&mut bytes)?;
        Self::known(&URL_SAFE_NO_PAD.encode(bytes))
    }

    /// A token that was handed on.
    ///
    /// # Errors
    /// As [`Self::random`].
    pub(crate) fn known(text: &str) -> Result<Self, Unspecified> {
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
        let tag = hmac::sign(&key, text.as_bytes());
        Ok(Self {
            text: text.to_owned(),
            key,
            tag,
        })
    }

    /// The token as it is handed on.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether this is the token. The time that it takes says nothing about the characters that are right: tags
    /// under a key that nobody knows are compared, and each byte of them.
    pub(crate) fn is(&self, given: &str) -> bool {
        hmac::verify(&self.key, given.as_bytes(), self.tag.as_ref()).is_ok()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_long_random_and_hidden() {
        let (one, other) = (Token::random().unwrap(), Token::random().unwrap());
        assert_eq!(one.text().len(), BYTES / 3 * 4);
        assert_ne!(one.text(), other.text());
        assert!(one.is(one.text()) && !one.is(other.text()) && !one.is(""));
        assert!(!one.is(&one.text()[1..]));
        assert!(!format!("{one:?}").contains(one.text()));
    }
}
