//! When the shared certificate is replaced, and in which order, so that no client ever meets one that it does not
//! trust. Pure: what to do next follows from what stands in the Secret.
//!
//! ```text
//!           due                 settled                   settled
//! Serving ------> Announced ---------------> Switched ----------------> Serving
//!           new CA in ca.crt,     new certificate         old CA gone
//!           its pair beside       in tls.crt              from ca.crt
//! ```
//!
//! Settled means: for as long as the overlap, this replica has seen the Secret unchanged and every APIService that
//! leads here trust all that stands in `ca.crt`. Each replica measures that on its own monotonic clock, so clocks
//! that differ cannot shorten it; whichever is there first writes, under the version it has read. Nothing else is
//! remembered, so a replica that dies leaves a Secret from which any other goes on.
//!
//! Before the switch the overlap is the time in which every API server has seen the new `caBundle`: it watches
//! APIServices and makes a new transport at the event, in milliseconds; a watch that broke is back within a minute.
//! After it, the overlap is the time in which every replica has read the Secret, which it does every few seconds. One
//! that cannot read it for longer cannot review access either, so it answers nobody whom the old CA could matter to.

use std::time::Duration;

use jiff::Timestamp;

use super::issue::{self, Issued};

/// A certificate must not live longer than asked for by more than this part of it: clocks differ.
const EXCESS: u32 = 10;

/// How long what lasts. Made by [`Times::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    validity: Duration,
    renew_before: Duration,
    overlap: Duration,
}

/// Replicas read the Secret every few seconds, and must all have done so within the overlap.
const SHORTEST_OVERLAP: Duration = Duration::from_secs(10);

/// Why the times do not go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimesError {
    /// It would be renewed for ever.
    #[error(
        "--self-signed-renew-before and three times --self-signed-overlap must be less than --self-signed-validity"
    )]
    NeverOld,
    /// Not every replica would have seen it.
    #[error("--self-signed-overlap must be at least 10s")]
    TooShort,
    /// It could end before a rotation does.
    #[error("--self-signed-renew-before must be more than twice --self-signed-overlap")]
    TooLate,
}

impl Times {
    /// Certificates are valid for `validity`, replaced once less than `renew_before` is left of that, and both CAs
    /// are trusted for at least `overlap` before and after the switch.
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

    /// How long certificates are valid.
    pub fn validity(&self) -> Duration {
        self.validity
    }
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// What stands in the Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// The CAs that clients are to trust, PEM one after another.
    pub trusted: String,
    /// What is served.
    pub serving: Pair,
    /// What will be served next; its CA is among the trusted.
    pub next: Option<Pair>,
}

/// What to do about the Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing now.
    Stay,
    /// What is served is of no use: issue anew and serve it at once.
    Replace,
    /// Make clients trust a new CA.
    Announce,
    /// Serve the certificate of the CA that was announced.
    Switch,
    /// Make clients forget the CAs that nothing is served by.
    Drop,
}

impl Shared {
    /// All of the first one, without a rotation.
    pub fn first(issued: Issued) -> Self {
        Self {
            trusted: issued.ca,
            serving: Pair {
                certificate: issued.certificate,
                key: issued.key,
            },
            next: None,
        }
    }

    /// What to do now about what serves for `name`. `settled` is how long it has stood and been trusted as it is.
    pub fn step(&self, name: &str, times: &Times, now: Timestamp, settled: Duration) -> Step {
        let lasts = |pair: &Pair, time: Duration| self.accepts(pair, name, after(now, time));
        let next = self.next.as_ref().filter(|next| lasts(next, Duration::ZERO));
        let settled = settled >= times.overlap;
        if !lasts(&self.serving, Duration::ZERO) {
            // Nothing is lost by haste now.
            return if next.is_some() {
                Step::Switch
            } else {
                Step::Replace
            };
        }
        if next.is_some() {
            return if settled { Step::Switch } else { Step::Stay };
        }
        if self.next.is_some() {
            return Step::Announce;
        }
        if self.without_unused(name, now).trusted != self.trusted {
            return if settled { Step::Drop } else { Step::Stay };
        }
        let longest = times.validity.saturating_add(times.validity / EXCESS);
        if !lasts(&self.serving, times.renew_before) || lasts(&self.serving, longest) {
            return Step::Announce;
        }
        Step::Stay
    }

    /// The Secret after [`Step::Announce`].
    pub fn announced(&self, new: Issued, name: &str, now: Timestamp) -> Self {
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
    pub fn switched(&self) -> Self {
        Self {
            serving: self.next.clone().unwrap_or_else(|| self.serving.clone()),
            trusted: self.trusted.clone(),
            next: None,
        }
    }

    /// The Secret after [`Step::Drop`]: only the CAs that what is served needs. All of them if none is found.
    pub fn without_unused(&self, name: &str, now: Timestamp) -> Self {
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

    /// Whether clients that trust what is to be trusted accept what is served, for `name`.
    pub fn serves(&self, name: &str, now: Timestamp) -> bool {
        self.accepts(&self.serving, name, now)
    }

    fn accepts(&self, pair: &Pair, name: &str, at: Timestamp) -> bool {
        issue::is_trusted(&self.trusted, &pair.certificate, &pair.key, name, at)
    }
}

/// So much later; beyond the calendar, its end.
fn after(now: Timestamp, time: Duration) -> Timestamp {
    now.checked_add(time).unwrap_or(Timestamp::MAX)
}

/// The single certificates of a bundle.
fn authorities(bundle: &str) -> impl Iterator<Item = &str> {
    bundle
        .split_inclusive("-----END CERTIFICATE-----")
        .map(str::trim_start)
        .filter(|block| block.contains("-----BEGIN CERTIFICATE-----"))
}

fn with_newline(pem: &str) -> String {
    format!("{}\n", pem.trim_end())
}

/// For how long something has been the same, without a look having been missed: on the monotonic clock of whoever
/// looks.
#[derive(Clone, Debug)]
pub struct Settled<T> {
    seen: Option<(T, Duration, Duration)>,
    patience: Duration,
}

impl<T: PartialEq> Settled<T> {
    /// Nothing was seen yet. A pause between looks of more than `patience` counts as a change.
    pub fn new(patience: Duration) -> Self {
        Self { seen: None, patience }
    }

    /// Takes in a look; `None` is a look that settles nothing. Says for how long it has been the same.
    pub fn look(&mut self, seen: Option<T>, now: Duration) -> Duration {
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
