//! The scenarios that come with vas.

/// A scenario that comes with vas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// Name by which the command line and reports call the scenario.
    pub name: &'static str,
    /// The scenario as YAML text.
    pub text: &'static str,
}

/// Defines [`BUILTIN`] and the names of one list from the names of its two parts.
macro_rules! builtin {
    (any service: $($any:literal),+; VoiceAssist: $($own:literal),+ $(;)?) => {
        /// All built-in scenarios: those for any HTTP service, then those for VoiceAssist's API. In both parts
        /// the shortest comes first.
        pub const BUILTIN: [Builtin; NAMES.len()] = [
            $(Builtin { name: $any, text: include_str!(concat!("scenarios/", $any, ".yaml")) },)+
            $(Builtin { name: $own, text: include_str!(concat!("scenarios/", $own, ".yaml")) },)+
        ];

        /// Names of the built-in scenarios, in the same order.
        pub const NAMES: &[&str] = &[$($any,)+ $($own,)+];

        /// Names of the scenarios that request one path of any HTTP service.
        pub const ANY_SERVICE: &[&str] = &[$($any),+];

        /// Names of the scenarios that need VoiceAssist's API.
        pub const VOICEASSIST: &[&str] = &[$($own),+];
    };
}

builtin![
    any service: "http-smoke", "http-load", "http-stress", "http-spike";
    VoiceAssist: "smoke", "load", "stress", "spike", "flash-crowd", "endurance", "api-journey",
        "admin-workflow", "websocket", "voice", "mixed";
];

/// Suites: each has a name and the scenarios that run one after another.
pub const SUITES: [(&str, &[&str]); 2] = [("quick", &["smoke", "load"]), ("all", VOICEASSIST)];

/// The built-in scenario of this name; `None` if there is none.
pub fn find(name: &str) -> Option<Builtin> {
    BUILTIN.into_iter().find(|builtin| builtin.name == name)
}

/// The scenarios of the suite of this name; `None` if there is none.
pub fn suite(name: &str) -> Option<&'static [&'static str]> {
    SUITES
        .into_iter()
        .find_map(|(suite, members)| (suite == name).then_some(members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{
        model::{Load, Scenario},
        parse,
    };

    fn parsed(name: &str) -> Scenario {
        let none = |_: &str| Err("no files here".to_owned());
        parse(find(name).unwrap().text, name, &none).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn each_has_the_users_the_minutes_and_the_thresholds_of_the_report_they_come_from() {
        for (name, users, minutes, thresholds) in [
            ("smoke", 5.0, 1.0, "latency p95 < 500ms, errors < 1%"),
            ("http-smoke", 5.0, 1.0, "latency p95 < 500ms, errors < 1%"),
            (
                "http-load",
                100.0,
                9.0,
                "latency p50 < 100ms, latency p95 < 500ms, latency p99 < 1s, errors < 1%",
            ),
            ("http-stress", 500.0, 22.0, "latency p95 < 2s, errors < 10%"),
            ("http-spike", 500.0, 8.0, "latency p95 < 2s, errors < 10%"),
            (
                "load",
                100.0,
                9.0,
                "latency p50 < 100ms, latency p95 < 500ms, latency p99 < 1s, errors < 1%",
            ),
            ("stress", 500.0, 22.0, "latency p95 < 2s, errors < 10%"),
            ("spike", 500.0, 8.0, "latency p95 < 2s, errors < 10%"),
            ("flash-crowd", 1000.0, 3.0, "latency p95 < 2s, errors < 10%"),
            (
                "endurance",
                100.0,
                30.0,
                "latency p95 < 800ms, errors < 5%, trend < 20%/h",
            ),
            (
                "api-journey",
                50.0,
                10.0,
                "latency p95 < 800ms, errors < 5%, step log in: latency p95 < 500ms",
            ),
            ("admin-workflow", 10.0, 5.0, "latency p95 < 800ms, errors < 5%"),
            ("websocket", 50.0, 5.0, "errors < 5%"),
            ("voice", 50.0, 5.0, "ws_rtt p95 < 500ms, errors < 1%"),
            ("mixed", 100.0, 10.0, "latency p95 < 800ms, errors < 5%"),
        ] {
            let scenario = parsed(name);
            let Load::Closed(profile) = &scenario.load else {
                panic!("{name} has users");
            };
            assert!((profile.peak() - users).abs() < 1e-9, "{name}");
            assert!((profile.seconds() - minutes * 60.0).abs() < 1e-6, "{name}");
            let texts: Vec<String> = scenario.thresholds.iter().map(ToString::to_string).collect();
            assert_eq!(texts.join(", "), thresholds, "{name}");
        }
    }

    #[test]
    fn journeys_have_the_steps_and_weights_of_the_report_they_come_from() {
        assert_eq!(parsed("api-journey").journeys[0].steps.len(), 11);
        assert_eq!(parsed("admin-workflow").journeys[0].steps.len(), 12);
        let weights: Vec<u32> = parsed("mixed")
            .journeys
            .iter()
            .map(|journey| journey.weight)
            .collect();
        assert_eq!(weights, [70, 20, 10, 5]);
        let Load::Closed(crowd) = parsed("flash-crowd").load else {
            panic!("it has users")
        };
        assert!((crowd.level(1.0) - 200.0).abs() < 1e-9, "200 users come a second");
    }

    #[test]
    fn those_for_any_service_request_one_path() {
        for name in ANY_SERVICE {
            let scenario = parsed(name);
            assert!(scenario.is_single() && scenario.journeys.len() == 1, "{name}");
            assert_eq!(scenario.journeys[0].steps[0].name, "GET /");
        }
    }

    #[test]
    fn suites_have_members_that_exist() {
        for (_, members) in SUITES {
            assert!(!members.is_empty() && members.iter().all(|name| find(name).is_some()));
        }
        assert_eq!(suite("quick"), Some(["smoke", "load"].as_slice()));
        assert_eq!(suite("all"), Some(VOICEASSIST));
    }
}
