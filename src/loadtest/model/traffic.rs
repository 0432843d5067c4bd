//! What went over HTTP: answers by status, and bytes of bodies.

use std::collections::BTreeMap;

/// Answers by status, and bytes of bodies, in both directions. Headers, TLS and WebSockets do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Answers by status, counted when their head came. Some of them may have failed later.
    pub statuses: BTreeMap<u16, u64>,
    /// Bytes of the bodies of requests that had an answer.
    pub sent_bytes: u64,
    /// Bytes of the bodies of answers as they came over the wire, also of answers that broke off.
    pub received_bytes: u64,
}

impl Traffic {
    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (status, answers) in &other.statuses {
            *self.statuses.entry(*status).or_default() += answers;
        }
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
    }

    /// Number of all answers.
    pub fn answers(&self) -> u64 {
        self.statuses.values().sum()
    }

    /// Whether there are answers and all of them are redirects.
    pub fn only_redirects(&self) -> bool {
        !self.statuses.is_empty() && self.statuses.keys().copied().all(is_redirect)
    }
}

/// Whether an answer of this status is a redirect (RFC 9110, section 15.4).
pub fn is_redirect(status: u16) -> bool {
    matches!(status, 301..=303 | 307 | 308)
}

/// A number of bytes with three digits: "17 B", "1.23 kB", "45.6 MB".
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut value = count as f64 / 1000.0;
    let mut units = UNITS.into_iter();
    let mut unit = units.next().unwrap_or_default();
    // 999.5 would be written as "1000" in three digits, so it goes to the next unit: "1.00 MB", not "1000
    // kB".
    while value >= 999.5 {
        let Some(next) = units.next() else { break };
        (value, unit) = (value / 1000.0, next);
    }
    let decimals = usize::from(value < 99.95) + usize::from(value < 9.995);
    format!("{value:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_three_digits_also_where_rounding_makes_one_more() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (9_999, "10.0 kB"),
            (99_960, "100 kB"),
            (999_600, "1.00 MB"),
            (45_640_000, "45.6 MB"),
            (u64::MAX, "18.4 EB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn redirects_are_answers_that_lead_elsewhere_and_nothing_else() {
        let of = |statuses: &[u16]| Traffic {
            statuses: statuses.iter().map(|status| (*status, 3)).collect(),
            ..Traffic::default()
        };
        assert!(of(&[301, 308]).only_redirects());
        for statuses in [&[302, 200][..], &[304], &[]] {
            assert!(!of(statuses).only_redirects(), "{statuses:?}");
        }
        let mut both = of(&[302]);
        both.merge(&of(&[302, 200]));
        assert_eq!((both.answers(), both.statuses[&302]), (9, 6));
    }
}
