//! The closed model: a given number of users at a time, each of whom begins its journey again when it has
//! ended.

use std::{rc::Rc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{alarm::Alarm, journey, open::wait, plan::UserId, worker::Worker};
use crate::scenario::{
    part::count_of,
    rate::{self, Profile},
};

/// The number of users is adjusted at this interval.
const STEP: Duration = Duration::from_millis(50);

/// Starts and stops this thread's share of the users of a load, as the profile says.
pub(super) async fn run(worker: &Rc<Worker>, lane: usize, profile: &Profile, alarm: &Alarm) {
    let (first, stride) = worker.share.numbers();
    let mut users: Vec<CancellationToken> = Vec::new();
    let mut at = Duration::ZERO;
    while at < profile.duration() && wait(worker, at, alarm).await {
        let wanted = count_of(users_at(profile, at), first, stride);
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        while users.len() > wanted {
            // The user that came last stops first.
            if let Some(user) = users.pop() {
                user.cancel();
            }
        }
        while users.len() < wanted {
            let number = first + stride * u64::try_from(users.len()).unwrap_or(u64::MAX);
            let stop = worker.stop.child_token();
            journey::live(worker, UserId { lane, number }, stop.clone());
            users.push(stop);
        }
        at += STEP;
    }
    wait(worker, profile.duration(), alarm).await;
    // Other loads may go on.
    for user in users {
        user.cancel();
    }
}

/// The number of users at a moment.
fn users_at(profile: &Profile, at: Duration) -> u64 {
    // The level in the middle of the step stands for the whole step.
    rate::users(profile.level(at.as_secs_f64() + STEP.as_secs_f64() / 2.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_follow_the_ramp() {
        let mut profile = Profile::default();
        profile.line(0.0, 10.0, Duration::from_secs(10));
        profile.line(10.0, 10.0, Duration::from_secs(10));
        let at = |seconds: f64| users_at(&profile, Duration::from_secs_f64(seconds));
        assert_eq!((at(0.0), at(4.9), at(12.0)), (1, 5, 10));
    }
}
