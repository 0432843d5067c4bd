//! Who decides on the replicas.

use std::collections::VecDeque;

use super::{Millis, assumptions::Assumptions, load::Load, model::Model};

/// Who decides on the replicas.
#[derive(Clone, Debug, PartialEq)]
pub enum Policy {
    /// An HPA.
    Hpa(Box<Model>),
    /// Always so many replicas.
    Static(u32),
    /// Somebody who knows the future: at each moment as many replicas as the load needs, each created just in time to
    /// be Ready. No policy that meets the load can run fewer.
    Optimum,
}

/// Fewest replicas that carry a load, with so many requests per second each. Example: 210/s with 100/s each need 3.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it saturates"
)]
pub(super) fn demand(rate: f64, capacity: f64) -> u32 {
    (rate / capacity).ceil() as u32
}

/// The largest demand of a window that moves forward.
#[derive(Debug)]
pub(super) struct Ahead<'a> {
    load: &'a Load,
    capacity: f64,
    /// Index of the next piece that the window's end has not reached.
    next: usize,
    /// Ends of pieces and their demands, falling: each piece before a larger later one is dropped.
    largest: VecDeque<(Millis, u32)>,
}

impl<'a> Ahead<'a> {
    pub(super) fn of(load: &'a Load, assumptions: &Assumptions) -> Self {
        Self {
            load,
            capacity: assumptions.capacity,
            next: 0,
            largest: VecDeque::new(),
        }
    }

    /// The largest demand from one moment to another. Neither moment may go back.
    pub(super) fn largest(&mut self, from: Millis, to: Millis) -> u32 {
        let pieces = self.load.pieces();
        while let Some(&(_, rate)) = pieces.get(self.next).filter(|(begins, _)| *begins <= to) {
            let ends = pieces
                .get(self.next + 1)
                .map_or(self.load.end(), |(next, _)| *next);
            self.next += 1;
            let demand = demand(rate.unwrap_or(0.0), self.capacity);
            while self.largest.back().is_some_and(|(_, smaller)| *smaller <= demand) {
                self.largest.pop_back();
            }
            self.largest.push_back((ends, demand));
        }
        while self.largest.front().is_some_and(|(ends, _)| *ends <= from) {
            self.largest.pop_front();
        }
        self.largest.front().map_or(0, |(_, demand)| *demand)
    }
}
