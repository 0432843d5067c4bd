//! The names of VoiceAssist's series, as the shipped example reads them.

/// Counter of every gateway pod.
pub(crate) const REQUESTS: &str = "voiceassist_http_requests_total";
/// Gauge that every worker pod exports with the same value.
pub(crate) const QUEUE_DEPTH: &str = "voiceassist_queue_depth";
/// Gauge that every worker pod exports with the same value, in seconds.
pub(crate) const QUEUE_AGE: &str = "voiceassist_queue_oldest_job_age_seconds";
/// The one queue.
pub(crate) const QUEUE: &str = "default";
