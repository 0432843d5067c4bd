//! Words that several kinds of reports share.

use super::{Report, Verdict};
use crate::{
    autoscaling::elasticity::Elasticity,
    model::{
        achieved, cause,
        chain::{Chain, LinkKind},
        latencies::Latencies,
        measured::{End, Requests, WebSockets},
        scaling::{EventKind, Scaling},
        traffic::{Traffic, bytes},
    },
    scenario::threshold::in_percent,
};

/// Name of a link of a time-to-scale chain.
pub(super) fn link(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::LoadStep => "load step",
        LinkKind::MetricVisible => "metric visible",
        LinkKind::Desired => "HPA asks for more",
        LinkKind::PodCreated => "pod created",
        LinkKind::Scheduled => "pods scheduled",
        LinkKind::Started => "containers started",
        LinkKind::Ready => "pods Ready",
        LinkKind::Recovered => "p95 under its objective",
    }
}

/// Name of a kind of event.
pub(super) fn event(kind: EventKind) -> &'static str {
    match kind {
        EventKind::PodCreated => "pod created",
        EventKind::PodScheduled => "pod scheduled",
        EventKind::PodStarted => "pod started",
        EventKind::PodReady => "pod Ready",
        EventKind::PodUnready => "pod not Ready",
        EventKind::PodTerminating => "pod terminating",
        EventKind::PodGone => "pod gone",
        EventKind::HpaCondition => "HPA condition",
        EventKind::VpaRecommendation => "VPA advice",
        EventKind::DisruptionRoom => "PDB room",
        EventKind::PodRefused => "pod refused",
    }
}

/// The verdict in one word.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Fail => "FAIL",
        Verdict::Invalid => "INVALID",
    }
}

/// How the run ended; `None` where it ended as planned.
pub(super) fn end(report: &Report) -> Option<String> {
    let short = crate::scenario::duration::format;
    match &report.measured.end {
        End::Completed => None,
        End::Interrupted => Some(format!(
            "stopped after {} of {}",
            short(report.measured.elapsed),
            short(report.measured.planned)
        )),
        End::Aborted(why) => Some(format!("given up: {why}")),
    }
}

/// Requests answered per second of the load; `None` where no rate can be computed.
pub(super) fn achieved_rate(report: &Report) -> Option<f64> {
    achieved::rate(&report.measured.total, &report.measured)
}

/// The rate in words: `10.0 answered/s`.
pub(super) fn achieved(report: &Report) -> String {
    achieved_rate(report).map_or("no rate can be told".to_owned(), |rate| {
        format!("{rate:.1} answered/s")
    })
}

/// Words on answers after the load: ` (50 of them after the load)`; empty without any.
pub(super) fn after_the_load(requests: &Requests) -> String {
    match requests.answered.saturating_sub(requests.answered_in_time) {
        0 => String::new(),
        late => format!(" ({late} of them after the load)"),
    }
}

/// Most statuses that are listed one by one.
const STATUSES: usize = 8;

/// Answers by status, highest count first: `90 of 200, 10 of 503`.
pub(super) fn statuses(traffic: &Traffic) -> String {
    let mut statuses: Vec<(&u16, &u64)> = traffic.statuses.iter().collect();
    statuses.sort_by_key(|&(_, answers)| std::cmp::Reverse(*answers));
    let listed = statuses.iter().take(STATUSES);
    let mut words: Vec<String> = listed
        .map(|(status, answers)| format!("{answers} of {status}"))
        .collect();
    let others = statuses
        .iter()
        .skip(STATUSES)
        .map(|(_, answers)| **answers)
        .sum::<u64>();
    if others > 0 {
        words.push(format!("{others} of other statuses"));
    }
    if words.is_empty() {
        words.push("none".to_owned());
    }
    words.join(", ")
}

/// Bytes of bodies, sent and received.
pub(super) fn volume(traffic: &Traffic) -> String {
    format!(
        "{} sent, {} received",
        bytes(traffic.sent_bytes),
        bytes(traffic.received_bytes)
    )
}

/// Notes: facts that are no doubt about the run but change what its figures mean.
pub(super) fn notes(report: &Report) -> Vec<String> {
    [redirects(report), retried(report)]
        .into_iter()
        .flatten()
        .collect()
}

