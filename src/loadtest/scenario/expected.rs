//! Number of requests that a scenario will send, computed before it is run.

use super::model::{Action, Journey, Lane, Model, Scenario, Step, Think};

/// The expected number of requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// About this many, if none fails: journeys begin whatever the service does (open model).
    About(f64),
    /// This many if answers took no time, and fewer the longer they take (closed model).
    AtMost(f64),
    /// No number can be computed: users never pause, so they send as fast as they are answered.
    AsAnswered,
}

/// Computes the number of requests of a scenario. A WebSocket connection counts as one.
pub fn requests(scenario: &Scenario) -> Expected {
    let lanes = scenario.lanes();
    let mut all = 0.0;
    for lane in &lanes {
        match of_lane(lane, &scenario.journeys) {
            Some(count) => all += count,
            None => return Expected::AsAnswered,
        }
    }
    if lanes.iter().all(|lane| lane.model == Model::Open) {
        Expected::About(all)
    } else {
        Expected::AtMost(all)
    }
}

/// The number of requests of one load; `None` where its users never pause.
fn of_lane(lane: &Lane, all: &[Journey]) -> Option<f64> {
    let journeys = || lane.journeys.iter().filter_map(|index| all.get(*index));
    let weights: f64 = journeys().map(|journey| f64::from(journey.weight)).sum();
    let profile = &lane.profile;
    let mut sum = 0.0;
    for journey in journeys().filter(|journey| journey.weight > 0) {
        let share = f64::from(journey.weight) / weights;
        let once = count(journey, |step| step.once);
        let each = count(journey, |step| !step.once);
        match (lane.model, lane.iterations) {
            // In the open model each journey has a new user, so its `once` steps are sent each time.
            (Model::Open, _) => sum += share * profile.total() * (once + each),
            (Model::Closed, Some(turns)) => {
                #[expect(clippy::cast_precision_loss, reason = "counts are small")]
                let turns = turns as f64;
                sum += share * (turns * each + profile.peak().min(turns) * once);
            }
            (Model::Closed, None) => {
                let turn = turn(journey);
                if each > 0.0 && turn <= 0.0 {
                    return None;
                }
                // `total` is user-seconds here: 10 users for 60 s are 600, which are 300 turns of 2 s each.
                let turns = if turn > 0.0 { profile.total() / turn } else { 0.0 };
                sum += share * (turns * each + profile.peak() * once);
            }
        }
    }
    Some(sum)
}

/// The steps of this kind that a turn does on average.
fn count(journey: &Journey, kind: impl Fn(&Step) -> bool) -> f64 {
    let steps = journey.steps.iter().enumerate();
    let shares = steps
        .filter(|(_, step)| kind(step))
        .map(|(index, _)| journey.share_of(index));
    shares.sum()
}

/// Seconds that one turn of the journey takes on average if answers take no time: held connections and
/// pauses.
fn turn(journey: &Journey) -> f64 {
    let steps = journey.steps.iter().enumerate().filter(|(_, step)| !step.once);
    let seconds = steps.map(|(index, step)| {
        let held = match &step.action {
            Action::Request(_) => 0.0,
            Action::WebSocket(websocket) => websocket.duration().as_secs_f64(),
        };
        journey.share_of(index) * (held + mean(step.think.unwrap_or(journey.think)))
    });
    seconds.sum()
}

fn mean(think: Think) -> f64 {
    f64::midpoint(think.min.as_secs_f64(), think.max.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::parse;

    fn expected(load: &str, journeys: &str) -> Expected {
        let text = format!("load: {{{load}}}\njourneys: [{journeys}]\n");
        requests(&parse(&text, "test", &|_| Err(String::new())).unwrap())
    }

    #[test]
    fn journeys_that_begin_whatever_happens_are_counted_with_all_their_steps() {
        let journeys =
            "{name: a, weight: 3, steps: [{get: /}]}, {name: b, steps: [{get: /, once: true}, {get: /b}]}";
        // 1,000 journeys; three of four have one step, one has two.
        assert_eq!(
            expected("rate: [{duration: 10s, at: 100}]", journeys),
            Expected::About(1250.0)
        );
    }

    #[test]
    fn users_take_turns_as_fast_as_their_pauses_let_them() {
        let steps =
            "steps: [{post: /login, once: true}, {get: /}, {name: talk, websocket: {path: /ws, hold: 16s}}]";
        // A turn takes 20 s: ten users take 30 turns in a minute, two requests each, and log in once.
        assert_eq!(
            expected(
                "users: [{duration: 1m, at: 10}]",
                &format!("{{name: a, think: 1s-3s, {steps}}}")
            ),
            Expected::AtMost(70.0)
        );
    }

    #[test]
    fn of_steps_with_weights_each_turn_does_one() {
        let steps = "{get: /}, {get: /a, weight: 3, think: 4s}, {get: /b, weight: 1}, {get: /c}";
        // 100 turns of three requests. A turn pauses for 3 s on average.
        let journeys = format!("{{name: a, steps: [{steps}]}}");
        assert_eq!(
            expected("rate: [{duration: 10s, at: 10}]", &journeys),
            Expected::About(300.0)
        );
        assert_eq!(
            expected("users: [{duration: 1m, at: 1}]", &journeys),
            Expected::AtMost(60.0)
        );
    }

    #[test]
    fn users_without_pauses_ask_as_often_as_they_are_answered() {
        let journeys = "{name: a, steps: [{get: /}]}";
        assert_eq!(
            expected("users: [{duration: 1m, at: 10}]", journeys),
            Expected::AsAnswered
        );
    }
}
