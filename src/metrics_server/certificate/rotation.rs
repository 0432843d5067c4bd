//! Decides when the shared certificate is replaced, and in which order, so that no client ever meets a
//! certificate that it does not trust. Pure: the next step follows from the content of the Secret.
//!
//! ```text
//!           due                 settled                   settled
//! Serving ------> Announced ---------------> Switched ----------------> Serving
//!           new CA in ca.crt,     new certificate         old CA gone
//!           its pair beside       in tls.crt              from ca.crt
//! ```
//!
//! Settled means: for as long as the overlap, this replica has seen the Secret unchanged, and has seen every
//! APIService that leads here trust all CAs in `ca.crt`. Each replica measures that on its own monotonic
//! clock, so clocks that differ cannot shorten it. The first replica for which the overlap has passed writes,
//! on the version that it has read. Nothing else is remembered, so when a replica dies, any other continues
//! from the Secret.
//!
//! Before the switch, the overlap gives every API server time to see the new `caBundle`. An API server
//! watches APIServices and makes a new transport at the event, within milliseconds; a watch that broke is
//! back within a minute. After the switch, the overlap gives every replica time to read the Secret, which it
//! does every few seconds. A replica that cannot read the Secret for longer cannot review access either, so
//! it answers no client for which the old CA could matter.

use std::time::Duration;

use jiff::Timestamp;

use super::issue::{self, Issued};

/// A certificate is replaced when its remaining validity exceeds the configured one by more than this
/// fraction (1/10). The tolerance is for clocks that differ.
const EXCESS: u32 = 10;

/// Durations of the rotation, which fit together. Made by [`Times::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    validity: Duration,
    renew_before: Duration,
    overlap: Duration,
}

/// Shortest overlap: replicas read the Secret every few seconds, and all must have read it within the
/// overlap.
const SHORTEST_OVERLAP: Duration = Duration::from_secs(10);

/// Why the durations do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimesError {
    /// A new certificate would be due for renewal before its rotation ends, so that the rotation would never
    /// stop.
    #[error(
        "--self-signed-renew-before and three times --self-signed-overlap must be less than --self-signed-validity"
    )]
    NeverOld,
    /// A replica might not have read the Secret within the overlap.
    #[error("--self-signed-overlap must be at least 10s")]
    TooShort,
    /// The old certificate could expire before the rotation ends.
    #[error("--self-signed-renew-before must be more than twice --self-signed-overlap")]
    TooLate,
}

impl Times {
    /// Certificates are valid for `validity`, and a rotation starts when less than `renew_before` is left of
    /// it. Both CAs are trusted for at least `overlap` before the switch and after it.
    ///
    /// # Errors
    /// See [`TimesError`].
    pub fn new(validity: Duration, renew_before: Duration, overlap: Duration) -> Result<Self, TimesError> {
        if overlap < SHORTEST_OVERLAP {
            return Err(TimesError::TooShort);
        }
        if renew_before.saturating_add(overlap.saturating_mul(3)) >= validity {
            return Err(TimesError::NeverOld);
        }
        if renew_before <= overlap.saturating_mul(2) {
            return Err(TimesError::TooLate);
        }
        Ok(Self {
            validity,
            renew_before,
            overlap,
        })
    }

    /// How long new certificates are valid.
    pub fn validity(&self) -> Duration {
        self.validity
    }
}

/// A certificate and its private key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pair {
    /// The certificate, or chain, in PEM.
    pub certificate: String,
    /// The private key in PEM.
    pub key: String,
}

/// The content of the Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    /// The CAs that clients are to trust, as concatenated PEM blocks.
    pub trusted: String,
    /// The pair that is served now.
    pub serving: Pair,
    /// The pair that is served after the switch. Its CA is in `trusted` already.
    pub next: Option<Pair>,
}

/// The next step for the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Change nothing now.
    Stay,
    /// The served certificate is not usable: issue a new CA and certificate, and serve it at once.
    Replace,
    /// Make clients trust a new CA, beside the old one.
    Announce,
    /// Serve the certificate of the announced CA.
    Switch,
    /// Remove the CAs that did not issue the served certificate.
    Drop,
}

impl Shared {
    /// The first content, with a freshly issued CA and certificate, and no rotation under way.
    pub(crate) fn first(issued: Issued) -> Self {
        Self {
            trusted: issued.ca,
            serving: Pair {
                certificate: issued.certificate,
                key: issued.key,
            },
            next: None,
        }
    }

