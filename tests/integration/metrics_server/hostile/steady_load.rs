//! Requests at a fixed rate, whether or not earlier ones were answered: as many controllers send them.

use std::{collections::BTreeMap, time::Duration};

use reqwest::RequestBuilder;
use tokio::{
    task::JoinSet,
    time::{Instant, interval},
};

/// What became of all requests.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How often each status came.
    pub statuses: BTreeMap<u16, usize>,
    /// What went wrong below HTTP.
    pub errors: Vec<String>,
}

impl Outcome {
    pub fn total(&self) -> usize {
        self.statuses.values().sum::<usize>() + self.errors.len()
    }

    /// How many had another status than these, or none.
    pub fn other_than(&self, statuses: &[u16]) -> usize {
        let as_wanted: usize = statuses
            .iter()
            .filter_map(|status| self.statuses.get(status))
            .sum();
        self.total() - as_wanted
    }
}

/// Sends `per_second` requests a second for `period`, then waits for the last answers.
pub async fn send(per_second: u32, period: Duration, request: impl Fn() -> RequestBuilder) -> Outcome {
    let mut requests = JoinSet::new();
    // Late ticks are made up for.
    let mut ticks = interval(Duration::from_secs(1) / per_second);
    let end = Instant::now() + period;
    while ticks.tick().await < end {
        let sent = request().send();
        requests.spawn(async move {
            match sent.await {
                // The body too must come.
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    answer
                        .bytes()
                        .await
                        .map(|_| status)
                        .map_err(|error| format!("{error:?}"))
                }
                Err(error) => Err(format!("{error:?}")),
            }
        });
    }
    let mut outcome = Outcome::default();
    while let Some(answered) = requests.join_next().await {
        match answered.expect("a request does not panic") {
            Ok(status) => *outcome.statuses.entry(status).or_default() += 1,
            Err(error) => outcome.errors.push(error),
        }
    }
    outcome
}
