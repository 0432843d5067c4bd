//! Pings of one connection. One ping is in flight at a time: a late pong delays the next ping.

use std::time::Duration;

use tokio_tungstenite::tungstenite::Message;

/// The pings of one connection.
#[derive(Debug)]
pub(super) struct Pings {
    every: Option<Duration>,
    /// When the next ping is due, if no pong is late.
    next: Option<Duration>,
    /// When the ping in flight was sent.
    sent: Option<Duration>,
    number: u64,
}

impl Pings {
    /// The first ping is due after one period. Without a period there are no pings.
    pub(super) fn new(every: Option<Duration>, now: Duration) -> Self {
        Self {
            every,
            next: every.map(|every| now + every),
            sent: None,
            number: 0,
        }
    }

    /// When the next ping is due; `None` while one is in flight.
    pub(super) fn due(&self) -> Option<Duration> {
        self.next.filter(|_| self.sent.is_none())
    }

    /// When the ping in flight was sent.
    pub(super) fn sent(&self) -> Option<Duration> {
        self.sent
    }

    /// The ping to send now, if one is due.
    pub(super) fn send(&mut self, now: Duration) -> Option<Message> {
        let (every, _) = self.every.zip(self.due().filter(|due| *due <= now))?;
        self.sent = Some(now);
        self.next = Some(now + every);
        self.number += 1;
        Some(Message::Ping(self.number.to_be_bytes().to_vec().into()))
    }

    /// The round-trip time of the ping in flight, if `payload` is that of its pong.
    pub(super) fn pong(&mut self, payload: &[u8], now: Duration) -> Option<Duration> {
        if payload != self.number.to_be_bytes() {
            return None;
        }
        Some(now.saturating_sub(self.sent.take()?))
    }

    /// Sends no further pings.
    pub(super) fn end(&mut self) {
        self.next = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_waits_for_the_pong_to_the_one_before() {
        let at = Duration::from_secs;
        let mut pings = Pings::new(Some(at(1)), at(0));
        assert_eq!((pings.due(), pings.send(Duration::ZERO)), (Some(at(1)), None));
        let Some(Message::Ping(first)) = pings.send(at(1)) else {
            panic!("a ping is due")
        };
        assert_eq!(
            (pings.due(), pings.send(at(5)), pings.sent()),
            (None, None, Some(at(1)))
        );
        // The pong of another ping, and the same pong twice.
        assert_eq!(pings.pong(b"else", at(4)), None);
        assert_eq!(pings.pong(&first, at(4)), Some(at(3)));
        assert_eq!(pings.pong(&first, at(4)), None);
        assert_eq!(pings.due(), Some(at(2)));
        pings.end();
        assert_eq!(pings.send(at(9)), None);
        assert_eq!(Pings::new(None, at(0)).due(), None);
    }
}
