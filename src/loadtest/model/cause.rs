//! Causes of failures: the words with which each kind of cause begins, how failures are counted by cause, and
//! the hint for each kind.
//!
//! The text of a cause contains no value, time, size or path of one request. A server that fails in one way
//! therefore gives one cause. Servers still choose some of the words, such as statuses, so the number of
//! causes in a map is bounded.

use std::collections::BTreeMap;

/// Most causes that are counted one by one. Failures of all further causes are counted together as [`OTHER`].
pub const MOST: usize = 50;
/// The cause that stands for all failures beyond [`MOST`] causes.
pub const OTHER: &str = "other";

/// Begins causes such as `status 503`.
pub const STATUS: &str = "status";
/// Begins causes such as `load generator: no free local port`.
pub const GENERATOR: &str = "load generator";
/// DNS has no address for the name of the target. This text is the whole cause.
pub const RESOLVE: &str = "cannot resolve the name of the target";
/// Begins causes such as `cannot connect: connection refused`.
pub const CONNECT: &str = "cannot connect";
/// Begins causes such as `proxy: status 407 to CONNECT`.
pub const PROXY: &str = "proxy";
/// Begins causes such as `TLS: the certificate has expired`.
pub const TLS: &str = "TLS";
/// Begins causes such as `HTTP/2: GOAWAY ENHANCE_YOUR_CALM`.
pub const HTTP2: &str = "HTTP/2";
/// Begins causes such as `connection: connection reset`.
pub const CONNECTION: &str = "connection";
/// The answer was not complete within the timeout of the scenario. This text is the whole cause.
pub const TIMEOUT: &str = "no answer in time";
/// Begins causes such as `redirect: more than 10 in a row`.
pub const REDIRECT: &str = "redirect";
/// Begins causes such as `check: no "ok" in the body`.
pub const CHECK: &str = "check";
/// Begins causes such as `WebSocket: the server closed it with 1011 (internal error)`.
pub const WEBSOCKET: &str = "WebSocket";
/// Begins causes such as `not a request: its path cannot be in a URL`.
pub const REQUEST: &str = "not a request";

/// A key by which failures are counted.
pub trait Cause: Ord {
    /// The cause under which all failures beyond [`MOST`] causes are counted.
    fn other() -> Self;

    /// Whether the load generator is to blame, and not the service. There are few such causes, and each makes
    /// a run invalid, so they are counted one by one beyond [`MOST`] too.
    fn is_own(&self) -> bool;
}

impl Cause for String {
    fn other() -> Self {
        OTHER.to_owned()
    }

    /// Always false: the words may come from a report that somebody else wrote, which must not get past the
    /// bound.
    fn is_own(&self) -> bool {
        false
    }
}

/// Counts failures of one cause. A new cause beyond [`MOST`] is counted as [`Cause::other`].
pub fn count<C: Cause>(causes: &mut BTreeMap<C, u64>, cause: C, failures: u64) {
    if let Some(counted) = causes.get_mut(&cause) {
        *counted += failures;
    } else if causes.len() < MOST || cause.is_own() {
        causes.insert(cause, failures);
    } else {
        *causes.entry(C::other()).or_default() += failures;
    }
}

/// Causes with their counts, highest count first.
pub fn by_count(causes: &BTreeMap<String, u64>) -> Vec<(&str, u64)> {
    let mut sorted: Vec<(&str, u64)> = causes
        .iter()
        .map(|(cause, count)| (cause.as_str(), *count))
        .collect();
    sorted.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    sorted
}

/// The hint for the kind of cause that most of the failures have.
pub fn hint(causes: &BTreeMap<String, u64>) -> &'static str {
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    for (cause, count) in causes {
        *kinds.entry(Kind::of(cause)).or_default() += count;
    }
    // `max_by_key` keeps the last of equal counts. Reversed, that is the kind that a request meets first.
    let most = kinds.into_iter().rev().max_by_key(|&(_, count)| count);
    most.map_or(Kind::Other, |(kind, _)| kind).hint()
}

/// Kinds of causes that need different hints, in the order in which a request meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Scenario,
    Generator,
    Resolve,
    Refused,
    Unreachable,
    Proxy,
    Tls,
    Http2,
    Lost,
    WebSocket,
    Timeout,
    Redirect,
    Astray,
    Credentials,
    TooMany,
    Client,
    Unavailable,
    Server,
    Check,
    Other,
}

impl Kind {
    /// The kind of a cause by its words. Words of reports of earlier versions are understood too.
    fn of(cause: &str) -> Self {
        if cause == RESOLVE || cause.contains("failed to lookup address") {
            return Self::Resolve;
        }
        if cause.starts_with("no answer ") {
            return Self::Timeout;
        }
        if let Some(status) = cause.strip_prefix(STATUS).map(str::trim_start) {
            return status.parse().map_or(Self::Other, Self::of_status);
        }
        match cause.split_once(": ") {
            Some((GENERATOR, _)) => Self::Generator,
            Some((CONNECT, "connection refused")) => Self::Refused,
            Some((CONNECT, _)) => Self::Unreachable,
            Some((PROXY, _)) => Self::Proxy,
            Some((TLS, _)) => Self::Tls,
            Some((HTTP2, _)) => Self::Http2,
            Some((CONNECTION, _)) => Self::Lost,
            Some((WEBSOCKET, _)) => Self::WebSocket,
            Some((REDIRECT, _)) => Self::Astray,
            Some((CHECK, _)) => Self::Check,
            Some((REQUEST, _)) => Self::Scenario,
            Some((variable, _)) if variable.ends_with(" has no value") => Self::Scenario,
            _ => Self::Other,
        }
    }

