//! What the log of one worker said so far: how far it is, which seconds were not told yet, its report.
//!
//! Pure. Must not: keep or pass on without a bound what a log says.

use std::{cmp::Ordering, collections::VecDeque};

use super::lines::{self, Line, Pieces};
use crate::{
    model::measured::{End, Second},
    report::json::{self, Stored},
};
use vas_core::wording::words;

/// Most seconds of one worker that wait for those of the others.
const MOST_WAITING: usize = 100_000;

/// Most lines of words of one worker that are shown.
pub(super) const MOST_WORDS: u32 = 1000;

/// Why a worker reported too early, before more is known.
const CUT: &str = "it was told to end, and not by this run";

/// A worker of a load.
#[derive(Debug)]
pub(super) struct Worker {
    state: State,
    /// Seconds that were not told yet.
    seconds: VecDeque<Second>,
    /// The number of the next second in its log.
    expected: u32,
    /// Its report, as far as it was read.
    pieces: Pieces,
    /// How many lines of words were shown.
    words: u32,
    /// Whether it was told to end.
    told: bool,
}

/// How far a worker is.
#[derive(Debug)]
pub(super) enum State {
    /// Nothing was heard of it.
    Starting,
    /// It waits for the others.
    Ready,
    /// At least one second of its load is over.
    Sending,
    /// It ended, and this is what it measured.
    Reported(Box<Stored>),
    /// What it sent until something else ended it, such as the drain of its node, and why the rest was not sent.
    Cut(Box<Stored>, String),
    /// Why nothing more comes from it.
    Lost(String),
}

impl Worker {
    /// A worker of which nothing is known.
    pub(super) fn new() -> Self {
        Self {
            state: State::Starting,
            seconds: VecDeque::new(),
            expected: 0,
            pieces: Pieces::default(),
            words: 0,
            told: false,
        }
    }

    /// How far it is.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// How far it came.
    pub(super) fn into_state(self) -> State {
        self.state
    }

    /// Whether nothing more comes from it.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.state, State::Reported(_) | State::Cut(..) | State::Lost(_))
    }

    /// It is told to end now.
    pub(super) fn told_to_end(&mut self) {
        self.told = true;
    }

    /// Its log is read again from the beginning.
    pub(super) fn restarted(&mut self) {
        self.pieces = Pieces::default();
    }

    /// The next line of its log. Words for people are returned.
    pub(super) fn line(&mut self, line: &str) -> Option<String> {
        if self.is_over() {
            return None;
        }
        match lines::parse(line) {
            Line::Ready => {
                if matches!(self.state, State::Starting) {
                    self.state = State::Ready;
                }
            }
            Line::Second(second) => self.second(*second),
            Line::Piece(piece) => {
                if let Err(error) = self.pieces.add(piece) {
                    self.lose(&error.to_string());
                }
            }
            Line::End => self.report(),
            Line::Words(words) if words.trim().is_empty() => {}
            Line::Words(words) => return self.say(words),
        }
        None
    }

    /// Nothing more comes from it. Returns whether it is lost: it had not reported all of its part.
    pub(super) fn ended(&mut self, why: &str) -> bool {
        match &mut self.state {
            State::Reported(_) => return false,
            State::Cut(_, because) => *because = words(why),
            State::Lost(_) => {}
            State::Starting | State::Ready | State::Sending => self.lose(why),
        }
        true
    }

    /// Whether this second is over for it, and was not told yet.
    pub(super) fn has_second(&self, at: u32) -> bool {
        self.seconds.front().is_some_and(|second| second.at == at)
    }

    /// Takes this second, if it is over for it.
    pub(super) fn take_second(&mut self, at: u32) -> Option<Second> {
        self.seconds.pop_front_if(|second| second.at == at)
    }

    fn lose(&mut self, why: &str) {
        self.state = State::Lost(words(why));
    }

    fn second(&mut self, second: Second) {
        self.state = State::Sending;
        if second.at == self.expected && self.seconds.len() < MOST_WAITING {
            self.expected += 1;
            self.seconds.push_back(second);
        }
    }

    /// Words of the log as they are shown: without characters that do something to a terminal, and not without an end.
    fn say(&mut self, words: &str) -> Option<String> {
        self.words = self.words.saturating_add(1);
        match self.words.cmp(&MOST_WORDS) {
            Ordering::Less => Some(words.chars().filter(|char| !char.is_control()).collect()),
            Ordering::Equal => Some(format!(
                "its log has {MOST_WORDS} lines for people, and no more of them are shown"
            )),
            Ordering::Greater => None,
        }
    }

    fn report(&mut self) {
        let read = self.pieces.json().map_err(|error| error.to_string());
        let read = read.and_then(|json| json::read(&json).map_err(|error| error.to_string()));
        match read {
            Ok(stored) if stored.measured.end == End::Interrupted && !self.told => {
                self.state = State::Cut(Box::new(stored), CUT.to_owned());
            }
            Ok(stored) => self.state = State::Reported(Box::new(stored)),
            Err(error) => self.lose(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json::render, testing::passing};

    fn lost(worker: &Worker) -> &str {
        match worker.state() {
            State::Lost(why) => why,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn words_of_a_log_do_nothing_to_a_terminal_and_have_an_end() {
        let mut worker = Worker::new();
        let said = worker.line("\u{1b}[2Jgone").unwrap();
        assert_eq!(said, "[2Jgone");
        let said: Vec<String> = (0..2 * MOST_WORDS).filter_map(|_| worker.line("again")).collect();
        assert_eq!(said.len(), 999);
        assert!(said[998].contains("no more of them are shown"), "{}", said[998]);
    }

    #[test]
    fn a_log_that_was_cut_off_and_read_again_has_one_report() {
        let lines = lines::report(&render(&passing()).unwrap()).unwrap();
        let mut worker = Worker::new();
        worker.line(&lines[0]);
        worker.restarted();
        for line in &lines {
            worker.line(line);
        }
        assert!(matches!(worker.state(), State::Reported(_)));
        let mut damaged = Worker::new();
        damaged.line(&lines[lines.len() - 1]);
        assert!(lost(&damaged).contains("is damaged"), "{damaged:?}");
    }

    #[test]
    fn why_a_worker_is_lost_is_one_line_of_bounded_length() {
        let mut worker = Worker::new();
        // The error about this report repeats what is in it.
        let mut report: serde_json::Value = serde_json::from_str(&render(&passing()).unwrap()).unwrap();
        report["run"] = "x\u{7}\n".repeat(1000).into();
        for line in lines::report(&report.to_string()).unwrap() {
            worker.line(&line);
        }
        let mut ended = Worker::new();
        assert!(ended.ended(&"gone\n".repeat(1000)));
        for worker in [&worker, &ended] {
            let why = lost(worker);
            assert!(why.len() < 400 && !why.contains(char::is_control), "{why}");
        }
    }
}
