//! Leader election, decided: when a replica may take a Lease, and until when it may write.
//!
//! The semantics are client-go's (`k8s.io/client-go/tools/leaderelection`): a candidate takes a lease when
//! it has not seen the record change for the record's own lease duration, measured on the candidate's own
//! monotonic clock. Timestamps in the record are for people; clocks that disagree never matter.
//!
//! A tenure counts from the moment its renewal was *sent*. Everybody else sees the renewed record later
//! than that, so a tenure always ends, on the holder's clock, before anybody else may take the lease.
//!
//! Must not: read a clock or talk to the API server; that is [`crate::cluster::leader`].

use std::time::Duration;

use jiff::Timestamp;

/// The three durations of leader election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    lease_duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
}

/// Why a set of durations was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// A write that starts just before the renew deadline would have no time left.
    #[error("the lease duration must be at least 1s longer than the renew deadline")]
    LeaseTooShort,
    /// The holder would give up before it tried twice.
    #[error("the renew deadline must be at least 1.2 times the retry period, which must not be zero")]
    DeadlineTooShort,
    /// A Lease stores whole seconds.
    #[error("the lease duration must be whole seconds")]
    NotWholeSeconds,
}

impl Timing {
    /// Checks the durations against each other.
    ///
    /// # Errors
    /// See [`TimingError`].
    pub fn new(
        lease_duration: Duration,
        renew_deadline: Duration,
        retry_period: Duration,
    ) -> Result<Self, TimingError> {
        if lease_duration.subsec_nanos() != 0 {
            return Err(TimingError::NotWholeSeconds);
        }
        if lease_duration < renew_deadline.saturating_add(Duration::from_secs(1)) {
            return Err(TimingError::LeaseTooShort);
        }
        if retry_period.is_zero() || renew_deadline < retry_period.saturating_mul(6) / 5 {
            return Err(TimingError::DeadlineTooShort);
        }
        Ok(Self {
            lease_duration,
            renew_deadline,
            retry_period,
        })
    }

    /// Longest time one attempt may take: a request that hangs must leave time for another.
    pub fn attempt_limit(&self) -> Duration {
        self.renew_deadline / 2
    }

    /// Time between attempts.
    pub fn retry_period(&self) -> Duration {
        self.retry_period
    }
}

/// The content of a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Identity of the holder; empty when the lease was released.
    pub holder: String,
    /// How long a candidate waits after it last saw the record change.
    pub lease_duration: Duration,
    /// When the holder took it, by its own wall clock.
    pub acquired: Timestamp,
    /// When the holder last renewed it, by its own wall clock.
    pub renewed: Timestamp,
    /// How often the holder changed.
    pub transitions: i32,
}

/// What to do next, after reading the Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// There is no Lease: create it with this content.
    Create(Record),
    /// Replace what was read, under its resourceVersion, with this content.
    Replace(Record),
    /// Somebody else holds it.
    Wait {
        /// The identity in the record.
        holder: String,
    },
}

/// The right to write, for a limited time on the holder's own monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tenure {
    start_until: Duration,
    end_by: Duration,
}

impl Tenure {
    /// A tenure whose renewal was sent at `sent`.
    pub fn new(sent: Duration, timing: &Timing) -> Self {
        let slack = timing.lease_duration.saturating_sub(timing.renew_deadline);
        Self {
            start_until: sent.saturating_add(timing.renew_deadline),
            // The rest of the slack is for what the API server still does with an abandoned request.
            end_by: sent.saturating_add(timing.renew_deadline + slack / 2),
        }
    }

    /// Whether a write may start at `now`.
    pub fn may_start(&self, now: Duration) -> bool {
        now < self.start_until
    }

    /// The moment by which every write of this tenure must have ended.
    pub fn end_by(&self) -> Duration {
        self.end_by
    }
}

/// One candidate's view of the Lease.
#[derive(Clone, Debug)]
pub struct Elector {
    identity: String,
    timing: Timing,
    /// The last record read and when it was first read like that.
    seen: Option<(Record, Duration)>,
}

impl Elector {
    /// A candidate that has seen nothing yet. `identity` must be unique per process, not per pod: a
    /// restarted process must wait like everybody else.
    pub fn new(identity: String, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            seen: None,
        }
    }

    /// Its durations.
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// What to do, having read `found` by the monotonic time `now`; `wall` goes into the new record.
    pub fn attempt(&mut self, found: Option<Record>, now: Duration, wall: Timestamp) -> Attempt {
        let Some(found) = found else {
            self.seen = None;
            return Attempt::Create(self.record(wall, wall, 0));
        };
        let since = match &self.seen {
            Some((record, since)) if *record == found => *since,
            _ => now,
        };
        self.seen = Some((found.clone(), since));
        let mine = found.holder == self.identity;
        let free = found.holder.is_empty() || since.saturating_add(found.lease_duration) <= now;
        if mine {
            Attempt::Replace(self.record(found.acquired, wall, found.transitions))
        } else if free {
            Attempt::Replace(self.record(wall, wall, found.transitions.saturating_add(1)))
        } else {
            Attempt::Wait { holder: found.holder }
        }
    }

    /// The record that gives the lease up, so that the next candidate need not wait.
    pub fn released(&self, held: &Record, wall: Timestamp) -> Record {
        Record {
            holder: String::new(),
            lease_duration: Duration::from_secs(1),
            acquired: wall,
            renewed: wall,
            transitions: held.transitions,
        }
    }

    fn record(&self, acquired: Timestamp, renewed: Timestamp, transitions: i32) -> Record {
        Record {
            holder: self.identity.clone(),
            lease_duration: self.timing.lease_duration,
            acquired,
            renewed,
            transitions,
        }
    }
}

#[cfg(test)]
mod tests;
