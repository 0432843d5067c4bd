//! A run of a number of turns ends with the last of them, not with its time.

use std::time::Duration;

use super::{begin_with, get, scenario, server::Server, target};
use crate::{
    engine::Settings,
    http::Protocol,
    model::measured::End,
    scenario::{model::Load, rate::Profile},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_users_of_all_threads_share_the_turns() {
    let server = Server::plain().await;
    let minutes = Duration::from_secs(600);
    for (turns, path) in [(1, "/"), (101, "/"), (20, "/after/50")] {
        let users = Load::Closed(Profile::constant(8.0, minutes));
        let mut scenario = scenario(users, vec![get(path)]);
        scenario.iterations = Some(turns);
        let settings = Settings {
            threads: Some(3),
            ..Settings::default()
        };
        let running = begin_with(scenario, &target(&server.url, Protocol::Http1, None), settings);
        let measured = running.finish().await.unwrap();
        let asked = measured.total.answered + measured.total.failed();
        assert_eq!((asked, &measured.end), (turns, &End::Completed), "{path}");
        assert_eq!(measured.planned, measured.elapsed);
        assert!(measured.elapsed < minutes / 4, "{:?}", measured.elapsed);
    }
}
