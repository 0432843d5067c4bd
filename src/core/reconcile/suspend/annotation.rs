//! The annotations that suspend: one for suspensions without a holder's name, and one for each named holder.

use std::{borrow::Cow, collections::BTreeMap, fmt, str::FromStr};

use thiserror::Error;

use super::suspension::LONGEST;

/// The annotation of `vas suspend` without `--holder`.
pub const ANNOTATION: &str = "scaling.voiceassist.io/suspend";
/// The character between [`ANNOTATION`] and the name of a holder.
const SEPARATOR: char = '.';
/// Largest length of a holder's name. The part of an annotation key behind the slash may have 63 characters.
const LONGEST_HOLDER: usize = 63 - "suspend.".len();
/// Largest number of holders of one resource that are read.
pub(super) const MOST_HOLDERS: usize = 8;

/// Name of a holder, such as [`CAPACITY_TEST`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder(Cow<'static, str>);

/// The holder of suspensions by `vas test capacity`.
pub const CAPACITY_TEST: Holder = Holder(Cow::Borrowed("capacity-test"));

/// The text is not a valid name of a holder.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "a holder's name has at most {LONGEST_HOLDER} characters: letters, digits, '-', '_' and '.', a letter or digit at both ends"
)]
pub struct HolderError;

impl FromStr for Holder {
    type Err = HolderError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let ends = [text.bytes().next(), text.bytes().last()];
        let outer = ends
            .iter()
            .all(|byte| byte.is_some_and(|byte| byte.is_ascii_alphanumeric()));
        if outer && text.len() <= LONGEST_HOLDER && text.bytes().all(inner) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(HolderError)
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The annotation key of a holder; `None` stands for a suspension without a holder's name.
pub fn key(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || ANNOTATION.to_owned(),
        |holder| format!("{ANNOTATION}{SEPARATOR}{holder}"),
    )
}

/// The flag of `vas resume` that names the holder of an annotation; empty for the annotation without a
/// holder.
pub fn holder_flag(key: &str) -> String {
    let holder = key
        .strip_prefix(ANNOTATION)
        .and_then(|rest| rest.strip_prefix(SEPARATOR));
    holder.map_or_else(String::new, |holder| format!(" --holder {holder}"))
}

/// Whether the annotation with this key suspends.
fn suspends(key: &str) -> bool {
    key.strip_prefix(ANNOTATION)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATOR))
}

/// Key and text of each annotation that suspends, in the order of the keys.
pub(super) fn entries(annotations: Option<&BTreeMap<String, String>>) -> impl Iterator<Item = (&str, &str)> {
    let all = annotations.into_iter().flatten();
    all.filter(|(key, _)| suspends(key))
        .map(|(key, text)| (key.as_str(), text.as_str()))
}

/// Keeps only the annotations that suspend, so that a watch needs little memory. One holder more than allowed
/// is kept, and one character more than allowed, so that a reader still sees that there are too many.
pub fn keep_only_suspensions(
    annotations: Option<&BTreeMap<String, String>>,
) -> Option<BTreeMap<String, String>> {
    let kept: BTreeMap<String, String> = entries(annotations)
        .take(MOST_HOLDERS + 1)
        .map(|(key, text)| {
            let end = text.char_indices().map(|(at, _)| at).find(|at| *at > LONGEST);
            let text = text.get(..end.unwrap_or(text.len())).unwrap_or_default();
            (key.to_owned(), text.to_owned())
        })
        .collect();
    (!kept.is_empty()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holder_has_an_annotation_that_the_api_server_takes() {
        let longest = "x".repeat(LONGEST_HOLDER);
        for name in ["capacity-test", "a", &longest] {
            let key = key(Some(&name.parse().unwrap()));
            assert!(suspends(&key), "{key}");
            assert!(key.split_once('/').unwrap().1.len() <= 63, "{key}");
        }
        assert_eq!(key(None), ANNOTATION);
        for name in ["", "-a", "a.", "a b", "a/b", &"x".repeat(LONGEST_HOLDER + 1)] {
            assert_eq!(name.parse::<Holder>(), Err(HolderError), "{name}");
        }
        assert!(!suspends("scaling.voiceassist.io/suspended"));
    }

    #[test]
    fn a_watch_keeps_what_suspends_within_a_bound() {
        let mut annotations = BTreeMap::from([("team".to_owned(), "voice".to_owned())]);
        assert_eq!(keep_only_suspensions(Some(&annotations)), None);
        annotations.insert(ANNOTATION.to_owned(), "é".repeat(100_000));
        for holder in 0..100 {
            annotations.insert(format!("{ANNOTATION}.h{holder}"), "until=x".to_owned());
        }
        let kept = keep_only_suspensions(Some(&annotations)).unwrap();
        assert_eq!(kept.len(), MOST_HOLDERS + 1);
        let longest = kept[ANNOTATION].len();
        assert!((LONGEST + 1..LONGEST + 4).contains(&longest), "{longest}");
    }
}
