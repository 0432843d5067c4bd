//! Which users share connections, and whether there are enough connections.

use super::machine::Machine;
use crate::{
    http::{Protocol, Target},
    scenario::{
        model::{Action, Journey, Scenario, any_action},
        part::count_of,
        rate,
    },
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

/// Which users have a connection of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct PerUser {
    /// In the open model, each journey.
    pub(super) open: bool,
    /// In the closed model, each user.
    pub(super) closed: bool,
}

/// How the users of one run get their connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connections {
    /// Which users have a connection of their own.
    pub(super) per_user: PerUser,
    /// A warning for the user before the run starts.
    pub(super) note: Option<String>,
    /// Users of the closed model, and the connections that each of them may have open at once.
    users: (u64, u64),
}

impl Connections {
    /// Decides for a scenario. Where there are fewer connections than users want, nobody has one of its own:
    /// a user that pauses would keep its connection from a user that wants to send.
    pub(super) fn of(sharing: Sharing, scenario: &Scenario, target: &Target, machine: Machine) -> Self {
        let users = scenario.load.users();
        let users = users.map(|profile| scenario.part.share(rate::users(profile.peak())));
        let (open, closed) = match (sharing, target.protocol) {
            (Sharing::PerUser, _) => (true, true),
            (Sharing::Usual, Protocol::Http1) => (false, true),
            (Sharing::Shared, _) | (Sharing::Usual, Protocol::Http2) => (false, false),
        };
        let per_user = PerUser { open, closed };
        // Over HTTP/2 many users share few connections, so a user needs none of its own.
        let one_each = closed || target.protocol == Protocol::Http1 || target.fresh_connections;
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
            per_user: PerUser::default(),
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
        // The first threads take the remainder: 10 on 4 threads is 3, 3, 2, 2.
        let share = |all| count_of(all, index.into(), threads.into());
        match all.checked_sub(users.saturating_mul(each)) {
            Some(rest) => each * share(users) + share(rest),
            None => share(all),
        }
    }
}

/// Connections that a user may have open at once: for each host one for each request that it sends at once, and one for a
/// WebSocket, if its journeys do both.
fn each(scenario: &Scenario) -> u64 {
    let any = |wanted: fn(&Action) -> bool| u64::from(any_action(&scenario.journeys, wanted));
    let widest = scenario.journeys.iter().map(Journey::width).max().unwrap_or(1);
    let at_once = u64::try_from(widest).unwrap_or(u64::MAX);
    let hosts = u64::try_from(scenario.hosts.len() + 1).unwrap_or(u64::MAX);
    any(|action| !action.is_websocket()) * at_once * hosts + any(Action::is_websocket)
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
            (Sharing::Usual, USERS, Protocol::Http1, (false, true)),
            (Sharing::Usual, USERS, Protocol::Http2, (false, false)),
            (Sharing::Usual, RATE, Protocol::Http1, (false, true)),
            (Sharing::Shared, USERS, Protocol::Http1, (false, false)),
            (Sharing::PerUser, USERS, Protocol::Http2, (true, true)),
            (Sharing::PerUser, RATE, Protocol::Http1, (true, true)),
        ] {
            let connections = of(sharing, level, protocol, 1000, false);
            let PerUser { open, closed } = connections.per_user;
            assert_eq!(
                ((open, closed), connections.note),
                (per_user, None),
                "{sharing:?} {protocol:?}"
            );
        }
    }

    #[test]
    fn fewer_connections_than_users_are_shared_and_that_is_said() {
        let few = of(Sharing::Usual, USERS, Protocol::Http1, 999, true);
        assert_eq!(few.per_user, PerUser::default());
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
                per_user: PerUser::default(),
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

    #[test]
    fn requests_at_once_and_other_hosts_want_connections_of_their_own() {
        let text = "
load: {users: [{duration: 1s, at: 3}]}
hosts: {auth: 'http://127.0.0.1:8'}
journeys:
- name: a
  steps:
  - {post: /token, host: auth}
  - parallel: [{get: /a}, {get: /b}, {get: /c}]
  - {name: talk, websocket: {path: /ws, hold: 1s}}
";
        let no_files = |_: &str| Err(String::new());
        let scenario = crate::scenario::parse(text, "test", &no_files).unwrap();
        // Three to each host, and the WebSocket.
        assert_eq!(each(&scenario), 7);
    }
}
