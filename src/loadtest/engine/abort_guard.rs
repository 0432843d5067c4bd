//! Gives a run up when too many requests fail.
//!
//! A WebSocket counts as answered when it is connected, and as failed when it is lost, which may be much
//! later. So one connection would count twice. Each lost connection therefore cancels one that was connected
//! in the same time. Example: in a second 20 are connected and 20 are lost. 40 things ended, but 20 of 20
//! have failed, which is 100 % and not 50 %. Answers to other requests keep their weight.

use std::collections::VecDeque;

use crate::{model::measured::ratio, scenario::model::Abort};

/// With fewer requests than this a run is never given up, however many of them fail.
const FEWEST: u64 = 20;

/// Requests and WebSockets that ended in one second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    /// Requests that failed, including WebSockets that were lost.
    pub(super) failed: u64,
    /// Requests that were answered, including WebSockets that were connected.
    pub(super) answered: u64,
    /// WebSockets that were connected.
    pub(super) connected: u64,
    /// WebSockets that were lost, at whatever time they had been connected.
    pub(super) lost: u64,
}

/// The last seconds of a run.
#[derive(Debug, Default)]
pub(super) struct AbortGuard(VecDeque<Ended>);

impl AbortGuard {
    /// Adds a second. The result is the share (0 to 1) of failed requests, if it is above the limit of the
    /// scenario.
    pub(super) fn share(&mut self, second: Ended, abort: Abort) -> Option<f64> {
        let over = usize::try_from(abort.over.as_secs().max(1)).unwrap_or(usize::MAX);
        self.0.push_back(second);
        while self.0.len() > over {
            self.0.pop_front();
        }
        let all = self.0.iter().fold(Ended::default(), |all, second| Ended {
            failed: all.failed + second.failed,
            answered: all.answered + second.answered,
            connected: all.connected + second.connected,
            lost: all.lost + second.lost,
        });
        let ended = (all.failed + all.answered).saturating_sub(all.lost.min(all.connected));
        // Before the window is full a single bad second would decide.
        let full = self.0.len() == over;
        (full && ended >= FEWEST)
            .then(|| ratio(all.failed, ended))
            .filter(|share| *share > abort.errors)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// The share of failed requests after `seconds` equal seconds, where it is above `errors` over a window
    /// of two seconds.
    fn after(seconds: u32, errors: f64, second: Ended) -> Option<f64> {
        let over = Duration::from_secs(2);
        let mut guard = AbortGuard::default();
        (0..seconds).fold(None, |_, _| guard.share(second, Abort { errors, over }))
    }

    fn requests(answered: u64, failed: u64) -> Ended {
        Ended {
            failed,
            answered,
            ..Ended::default()
        }
    }

    #[test]
    fn it_takes_the_whole_time_enough_requests_and_more_failures_than_are_borne() {
        assert_eq!(after(1, 0.5, requests(0, 100)), None);
        assert_eq!(after(2, 0.5, requests(0, 100)), Some(1.0));
        assert_eq!(after(2, 0.5, requests(0, 9)), None);
        assert_eq!(after(2, 0.5, requests(50, 50)), None);
        assert_eq!(after(5, 0.4, requests(50, 50)), Some(0.5));
    }

    #[test]
    fn a_lost_websocket_is_no_answer_and_answers_to_other_requests_keep_their_weight() {
        let sockets = |answered, connected, lost| Ended {
            failed: lost,
            answered,
            connected,
            lost,
        };
        // All connections are lost some seconds after they were made; then half of them; then few among many
        // requests.
        assert_eq!(after(9, 0.9, sockets(20, 20, 20)), Some(1.0));
        assert_eq!(after(9, 0.4, sockets(20, 20, 10)), Some(0.5));
        assert_eq!(after(9, 0.0, sockets(100, 10, 10)), Some(0.1));
        // Connections of earlier seconds are lost at once, while other requests are answered.
        assert_eq!(after(9, 0.3, sockets(50, 0, 50)), Some(0.5));
    }
}
