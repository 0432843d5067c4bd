//! Voice of the server: after a request it comes in frames at a fixed interval.

use std::time::Duration;

use crate::{engine::recorder::Recorder, scenario::websocket::Voice};

/// The state of the request for voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listening {
    /// Voice is not requested before this moment.
    Until(Duration),
    /// Voice was requested at this moment, and no frame has come yet.
    Requested(Duration),
    /// Frames are coming: the number still to come, and the moment of the last one.
    Frames(u32, Duration),
    /// Voice is not requested any more.
    Never,
}

impl Listening {
    /// When to request voice.
    pub(super) fn due(self) -> Option<Duration> {
        match self {
            Self::Until(at) => Some(at),
            Self::Requested(_) | Self::Frames(..) | Self::Never => None,
        }
    }

    /// When voice was requested, while no frame has come yet.
    pub(super) fn requested(self) -> Option<Duration> {
        match self {
            Self::Requested(at) => Some(at),
            Self::Until(_) | Self::Frames(..) | Self::Never => None,
        }
    }

    /// Whether voice was requested and no frame has come yet.
    pub(super) fn is_requested(self) -> bool {
        self.requested().is_some()
    }

    /// Whether voice was requested and frames are still to come.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Requested(_) | Self::Frames(..))
    }

    /// The moment at which the next frame is overdue.
    pub(super) fn limit(self, timeout: Duration) -> Option<Duration> {
        match self {
            Self::Requested(since) | Self::Frames(_, since) => Some(since + timeout),
            Self::Until(_) | Self::Never => None,
        }
    }

    /// Requests no more voice. If a request is in flight, only its first frame is still awaited.
    pub(super) fn request_no_more(&mut self) {
        if !self.is_requested() {
            *self = Self::Never;
        }
    }

    /// Counts a frame: the first gives the time to first byte, each later one the jitter. With a gap of 20
    /// ms, a frame 23 ms after the last one has a jitter of 3 ms.
    pub(super) fn frame(&mut self, voice: &Voice, now: Duration, recorder: &Recorder) {
        let left = match *self {
            Self::Requested(requested) => {
                recorder.websockets(|all| all.first_byte.record(now.saturating_sub(requested)));
                voice.frames.saturating_sub(1)
            }
            Self::Frames(left, last) => {
                let off = now.saturating_sub(last).abs_diff(voice.gap);
                recorder.websockets(|all| all.jitter.record(off));
                left.saturating_sub(1)
            }
            Self::Until(_) | Self::Never => return,
        };
        *self = if left == 0 {
            Self::Until(now + voice.pause)
        } else {
            Self::Frames(left, now)
        };
    }
}
