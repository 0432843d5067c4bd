//! Subjects: what is cached, and for how long.

use std::time::Duration;

/// One subject of the cache. Its name is a label of metrics and part of keys.
#[derive(Debug)]
pub struct Subject {
    /// The name.
    pub name: &'static str,
    /// Time in memory: the bound on staleness where a message is lost.
    pub local: Duration,
    /// Time in Redis.
    pub shared: Duration,
    /// Time for which nothing is kept: "there is no such thing" becomes wrong more often than a value.
    pub nothing: Duration,
    /// An old value is given out for so long while a new one is loaded; zero where nobody may see an old one.
    pub stale: Duration,
    /// Whether other processes wait for a load instead of loading too.
    pub expensive: bool,
}

impl Subject {
    /// A minute in memory and five in Redis; ten seconds for nothing.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            local: Duration::from_secs(60),
            shared: Duration::from_secs(300),
            nothing: Duration::from_secs(10),
            stale: Duration::ZERO,
            expensive: false,
        }
    }

    /// The key of a value in all tiers.
    pub(super) fn key(&self, key: &str) -> String {
        format!("voiceassist:{}:{key}", self.name)
    }
}
