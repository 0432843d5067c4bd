//! What differs in the report of a run with KEDA, which has a section of its own.

use crate::arguments::KedaReads;

/// Name of the section in its marks.
pub(super) fn section(keda: Option<KedaReads>) -> &'static str {
    match keda {
        None => "metrics-server",
        Some(KedaReads::Live) => "keda",
        Some(KedaReads::Cached) => "keda-cached",
    }
}

/// Heading of the section.
pub(super) fn heading(keda: Option<KedaReads>) -> &'static str {
    match keda {
        None => "The metrics server",
        Some(KedaReads::Live) => "The metrics server beside KEDA",
        Some(KedaReads::Cached) => "The metrics server beside KEDA with cached values",
    }
}

/// Explains how to read KEDA's lines.
pub(super) fn reading(reads: KedaReads) -> String {
    let source = match reads {
        KedaReads::Live => LIVE,
        KedaReads::Cached => CACHED,
    };
    format!("{PROCESSES} {source}\n")
}

const PROCESSES: &str = "\
KEDA's server is two processes, the adapter and the operator that it asks by gRPC; both count, in CPU and memory. It serves \
External only, and its discovery is that of External: what it does not serve has no line. The limits on its own clients are \
lifted too. It polls every 30 s besides; in the stretches of load no poll falls, in the HPA's pattern all of them do. Paused \
and let go on, it polls for all workloads at one moment, which is waited out before a stretch.";

const LIVE: &str = "\
A read asks Prometheus anew, as by default (`useCachedMetrics: false`).";

const CACHED: &str = "\
A read is answered from the last poll (`useCachedMetrics: true`), which may be 30 s old.";
