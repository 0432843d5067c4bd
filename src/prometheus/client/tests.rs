use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Response},
    routing::post,
};

use super::*;

const EMPTY: &str = r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#;

/// Sends a query to a server that gives this answer to every query.
async fn ask(status: u16, content_type: &'static str, body: &str) -> Result<Vector, QueryError> {
    let url = serve(status, content_type, body).await;
    client(&url).query("sum(a)").await
}

/// The URL of a server that gives one answer to every query.
async fn serve(status: u16, content_type: &'static str, body: &str) -> String {
    let body = body.to_owned();
    let app = Router::new().route(
        "/prefix/api/v1/query",
        post(move |headers: HeaderMap, form: String| async move {
            assert!(form.starts_with("query=sum%28a%29&timeout="), "{form}");
            assert_eq!(headers["accept-encoding"], "gzip");
            Response::builder()
                .status(status)
                .header("content-type", content_type)
                .body(Body::from(body.clone()))
                .unwrap()
        }),
    );
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/prefix/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

fn client(url: &str) -> Client {
    sized_client(url, 200)
}

fn sized_client(url: &str, response_size: usize) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new(url, sized_limits(response_size)).unwrap()
}

fn sized_limits(response_size: usize) -> Limits {
    Limits {
        timeout: Duration::from_millis(500),
        response_size,
    }
}

async fn words(status: u16, content_type: &'static str, body: &str) -> String {
    ask(status, content_type, body).await.unwrap_err().to_string()
}

#[tokio::test]
async fn queries_are_posted_below_the_path_of_the_url() {
    assert_eq!(ask(200, "application/json", EMPTY).await.unwrap(), []);
    assert_eq!(
        ask(200, "application/json; charset=utf-8", EMPTY).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn the_words_of_prometheus_are_passed_on_whatever_the_status() {
    let refusal = r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#;
    assert_eq!(
        words(503, "application/json", refusal).await,
        "timeout: query timed out"
    );
    assert_eq!(
        words(502, "text/html", "<h1>no\nupstream</h1>").await,
        "HTTP 502 Bad Gateway: <h1>no upstream</h1>"
    );
    assert_eq!(
        words(500, "application/json", "{").await,
        "HTTP 500 Internal Server Error"
    );
}

#[tokio::test]
async fn a_success_without_json_or_too_large_or_elsewhere_is_no_answer() {
    assert!(words(200, "text/html", EMPTY).await.contains("not JSON"));
    let large = " ".repeat(201);
    assert!(
        words(200, "application/json", &large)
            .await
            .contains("larger than 200 bytes")
    );
    assert_eq!(words(302, "text/plain", "").await, "HTTP 302 Found");
}

#[tokio::test]
async fn an_answer_that_should_hold_one_series_gets_little_room_whatever_the_general_limit() {
    let large = EMPTY.to_owned() + &" ".repeat(64 << 10);
    let url = serve(200, "application/json", &large).await;
    let client = sized_client(&url, 16 << 20);
    assert_eq!(client.query("sum(a)").await.unwrap(), []);
    let refused = client.ask_one("sum(a)").await.unwrap_err().to_string();
    assert!(
        refused.starts_with("the answer is larger than 65536 bytes; the query must return one series"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_port_without_a_listener_and_one_that_never_answers_are_told_apart() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = client(&url).query("sum(a)").await.unwrap_err();
    assert!(matches!(silent, QueryError::Timeout(_)), "{silent}");
    assert_eq!(silent.to_string(), "no answer within 0.5s");
    drop(listener);
    let refused = client(&url).query("sum(a)").await.unwrap_err().to_string();
    assert_eq!(refused, "Connection refused (os error 111)");
}

#[test]
fn urls_that_cannot_work_say_so() {
    for url in [
        "",
        "prometheus:9090",
        "ftp://prometheus",
        "http://",
        "http://prometheus?tenant=a",
        "http://someone:s3cret@prometheus",
        "http://someone:s3cret@prometheus:99999",
        "someone:s3cret@prometheus:9090",
    ] {
        let limits = Limits {
            timeout: Duration::from_secs(1),
            response_size: 1,
        };
        let error = Client::new(url, limits)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            error.contains("use for example http://prometheus.monitoring:9090"),
            "{url}: {error}"
        );
        assert!(!error.contains("s3cret"), "{error}");
    }
}

#[test]
fn credentials_in_a_url_are_refused_with_the_place_where_they_belong() {
    let limits = sized_limits(1);
    let error = Client::new("https://someone:s3cret@prometheus", limits)
        .err()
        .unwrap();
    assert!(
        error
            .to_string()
            .contains("give basicAuth in a configuration file"),
        "{error}"
    );
}
