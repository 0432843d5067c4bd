//! Voice that comes in frames at a fixed distance, after it was asked for.

use std::time::Duration;

use crate::loadtest::{engine::recorder::Recorder, scenario::websocket::Voice};

/// Where a request for voice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listening {
    /// Nothing is asked for until then.
    Until(Duration),
    /// Asked for at this moment, nothing has come yet.
    Asked(Duration),
    /// Frames come: how many are still to come, and when the last came.
    Frames(u32, Duration),
    /// Nothing is asked for any more.
    Never,
}

impl Listening {
    /// When it is to be asked for.
    pub(super) fn due(self) -> Option<Duration> {
        match self {
            Self::Until(at) => Some(at),
            Self::Asked(_) | Self::Frames(..) | Self::Never => None,
        }
    }

    /// When it was asked for, while nothing has come.
    pub(super) fn asked(self) -> Option<Duration> {
        match self {
            Self::Asked(at) => Some(at),
            Self::Until(_) | Self::Frames(..) | Self::Never => None,
        }
    }

    /// Whether it was asked for and nothing has come.
    pub(super) fn is_asked(self) -> bool {
        self.asked().is_some()
    }

    /// Whether it was asked for and frames of it are still to come.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Asked(_) | Self::Frames(..))
    }

    /// When the next frame has been waited for too long.
    pub(super) fn limit(self, timeout: Duration) -> Option<Duration> {
        match self {
            Self::Asked(since) | Self::Frames(_, since) => Some(since + timeout),
            Self::Until(_) | Self::Never => None,
        }
    }

    /// Asks no more, and waits for no more than the first frame of what was asked for.
    pub(super) fn ask_no_more(&mut self) {
        if !self.is_asked() {
            *self = Self::Never;
        }
    }

    /// A frame came.
    pub(super) fn frame(&mut self, voice: &Voice, now: Duration, recorder: &Recorder) {
        let left = match *self {
            Self::Asked(asked) => {
                recorder.websockets(|all| all.first_byte.record(now.saturating_sub(asked)));
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
