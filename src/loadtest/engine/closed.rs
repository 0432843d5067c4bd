//! The closed model: so many users at a time, each of whom begins its journey again when it has ended it.

use std::{rc::Rc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{alarm::Alarm, journey, open::wait, worker::Worker};
use crate::loadtest::scenario::rate::Profile;

/// How often users come and go.
const STEP: Duration = Duration::from_millis(50);

/// Lets this thread's share of the users come and go.
pub(super) async fn run(worker: &Rc<Worker>, profile: &Profile, alarm: &Alarm) {
    let (first, step) = (u64::from(worker.share.index), u64::from(worker.share.threads));
    let mut users: Vec<CancellationToken> = Vec::new();
    let mut at = Duration::ZERO;
    while at < profile.duration() && wait(worker, at, alarm).await {
        let wanted = share_of(users_at(profile, at), first, step);
        while users.len() > wanted {
            // The last to come is the first to go.
            if let Some(user) = users.pop() {
                user.cancel();
            }
        }
        while users.len() < wanted {
            let number = first + step * u64::try_from(users.len()).unwrap_or(u64::MAX);
            let home = worker.home.child_token();
            journey::live(worker, number, home.clone());
            users.push(home);
        }
        at += STEP;
    }
    wait(worker, profile.duration(), alarm).await;
}

/// Users at a moment: a ramp from zero has its first user at once.
fn users_at(profile: &Profile, at: Duration) -> u64 {
    let level = profile.level(at.as_secs_f64() + STEP.as_secs_f64() / 2.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "levels are small and not negative"
    )]
    let users = level.ceil() as u64;
    users
}

/// How many of the users `0..all` are `first`, `first + step`, ...
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
