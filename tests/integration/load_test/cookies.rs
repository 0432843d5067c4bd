//! Cookies of each user, at a server that refuses a request without the right ones.

use super::{
    catcher::{Answer, Arrived, Catcher, answer},
    command::{test, words},
    inputs::scenario,
};

fn setting(mut answer: Answer, cookies: &[&str]) -> Answer {
    for cookie in cookies {
        answer
            .headers_mut()
            .append("set-cookie", cookie.parse().expect("a header"));
    }
    answer
}

/// Sets cookies of every kind, and refuses requests whose cookies are not exactly those that a browser sends.
fn visited(request: &Arrived) -> Answer {
    let user = request.query().remove("user").unwrap_or_default();
    let (visitor, session) = (format!("visitor=v{user}"), format!("session=s{user}"));
    let expected = match request.place() {
        "/arrive" => String::new(),
        "/login" => visitor.clone(),
        // The redirect has no user: only the cookie says who it is.
        "/welcome" => request.header("cookie").to_owned(),
        "/shop/cart" => format!("basket=b; {visitor}; {session}"),
        _ => format!("{visitor}; {session}"),
    };
    if request.header("cookie") != expected {
        return answer(403, "");
    }
    match request.place() {
        "/arrive" => setting(
            answer(200, ""),
            &[
                &format!("{visitor}; Path=/; Max-Age=3600"),
                "basket=b; Path=/shop; HttpOnly",
                "tls=1; Path=/; Secure",
                "foreign=1; Path=/; Domain=other.example",
                "gone=1; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
            ],
        ),
        "/login" => {
            let mut to_welcome = answer(302, "");
            to_welcome
                .headers_mut()
                .insert("location", "/welcome".parse().expect("a header"));
            setting(to_welcome, &[&format!("{session}; Path=/; HttpOnly")])
        }
        "/welcome" if !request.header("cookie").contains("; session=s") => answer(403, ""),
        _ => answer(200, ""),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_user_sends_the_cookies_that_it_was_given() {
    let server = Catcher::answering(visited).await;
    let run = ["run", &scenario("cookies.yaml"), "--target", &server.url];
    let ended = test(&run).await;
    let (stdout, stderr) = words(&ended);
    assert!(matches!(ended.status.code(), Some(0 | 3)), "{stdout}{stderr}");
    let arrived = server.take();
    let count = |place: &str| arrived.iter().filter(|one| one.place() == place).count();
    assert_eq!(
        ["/arrive", "/login", "/welcome", "/shop/cart", "/home"].map(count),
        [3, 3, 3, 9, 9]
    );
    assert!(!stdout.contains("HTTP status 403"), "{stdout}");
    let (plan, _) = words(&test(&[&run[..], &["--dry-run"]].concat()).await);
    assert!(
        plan.contains("visitor (100% of the users, with cookies)"),
        "{plan}"
    );
}
