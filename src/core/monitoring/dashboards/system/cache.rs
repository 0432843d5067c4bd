//! VoiceAssist's caches: L1 in the process, L2 in Redis, L3 the database.

use crate::monitoring::dashboards::{
    Row,
    others::voiceassist::{CACHE_BYTES, CACHE_DURATION, CACHE_ENTRIES, CACHE_EVICTIONS, CACHE_REQUESTS},
    panel::{Panel, Unit},
    query::{Query, WINDOW, chosen, quantile, rate, share_where, sum},
};

pub(super) fn row() -> Row {
    Row {
        title: "VoiceAssist: cache",
        panels: vec![hits(), lookups(), time(), size()],
    }
}

fn hits() -> Panel {
    Panel::lines(
        "Part of lookups that hit",
        Unit::Share,
        "By cache and tier; a stale value that is served while it is renewed is a hit, and the database (l3) is no cache. Lookups in L2 are those that L1 had no answer for, so a low line there is usual. No line is shown while nobody looks.",
    )
    .query(
        share_where(
            "namespace, cache, tier",
            CACHE_REQUESTS,
            "tier!=\"l3\"",
            "result=~\"hit|stale\"",
        ),
        "{{namespace}} {{cache}} {{tier}}",
    )
    .whole()
}

fn lookups() -> Panel {
    Panel::stacked(
        "Lookups by result",
        Unit::EventsPerSecond,
        "Hits, stale values that are served while they are renewed, misses, and lookups for which Redis was unreachable.",
    )
    .query(
        rate("namespace, tier, result", CACHE_REQUESTS),
        "{{namespace}} {{tier}} {{result}}",
    )
}

fn time() -> Panel {
    Panel::lines(
        "p95 of operations",
        Unit::Seconds,
        "Time of operations by tier. L2 above some milliseconds costs more than it saves.",
    )
    .query(
        quantile("0.95", "namespace, tier, operation", CACHE_DURATION, WINDOW),
        "{{namespace}} {{tier}} {{operation}}",
    )
    .orange(0.01)
    .red(0.1)
}

fn size() -> Panel {
    Panel::lines(
        "Size of L1",
        Unit::Bytes,
        "Bytes in L1 of all chosen pods; at the right its values, and those that it gave up because it was full.",
    )
    .query(sum("namespace", &chosen(CACHE_BYTES)), "{{namespace}} bytes")
    .with(Query::at_right(Unit::Count, sum("namespace", &chosen(CACHE_ENTRIES)), "{{namespace}} values"))
    .with(Query::at_right(Unit::EventsPerSecond, rate("namespace", CACHE_EVICTIONS), "{{namespace}} given up"))
}
