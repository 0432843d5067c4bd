//! The command that applies what is recommended, for a POSIX shell.
//!
//! Invariant: whatever a name, a flag or a value has in it, the shell takes it as one word and nothing else.

use std::borrow::Cow;

use super::Optimization;

/// The `kubectl patch` command; `None` where there is nothing to apply.
pub(super) fn command(found: &Optimization) -> Option<String> {
    if found.patch.is_empty() {
        return None;
    }
    let mut words = vec!["kubectl", "patch", "vas", &found.name];
    if let Some(namespace) = &found.namespace {
        words.extend(["-n", namespace]);
    }
    words.extend(found.kubectl.iter().map(String::as_str));
    let patch = serde_json::to_string(&found.patch).ok()?;
    words.extend(["--type", "json", "-p", &patch]);
    let words: Vec<Cow<'_, str>> = words.into_iter().map(quoted).collect();
    Some(words.join(" "))
}

/// A word as a shell reads it: in single quotes, in which only a single quote means something, unless it is plain.
fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=@".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', "'\\''")))
    }
}

/// Whether a text is the name of a namespace, a DNS label (RFC 1123).
pub(super) fn is_namespace(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len())
        && text.bytes().all(inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_is_in_quotes() {
        for (word, expected) in [
            ("shop", "shop"),
            ("--context", "--context"),
            ("/home/me/.kube/config", "/home/me/.kube/config"),
            ("", "''"),
            ("a b", "'a b'"),
            ("a;rm -r x", "'a;rm -r x'"),
            ("$(x)", "'$(x)'"),
            ("it's", "'it'\\''s'"),
            ("~/x", "'~/x'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn a_namespace_is_a_dns_label() {
        assert!(is_namespace("shop-2") && is_namespace(&"a".repeat(63)));
        for wrong in [
            "",
            "Shop",
            "shop.x",
            "-shop",
            "shop-",
            "shop; date",
            &"a".repeat(64),
        ] {
            assert!(!is_namespace(wrong), "{wrong}");
        }
    }
}
