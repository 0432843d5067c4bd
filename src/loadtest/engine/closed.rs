//! The closed model: a given number of users at a time, each of whom begins its journey again when it has
//! ended.

use std::{rc::Rc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{alarm::Alarm, journey, open::wait, worker::Worker};
use crate::scenario::rate::Profile;

/// The number of users is adjusted at this interval.
const STEP: Duration = Duration::from_millis(50);

/// Starts and stops this thread's share of the users, as the profile says.
pub(super) async fn run(worker: &Rc<Worker>, profile: &Profile, alarm: &Alarm) {
    let (first, stride) = (u64::from(worker.share.index), u64::from(worker.share.threads));
    let mut users: Vec<CancellationToken> = Vec::new();
    let mut at = Duration::ZERO;
    while at < profile.duration() && wait(worker, at, alarm).await {
        let wanted = share_of(users_at(profile, at), first, stride);
        while users.len() > wanted {
            // The user that came last stops first.
            if let Some(user) = users.pop() {
                user.cancel();
            }
        }
        while users.len() < wanted {
            let number = first + stride * u64::try_from(users.len()).unwrap_or(u64::MAX);
            let stop = worker.stop.child_token();
            journey::live(worker, number, stop.clone());
            users.push(stop);
        }
        at += STEP;
    }
    wait(worker, profile.duration(), alarm).await;
}

/// The number of users at a moment. It is rounded up, so that a ramp from zero has its first user at once.
fn users_at(profile: &Profile, at: Duration) -> u64 {
    // The level in the middle of the step stands for the whole step.
    let level = profile.level(at.as_secs_f64() + STEP.as_secs_f64() / 2.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "levels are small and not negative"
    )]
    let users = level.ceil() as u64;
    users
}

/// How many of the users `0..all` have the numbers `first`, `first + step`, ... Of 10 users, thread 1 of 4
/// has three: 1, 5, 9.
fn share_of(all: u64, first: u64, step: u64) -> usize {
    let share = all.saturating_sub(first).div_ceil(step);
    usize::try_from(share).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_share_all_users_and_no_more() {
        for (all, threads) in [(0, 3), (1, 2), (10, 3), (11, 4)] {
            let shares: usize = (0..threads).map(|index| share_of(all, index, threads)).sum();
            assert_eq!(
                shares,
                usize::try_from(all).unwrap(),
                "{all} users, {threads} threads"
            );
        }
    }

    #[test]
    fn users_follow_the_ramp() {
        let mut profile = Profile::default();
        profile.line(0.0, 10.0, Duration::from_secs(10));
        profile.line(10.0, 10.0, Duration::from_secs(10));
        let at = |seconds: f64| users_at(&profile, Duration::from_secs_f64(seconds));
        assert_eq!((at(0.0), at(4.9), at(12.0)), (1, 5, 10));
    }
}