    fn of_status(status: u16) -> Self {
        match status {
            300..=399 => Self::Redirect,
            401 | 403 => Self::Credentials,
            429 => Self::TooMany,
            400..=499 => Self::Client,
            502..=504 => Self::Unavailable,
            500..=599 => Self::Server,
            _ => Self::Other,
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Self::Scenario => {
                "the scenario makes what is no request; look at its paths, headers and variables"
            }
            Self::Generator => {
                "the load generator cannot open connections; let it have more files and local ports, or send from more machines"
            }
            Self::Resolve => "the name in --target is not known here; correct it, or the DNS of this machine",
            Self::Refused | Self::Unavailable => {
                "503 and refused connections mean too few Ready pods, or none; raise minReplicas, or lower the HPA's target"
            }
            Self::Unreachable => {
                "nobody answers at the address of --target; look for a wrong port, a firewall or a NetworkPolicy"
            }
            Self::Proxy => {
                "the proxy of --proxy did not let the requests through; the service did not get them"
            }
            Self::Tls => {
                "there is no TLS with --target: look at its scheme, name and certificate; --cacert trusts a CA of your own"
            }
            Self::Http2 => {
                "the server refuses HTTP/2 streams or connections; look at its limits, such as concurrent streams and streams per connection"
            }
            Self::Lost => {
                "connections end before their answers; look for pods that crash, or stop before their connections have ended"
            }
            Self::WebSocket => {
                "the server ends WebSockets early, or does not do its part on them; look at its close codes and into its log"
            }
            Self::Timeout => {
                "answers take longer than the scenario's timeout; the service is overloaded, or the timeout is too short for it"
            }
            Self::Redirect => {
                "answers are redirects; give --target the URL that they lead to, or follow them (--follow)"
            }
            Self::Astray => "redirects lead nowhere; look at the Location of one of them",
            Self::Credentials => {
                "the service refuses the credentials; look at the scenario's headers, or give --header"
            }
            Self::TooMany => {
                "the service, or a gateway before it, limits the rate of its clients; raise that limit for the test"
            }
            Self::Client => {
                "the service refuses what the scenario sends; look at its paths, headers and bodies"
            }
            Self::Server => "the service answers with errors of its own; look into its log",
            Self::Check => "answers are not as the checks of the scenario want them; look at one of them",
            Self::Other => "the causes are listed by count",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn causes(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts
            .iter()
            .map(|(cause, count)| ((*cause).to_owned(), *count))
            .collect()
    }

    #[test]
    fn the_hint_fits_what_most_failures_have_in_common() {
        for (words, hinted) in [
            ("status 503", "too few Ready pods"),
            ("cannot connect: connection refused", "too few Ready pods"),
            (RESOLVE, "DNS"),
            (
                "cannot connect: failed to lookup address information: Name or service not known",
                "DNS",
            ),
            ("TLS: the certificate has expired", "certificate"),
            ("proxy: status 407 to CONNECT", "--proxy"),
            ("load generator: no free local port", "local ports"),
            ("cannot connect: timed out", "firewall"),
            ("HTTP/2: RST_STREAM REFUSED_STREAM", "concurrent streams"),
            ("connection: connection reset", "crash"),
            ("WebSocket: no echo in time", "close codes"),
            (TIMEOUT, "timeout"),
            ("no answer within 10 s", "timeout"),
            ("status 404", "paths"),
            ("status 401", "credentials"),
            ("status 302", "--follow"),
            ("redirect: more than 10 in a row", "Location"),
            ("status 429", "limits the rate"),
            ("status 500", "log"),
            ("check: no \"ok\" in the body", "checks"),
            (
                "{{token}} has no value: no earlier step of the journey extracted it",
                "variables",
            ),
            (OTHER, "listed by count"),
        ] {
            let hint = hint(&causes(&[(words, 3), ("something new", 2)]));
            assert!(hint.contains(hinted), "{words}: {hint}");
            assert_eq!(
                hint.contains("Ready pods"),
                hinted == "too few Ready pods",
                "{words}: {hint}"
            );
        }
        let tls = [("TLS: closed", 2), ("TLS: other", 2), ("status 503", 3)];
        assert!(hint(&causes(&tls)).contains("certificate"));
    }

    #[test]
    fn one_cause_too_many_is_counted_with_the_others() {
        let mut counted = BTreeMap::new();
        for number in 0..150 {
            count(&mut counted, format!("status {number}"), 1);
            count(&mut counted, "status 0".to_owned(), 2);
        }
        assert_eq!(counted.len(), MOST + 1);
        assert_eq!((counted["status 0"], counted[OTHER]), (301, 100));
        assert_eq!(by_count(&counted)[..2], [("status 0", 301), (OTHER, 100)]);
    }
}