    /// The next step for the certificate of `name`. `settled` is for how long this content has stood in the
    /// Secret and been trusted.
    pub(crate) fn step(&self, name: &str, times: &Times, now: Timestamp, settled: Duration) -> Step {
        let lasts = |pair: &Pair, time: Duration| self.accepts(pair, name, after(now, time));
        let next = self.next.as_ref().filter(|next| lasts(next, Duration::ZERO));
        let settled = settled >= times.overlap;
        if !lasts(&self.serving, Duration::ZERO) {
            // Clients refuse the served certificate already, so no overlap is needed.
            return if next.is_some() {
                Step::Switch
            } else {
                Step::Replace
            };
        }
        if next.is_some() {
            return if settled { Step::Switch } else { Step::Stay };
        }
        // An announced pair that is not usable, such as one whose CA is missing: announce another one.
        if self.next.is_some() {
            return Step::Announce;
        }
        // The last step of a rotation: `ca.crt` still holds a CA that did not issue the served certificate.
        if self.without_unused(name, now).trusted != self.trusted {
            return if settled { Step::Drop } else { Step::Stay };
        }
        // Too little validity left, or far more than configured: after a lower setting the certificate is
        // replaced too.
        let longest = times.validity.saturating_add(times.validity / EXCESS);
        if !lasts(&self.serving, times.renew_before) || lasts(&self.serving, longest) {
            return Step::Announce;
        }
        Step::Stay
    }

    /// The Secret after [`Step::Announce`].
    pub(crate) fn announced(&self, new: Issued, name: &str, now: Timestamp) -> Self {
        // CAs that are not needed go first, so that announcing again and again does not make the bundle grow.
        let before = Self {
            next: None,
            ..self.clone()
        }
        .without_unused(name, now);
        Self {
            trusted: format!("{}{}", with_newline(&before.trusted), new.ca),
            serving: self.serving.clone(),
            next: Some(Pair {
                certificate: new.certificate,
                key: new.key,
            }),
        }
    }

    /// The Secret after [`Step::Switch`].
    pub(crate) fn switched(&self) -> Self {
        Self {
            serving: self.next.clone().unwrap_or_else(|| self.serving.clone()),
            trusted: self.trusted.clone(),
            next: None,
        }
    }

    /// The Secret after [`Step::Drop`]: only the CAs that verify the served certificate. If there is none,
    /// all CAs stay.
    pub(crate) fn without_unused(&self, name: &str, now: Timestamp) -> Self {
        let used: String = authorities(&self.trusted)
            .filter(|ca| issue::is_trusted(ca, &self.serving.certificate, &self.serving.key, name, now))
            .map(with_newline)
            .collect();
        Self {
            trusted: if used.is_empty() {
                self.trusted.clone()
            } else {
                used
            },
            ..self.clone()
        }
    }

    /// Whether clients that trust the CAs of the Secret accept the served certificate for `name` at `now`.
    pub(crate) fn serves(&self, name: &str, now: Timestamp) -> bool {
        self.accepts(&self.serving, name, now)
    }

    fn accepts(&self, pair: &Pair, name: &str, at: Timestamp) -> bool {
        issue::is_trusted(&self.trusted, &pair.certificate, &pair.key, name, at)
    }
}

/// `now` plus `time`; the latest possible timestamp if that is out of range.
fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// The PEM blocks of the certificates in a bundle.
fn authorities(bundle: &str) -> impl Iterator<Item = &str> {
    bundle
        .split_inclusive("-----END CERTIFICATE-----")
        .map(str::trim_start)
        .filter(|block| block.contains("-----BEGIN CERTIFICATE-----"))
}

fn with_newline(pem: &str) -> String {
    format!("{}\n", pem.trim_end())
}

/// Measures for how long a value has been the same, without a gap between observations, on the observer's
/// monotonic clock.
#[derive(Clone, Debug)]
pub(crate) struct Settled<T> {
    seen: Option<(T, Duration, Duration)>,
    patience: Duration,
}

impl<T: PartialEq> Settled<T> {
    /// A measurement without observations. A pause of more than `patience` between two of them counts as a
    /// change.
    pub(crate) fn new(patience: Duration) -> Self {
        Self { seen: None, patience }
    }

    /// Takes in an observation and returns for how long the value has been the same. `None` means that there
    /// is no value that could settle, and starts the measurement anew.
    pub(crate) fn observe(&mut self, seen: Option<T>, now: Duration) -> Duration {
        let since = match (&self.seen, &seen) {
            (Some((before, since, last)), Some(seen))
                if before == seen && now.saturating_sub(*last) <= self.patience =>
            {
                *since
            }
            _ => now,
        };
        self.seen = seen.map(|seen| (seen, since, now));
        now.saturating_sub(since)
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