/// A note where all answers are redirects.
fn redirects(report: &Report) -> Option<String> {
    let total = &report.measured.total;
    let traffic = total.traffic.as_ref()?;
    // Where redirects are followed, an answer that is still a redirect is a failure, and its cause says why.
    // The note is only for redirects that counted as answers.
    let of_answer = |cause: &String| {
        [cause::STATUS, cause::CHECK]
            .iter()
            .any(|kind| cause.starts_with(kind))
    };
    let was_judged = total.answered > 0 || total.failures.keys().any(of_answer);
    (was_judged && traffic.only_redirects()).then(|| {
        format!(
            "all {} answers are redirects ({}): what is measured is the redirect, not the page; give --target the URL that they lead to, or follow them (--follow)",
            traffic.answers(),
            statuses(traffic)
        )
    })
}

/// A note where more than 1 % of the requests were sent twice.
fn retried(report: &Report) -> Option<String> {
    const MANY: f64 = 0.01;
    let total = &report.measured.total;
    let share = total.retried_share().filter(|share| *share > MANY)?;
    Some(format!(
        "{} requests ({}) were sent twice, because the server ended idle connections as they came, or said that it had not looked at them; {}",
        total.retried,
        in_percent(share),
        "let it keep idle connections longer than its clients, proxies and load balancers do"
    ))
}

/// Fewest and most Ready replicas of the run; `None` where none were observed.
pub(super) fn ready_range(scaling: &Scaling) -> Option<(u32, u32)> {
    let ready = || scaling.replicas.iter().map(|seen| seen.ready);
    Some((ready().min()?, ready().max()?))
}

/// Replicas in words: `2 to 10 Ready, bounds 2 to 10`.
pub(super) fn replicas(scaling: &Scaling) -> String {
    let seen = ready_range(scaling).map_or_else(
        || "none seen".to_owned(),
        |(fewest, most)| format!("{fewest} to {most} Ready"),
    );
    format!("{seen}, bounds {} to {}", scaling.bounds.min, scaling.bounds.max)
}

/// Elasticity figures in one line.
pub(super) fn elasticity(figures: &Elasticity) -> String {
    format!(
        "too few {:.1}% of the time ({:.1}% of the demand), too many {:.1}% ({:.1}%), moved apart {:.1}%; {:.2} replica hours, {:.2} needed",
        figures.under_timeshare,
        figures.under_accuracy,
        figures.over_timeshare,
        figures.over_accuracy,
        figures.instability,
        figures.replica_hours,
        figures.demand_hours
    )
}

/// A scale-up in words: `2 to 10 replicas, Ready 42.1 s after the load step`.
pub(super) fn chain(chain: &Chain) -> String {
    let after = chain
        .time_to_scale()
        .filter(|seconds| seconds.is_finite())
        .map_or_else(
            || "not seen from the load step to Ready".to_owned(),
            |seconds| format!("Ready {seconds:.1} s after the load step"),
        );
    format!("{} to {} replicas, {after}", chain.from, chain.to)
}

/// The slowest link of a chain in words: `pods scheduled 21.0 s`.
pub(super) fn slowest(chain: &Chain) -> Option<String> {
    let slowest = chain.slowest()?;
    Some(format!(
        "{} {:.1} s",
        link(slowest.kind),
        slowest.seconds.filter(|seconds| seconds.is_finite())?
    ))
}

/// Counts of WebSocket connections and messages in one line.
pub(super) fn websocket(websocket: &WebSockets) -> String {
    let failed: u64 = websocket.failures.values().sum();
    let (sent, received) = websocket.messages;
    format!(
        "{} connected,{} {failed} failed, at most {} held at once; {sent} messages sent, {received} received{}",
        websocket.connected,
        known(websocket.held, |held| format!(" {held} held to their end,")),
        websocket.held_peak,
        known(websocket.unanswered, |unanswered| format!(
            ", {unanswered} unanswered"
        )),
    )
}

/// The words for a count; empty where it was not counted.
fn known(count: Option<u64>, words: impl FnOnce(u64) -> String) -> String {
    count.map(words).unwrap_or_default()
}

/// Durations of WebSocket connections, each with its name.
pub(super) fn websocket_latencies(websocket: &WebSockets) -> [(&'static str, &Latencies); 5] {
    [
        ("connect and upgrade", &websocket.connect),
        ("message to its echo", &websocket.round_trip),
        ("ping to its pong", &websocket.ping),
        ("voice request to first byte", &websocket.first_byte),
        ("voice gaps off by", &websocket.jitter),
    ]
}
