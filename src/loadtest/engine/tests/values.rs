//! Values that users take from answers.

use std::time::Duration;

use super::{begin, get, rate, scenario, server::Server, target};
use crate::{
    http::Protocol,
    scenario::{extract::Extract, model::Action},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_too_large_to_keep_fails_its_request() {
    let server = Server::plain().await;
    for (pointer, failures) in [("/small", 0), ("/large", 5)] {
        let mut action = get("/long");
        if let Action::Request(request) = &mut action {
            let extract = Extract::Json(pointer.to_owned());
            request.extract.insert("value".to_owned(), extract);
        }
        let one = scenario(rate(5.0, Duration::from_secs(1)), vec![action]);
        let running = begin(one, &target(&server.url, Protocol::Http1, None));
        let measured = running.finish().await.unwrap();
        assert_eq!(measured.total.failed(), failures, "{:?}", measured.total.failures);
        let causes: Vec<&String> = measured.total.failures.keys().collect();
        let words = format!("{causes:?}");
        assert_eq!(words.contains("larger than 256 KiB"), failures > 0, "{words}");
    }
}
