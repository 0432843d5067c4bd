//! A stand-in for a speech recogniser: deterministic, needs no model, and costs the CPU time that a flag sets.
//!
//! It hears a word in every half second, and which one it is depends on all bytes so far. So equal audio gives equal words, and a
//! frame that is lost or changed gives others.

use std::time::Duration;

use crate::knowledge::burn;

/// Bytes of a frame: 20 ms of one channel at 16 kHz, 16 bits each.
pub(super) const FRAME: usize = 640;

/// Milliseconds of a frame.
pub(super) const MILLISECONDS: u32 = 20;

/// Frames of a word.
const WORD: u32 = 25;

const WORDS: [&str; 8] = [
    "the",
    "patient",
    "takes",
    "ibuprofen",
    "twice",
    "daily",
    "for",
    "pain",
];

/// What was heard of one utterance.
#[derive(Clone, Debug)]
pub(super) struct Utterance {
    /// Frames so far.
    pub(super) frames: u32,
    /// FNV-1a of all bytes so far.
    pub(super) digest: u32,
    /// The words so far.
    pub(super) text: String,
}

impl Default for Utterance {
    fn default() -> Self {
        Self {
            frames: 0,
            digest: 0x811c_9dc5,
            text: String::new(),
        }
    }
}

impl Utterance {
    /// Hears a frame; whether that was the last of a word.
    pub(super) fn hear(&mut self, frame: &[u8]) -> bool {
        self.digest = frame.iter().fold(self.digest, |digest, byte| {
            (digest ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        self.frames += 1;
        let whole = self.frames.is_multiple_of(WORD);
        if whole {
            let word = WORDS
                .get(self.digest as usize % WORDS.len())
                .copied()
                .unwrap_or_default();
            self.text.push_str(if self.text.is_empty() { "" } else { " " });
            self.text.push_str(word);
        }
        whole
    }

    /// Time that was heard.
    pub(super) fn milliseconds(&self) -> u32 {
        self.frames.saturating_mul(MILLISECONDS)
    }
}

/// Works for as long as a recogniser would on half a second, off the threads that serve requests.
pub(super) async fn recognise(cost: Duration) {
    if !cost.is_zero() {
        let _ = tokio::task::spawn_blocking(move || burn(cost)).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(frames: u32, byte: u8) -> Utterance {
        let mut utterance = Utterance::default();
        for _ in 0..frames {
            utterance.hear(&[byte; FRAME]);
        }
        utterance
    }

    #[test]
    fn a_word_is_half_a_second_and_depends_on_what_was_said() {
        assert_eq!(heard(24, 1).text, "");
        let utterance = heard(50, 1);
        assert_eq!(
            (utterance.text.split(' ').count(), utterance.milliseconds()),
            (2, 1000)
        );
        assert_eq!(utterance.text, heard(50, 1).text);
        assert_ne!(utterance.digest, heard(50, 2).digest);
    }
}
