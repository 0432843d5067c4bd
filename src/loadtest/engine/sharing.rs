//! Which users share connections, and whether there are enough connections.

use super::machine::Machine;
use crate::{
    http::{Protocol, Target},
    scenario::model::{Action, Load, Scenario, any_action},
};

/// Which users share connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Over HTTP/1.1 each user of the closed model has a connection of its own, as browsers have. Otherwise
    /// users share connections.
    #[default]
    Usual,
    /// All requests share the connections.
    Shared,
    /// Each user has a connection of its own; in the open model each journey has one.
    PerUser,
}

/// How the users of one run get their connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connections {
    /// Whether each user has a connection of its own.
    pub(super) per_user: bool,
    /// A warning for the user before the run starts.
    pub(super) note: Option<String>,
    /// Users of the closed model, and the connections that each of them may have open at once.
    users: (u64, u64),
}

impl Connections {
    /// Decides for a scenario. Where there are fewer connections than users want, nobody has one of its own:
    /// a user that pauses would keep its connection from a user that wants to send.
    pub(super) fn of(sharing: Sharing, scenario: &Scenario, target: &Target, machine: Machine) -> Self {
        let users = match &scenario.load {
            Load::Closed(profile) => Some(whole(profile.peak())),
            Load::Open(_) => None,
        };
        let per_user = match (sharing, target.protocol) {
            (Sharing::PerUser, _) => true,
            (Sharing::Usual, Protocol::Http1) => users.is_some(),
            (Sharing::Shared, _) | (Sharing::Usual, Protocol::Http2) => false,
        };
        // Over HTTP/2 many users share few connections, so a user needs none of its own.
        let one_each = per_user || target.protocol == Protocol::Http1 || target.fresh_connections;
        let users = (users.unwrap_or(0), if one_each { each(scenario) } else { 0 });
        let wanted = users.0.saturating_mul(users.1);
        if wanted <= machine.connections {
            return Self {
                per_user,
                note: None,
                users,
            };
        }
        let (why, fix) = if machine.limit_requested {
            ("--max-connections", "raise --max-connections")
        } else {
            ("open files", "raise their limit, ulimit -n")
        };
        Self {
            per_user: false,
            note: Some(format!(
                "{} users want {wanted} connections, and there may be {} ({why}): they share them, and requests may wait for one; {fix}",
                users.0, machine.connections,
            )),
            users,
        }
    }

    /// How many of all connections a thread may have. Where there is enough for all users, a thread has what
    /// its users want and its part of the rest. Example: 3 users want 2 each, there are 10, and 2 threads:
    /// the threads have 2 * 2 + 2 = 6 and 1 * 2 + 2 = 4.
    pub(super) fn share(&self, all: u64, index: u32, threads: u32) -> u64 {
        let (users, each) = self.users;
        match all.checked_sub(users.saturating_mul(each)) {
            Some(rest) => each * share_of(users, index, threads) + share_of(rest, index, threads),
            None => share_of(all, index, threads),
        }
    }
}

/// The part of a number that falls to one thread. The first threads take the remainder: 10 on 4 threads is 3,
/// 3, 2, 2.
fn share_of(all: u64, index: u32, threads: u32) -> u64 {
    let (index, threads) = (u64::from(index), u64::from(threads.max(1)));
    all / threads + u64::from(index < all % threads)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "levels are small and not negative"
)]
fn whole(users: f64) -> u64 {
    users.ceil() as u64
}

/// Connections that a user may have open at once: one for requests and one for a WebSocket, if its journeys
/// do both.
fn each(scenario: &Scenario) -> u64 {
    let any = |wanted: fn(&Action) -> bool| u64::from(any_action(&scenario.journeys, wanted));
    any(|action| !action.is_websocket()) + any(Action::is_websocket)
}

#[cfg(test)]
mod tests {
    use std::{path::Path, time::Duration};

    use super::*;
    use crate::{
        http::TlsOptions,
        scenario::{
            model::Think,
            quick::{Level, scenario},
        },
    };

    fn of(
        sharing: Sharing,
        level: Level,
        protocol: Protocol,
        connections: u64,
        limit_requested: bool,
    ) -> Connections {
        let scenario = scenario(level, Duration::from_secs(1), false, Vec::new());
        let target = Target::parse("http://h", protocol, &TlsOptions::default(), Path::new("")).unwrap();
        let machine = Machine {
            processors: 2,
            connections,
            limit_requested,
        };
        Connections::of(sharing, &scenario, &target, machine)
    }

    const THINK: Think = Think {
        min: Duration::ZERO,
        max: Duration::ZERO,
    };
    const USERS: Level = Level::Users(1000.0, THINK);
    const RATE: Level = Level::Rate(1000.0);

    #[test]
    fn users_have_connections_as_those_of_the_protocol_usually_have() {
        for (sharing, level, protocol, per_user) in [
            (Sharing::Usual, USERS, Protocol::Http1, true),
            (Sharing::Usual, USERS, Protocol::Http2, false),
            (Sharing::Usual, RATE, Protocol::Http1, false),
            (Sharing::Shared, USERS, Protocol::Http1, false),
            (Sharing::PerUser, USERS, Protocol::Http2, true),
            (Sharing::PerUser, RATE, Protocol::Http1, true),
        ] {
            let connections = of(sharing, level, protocol, 1000, false);
            assert_eq!(
                (connections.per_user, connections.note),
                (per_user, None),
                "{sharing:?} {protocol:?}"
            );
        }
    }

    #[test]
    fn fewer_connections_than_users_are_shared_and_that_is_said() {
        let few = of(Sharing::Usual, USERS, Protocol::Http1, 999, true);
        assert!(!few.per_user);
        let note = few.note.unwrap();
        assert!(
            note.starts_with(
                "1000 users want 1000 connections, and there may be 999 (--max-connections): they share"
            ),
            "{note}"
        );
        let files = of(Sharing::PerUser, USERS, Protocol::Http2, 999, false);
        assert!(files.note.unwrap().contains("ulimit -n"));
        assert_eq!(of(Sharing::Usual, USERS, Protocol::Http2, 1, true).note, None);
    }

    #[test]
    fn each_thread_has_the_connections_of_its_users() {
        let shares = |users, all, threads| {
            let connections = Connections {
                per_user: true,
                note: None,
                users,
            };
            (0..threads)
                .map(|index| connections.share(all, index, threads))
                .collect::<Vec<_>>()
        };
        // Three users on two threads, each with a request and a WebSocket.
        assert_eq!(shares((3, 2), 6, 2), [4, 2]);
        assert_eq!(shares((3, 2), 9, 2), [6, 3]);
        // There is not enough for all users, or the model has no fixed users.
        assert_eq!(shares((3, 2), 5, 2), [3, 2]);
        assert_eq!(shares((0, 1), 5, 3), [2, 2, 1]);
    }
}
