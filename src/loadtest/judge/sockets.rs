//! Checks bounds on WebSocket connections against what was measured.

use super::seen::Seen;
use crate::{
    model::measured::WebSockets,
    scenario::{
        duration::short,
        model::{Bound, SocketTime, Threshold},
        threshold::in_percent,
    },
};

/// The measured value of a bound on connections; `None` where nothing was measured, or for any other bound.
pub(super) fn seen(threshold: &Threshold, sockets: &WebSockets) -> Option<Seen> {
    let (holds, words) = match threshold.bound {
        Bound::Socket(time, share, limit) => {
            let latencies = match time {
                SocketTime::RoundTrip => &sockets.round_trip,
                SocketTime::Connect => &sockets.connect,
                SocketTime::Ping => &sockets.ping,
            };
            let measured = latencies.quantile(share)?;
            (threshold.is_low(measured, limit), short(measured))
        }
        Bound::Held(share) => {
            let held = sockets.held_share()?;
            (threshold.is_high(held, share), in_percent(held))
        }
        Bound::HeldAtOnce(count) => {
            let words = format!("{} at most", sockets.held_peak);
            (threshold.is_high(sockets.held_peak, count), words)
        }
        _ => return None,
    };
    Some(Seen { holds, words })
}

/// Why nothing was measured of a bound.
pub(super) fn missing(bound: Bound, sockets: Option<&WebSockets>) -> &'static str {
    match bound {
        _ if sockets.is_none() => "the scenario has no WebSocket",
        Bound::Socket(SocketTime::RoundTrip, ..) => "no message had an echo to wait for",
        Bound::Socket(SocketTime::Connect, ..) => "no WebSocket was connected",
        Bound::Socket(SocketTime::Ping, ..) => "no ping was sent",
        Bound::Held(_) if sockets.is_some_and(|sockets| sockets.held.is_none()) => {
            "a run of an earlier version does not say how many were held"
        }
        _ => "no WebSocket was asked for",
    }
}

/// What to do about a bound that does not hold.
pub(super) fn hint(bound: Bound) -> &'static str {
    match bound {
        Bound::Socket(SocketTime::Connect, ..) => {
            "many connections begin at once, and the service or its proxy accepts too few; look at its limits, then at its pods"
        }
        Bound::Held(_) | Bound::HeldAtOnce(_) => {
            "the causes are listed by count; look for idle timeouts and limits of connections in proxies, and for pods that go"
        }
        _ => {
            "connections stay on the pod that accepted them: look for one that has most of them, and at its processor time"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        judge::{
            checks,
            testing::{measured, requests},
        },
        model::measured::Measured,
    };

    /// 98 of 100 connections were held; round trips of 1 to 100 ms.
    fn run() -> Measured {
        let mut sockets = WebSockets {
            held: Some(98),
            held_peak: 48,
            ..WebSockets::default()
        };
        sockets.failures.insert("status 503".to_owned(), 2);
        for millis in 1..=100 {
            sockets.round_trip.record(Duration::from_millis(millis));
            sockets.connect.record(Duration::from_millis(2 * millis));
        }
        let mut measured = measured(requests(98, 2));
        measured.websocket = Some(sockets);
        measured
    }

    #[test]
    fn each_bound_holds_on_its_own_side_of_what_was_measured() {
        for (text, holds) in [
            ("ws_rtt p95 < 96ms", true),
            ("ws_rtt p95 < 94ms", false),
            ("ws_connect p50 < 102ms", true),
            ("ws_connect p50 < 98ms", false),
            ("ws_held >= 98%", true),
            ("ws_held >= 98.1%", false),
            ("ws_held >= 48", true),
            ("ws_held >= 49", false),
        ] {
            let check = checks(&[text.parse().unwrap()], &run()).remove(0);
            assert_eq!(check.passed, holds, "{check:?}");
            assert_eq!(check.hint.is_none(), holds);
        }
    }

    #[test]
    fn what_was_not_measured_does_not_hold_and_says_why() {
        let mut nothing = run();
        nothing.websocket = Some(WebSockets::counting());
        let mut earlier = run();
        earlier.websocket = run().websocket.map(|sockets| WebSockets {
            held: None,
            ..sockets
        });
        let mut none = run();
        none.websocket = None;
        for (text, measured, words) in [
            ("ws_rtt p95 < 1h", &nothing, "no message had an echo"),
            ("ws_connect p95 < 1h", &nothing, "no WebSocket was connected"),
            ("ws_ping p95 < 1h", &run(), "no ping was sent"),
            ("ws_held >= 1%", &nothing, "no WebSocket was asked for"),
            ("ws_held >= 1%", &earlier, "does not say how many were held"),
            ("ws_held >= 1", &none, "the scenario has no WebSocket"),
        ] {
            let check = checks(&[text.parse().unwrap()], measured).remove(0);
            assert!(!check.passed && check.measured.contains(words), "{check:?}");
        }
    }
}
