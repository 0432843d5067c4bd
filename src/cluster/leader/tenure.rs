//! The decisions of leader election: when a replica may take a Lease, and until when it may write.
//!
//! The semantics are those of client-go (`k8s.io/client-go/tools/leaderelection`). A candidate takes a lease
//! when it has not seen the record change for the record's own lease duration, measured on the candidate's
//! own monotonic clock. Timestamps in the record are for people; clocks that disagree do no harm.
//!
//! A tenure counts from the moment its renewal was *sent*. Every other candidate sees the renewed record
//! later than that. So on the holder's clock a tenure always ends before another candidate may take the
//! lease. Example with a lease of 15 s, a renew deadline of 10 s and a renewal sent at 100 s: writes start
//! until 110 s and end by 112.5 s. Another candidate saw the renewal after 100 s and takes the lease after
//! 115 s at the earliest.
//!
//! Must not: read a clock or talk to the API server; that is [`crate::leader`].

use std::time::Duration;

use jiff::Timestamp;

/// The three durations of leader election.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    lease_duration: Duration,
    renew_deadline: Duration,
    retry_period: Duration,
}

/// Why the durations of leader election were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// A write that starts just before the renew deadline would have no time left to end.
    #[error("the lease duration must be at least 1s longer than the renew deadline")]
    LeaseTooShort,
    /// The holder would give up before its second attempt to renew. client-go requires the same factor of 1.2
    /// (`JitterFactor`).
    #[error("the renew deadline must be at least 1.2 times the retry period, which must not be zero")]
    DeadlineTooShort,
    /// A Lease stores its duration in whole seconds.
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

    /// Longest time that one attempt may take: half of the renew deadline, so that a request that hangs
    /// leaves time for another attempt.
    pub fn attempt_limit(&self) -> Duration {
        self.renew_deadline / 2
    }

    /// Time between two attempts.
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
    /// When the holder took the lease, by the holder's wall clock.
    pub acquired: Timestamp,
    /// When the holder last renewed the lease, by the holder's wall clock.
    pub renewed: Timestamp,
    /// Number of changes of the holder since the Lease was created.
    pub transitions: i32,
}

/// What a candidate does next, after it has read the Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// There is no Lease: create one with this content.
    Create(Record),
    /// Replace the Lease that was read, under its resourceVersion, with this content.
    Replace(Record),
    /// Another candidate holds the lease: write nothing.
    Wait {
        /// The identity in the record.
        holder: String,
    },
}

/// The right to write, limited in time on the holder's own monotonic clock.
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
            // Half of the slack stays free for an abandoned request that the API server is still working on.
            end_by: sent.saturating_add(timing.renew_deadline + slack / 2),
        }
    }

    /// Whether a write may start at `now`.
    pub fn may_start(&self, now: Duration) -> bool {
        now < self.start_until
    }

    /// The moment by which every write of this tenure must have ended, on the holder's monotonic clock.
    pub fn end_by(&self) -> Duration {
        self.end_by
    }
}

/// One candidate's view of the Lease.
#[derive(Clone, Debug)]
pub struct Elector {
    identity: String,
    timing: Timing,
    /// The last record read, and when that same content was first read.
    seen: Option<(Record, Duration)>,
}

impl Elector {
    /// A candidate that has seen no record yet. `identity` must be unique per process, not per pod: a
    /// restarted process must wait like every other candidate.
    pub fn new(identity: String, timing: Timing) -> Self {
        Self {
            identity,
            timing,
            seen: None,
        }
    }

    /// The durations that this candidate goes by.
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Decides what to do. `found` is the Lease as it was read, `now` the monotonic time after the read, and
    /// `wall` the wall-clock time for the new record.
    pub fn attempt(&mut self, found: Option<Record>, now: Duration, wall: Timestamp) -> Attempt {
        let Some(found) = found else {
            self.seen = None;
            return Attempt::Create(self.record(wall, wall, 0));
        };
        // Any change of the record is a sign of life of its holder and restarts the wait.
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

    /// The record that releases the lease, so that the next candidate need not wait: no holder, and a
    /// duration of 1 s.
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
