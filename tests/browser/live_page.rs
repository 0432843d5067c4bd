//! A run with a live page, from its first second to its report.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{
    browser::Browser,
    page::{Page, Scheme},
};
use support::{cluster::run_dir, eventually, process::Process, service::Server, vas};

const DEADLINE: Duration = Duration::from_secs(60);
/// Width of a window on a desk, and of a phone.
const WIDE: u32 = 1280;
const NARROW: u32 = 400;

/// Sizes of all charts, in pixels, and the number of things that are drawn in each.
const CHARTS: &str = "[...document.querySelectorAll('svg[role=img]')].map(s => { \
    const r = s.getBoundingClientRect(); return [r.width, r.height, s.querySelectorAll('path, rect, polyline, line').length]; })";
/// How far the page can be moved to the side, and the elements that stick out of it.
const TO_THE_SIDE: &str = "(() => { const w = document.documentElement.clientWidth; \
    return [document.scrollingElement.scrollWidth - w, [...document.querySelectorAll('body *')] \
    .filter(e => e.getBoundingClientRect().right > w + 1 && getComputedStyle(e.parentElement).overflowX === 'visible') \
    .slice(0, 5).map(e => e.outerHTML.slice(0, 120))]; })()";
/// Lightness of the background and of the text, from 0 to 255.
const COLOURS: &str = "(() => { const c = getComputedStyle(document.body), \
    light = t => { const n = t.match(/[\\d.]+/g).map(Number); return (n[0] + n[1] + n[2]) / 3; }; \
    const html = getComputedStyle(document.documentElement).backgroundColor; \
    return [light(c.backgroundColor === 'rgba(0, 0, 0, 0)' ? html : c.backgroundColor), light(c.color)]; })()";
/// Labels of charts that are cut off at an edge of the page.
const LABELS_OUT: &str = "[...document.querySelectorAll('.axis *, .ticks *, .key')] \
    .filter(e => { const r = e.getBoundingClientRect(); return r.width > 0 && (r.left < 0 || r.right > innerWidth + 1); }) \
    .map(e => e.textContent).slice(0, 5)";

/// Starts a run of ten minutes; returns it, the URL of its page, and the file of its report.
async fn start(server: &Server) -> (Process, String, std::path::PathBuf) {
    std::fs::create_dir_all(run_dir()).expect("a folder for the run");
    let report = run_dir().join("browser.html");
    let url = format!("{}/health", server.url());
    let args = [
        "test".to_owned(),
        "run".to_owned(),
        url,
        "--rate=50".to_owned(),
        "--duration=10m".to_owned(),
        "--threshold=latency p95 < 1s".to_owned(),
        "--web=127.0.0.1:0".to_owned(),
        format!("-ohtml={}", report.display()),
    ];
    let process = vas::start("browser", &args, &[]);
    let page = eventually(DEADLINE, "the URL is printed", || async {
        let log = process.log();
        let page = log.lines().find_map(|line| line.strip_prefix("live page: "));
        page.map(str::to_owned).ok_or(log.clone())
    });
    let page = page.await;
    (process, page, report)
}

/// Looks at the page in both schemes and both widths, and leaves a picture of each.
async fn look(page: &mut Page, name: &str, charts: usize) {
    for scheme in [Scheme::Light, Scheme::Dark] {
        for width in [WIDE, NARROW] {
            page.looked_at(width, scheme).await;
            let seen = format!("{name}, {scheme:?}, {width} px");
            page.picture(&format!("{name}-{scheme:?}-{width}").to_lowercase())
                .await;
            let drawn = page.value(CHARTS).await;
            let drawn = drawn.as_array().expect("a list");
            assert!(drawn.len() >= charts, "{seen}: {} charts", drawn.len());
            for size in drawn {
                let [wide, high] = [0, 1].map(|side| size[side].as_f64().expect("pixels"));
                assert!(
                    wide > 150.0 && high > 20.0 && size[2] != 0,
                    "{seen}: a chart of {size}"
                );
            }
            let side = page.value(TO_THE_SIDE).await;
            assert_eq!(side[0], 0, "{seen}: it moves to the side: {side}");
            let out = page.value(LABELS_OUT).await;
            assert_eq!(out, Value::Array(Vec::new()), "{seen}: labels are cut off");
            let colours = page.value(COLOURS).await;
            let [back, text] = [0, 1].map(|place| colours[place].as_f64().expect("a lightness"));
            match scheme {
                Scheme::Light => assert!(back > 200.0 && text < 90.0, "{seen}: {colours}"),
                Scheme::Dark => assert!(back < 60.0 && text > 160.0, "{seen}: {colours}"),
            }
        }
    }
    page.looked_at(WIDE, Scheme::Light).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_followed_stopped_and_reported() {
    let server = Server::start(None).await;
    let (mut run, url, report) = start(&server).await;
    let mut page = Page::open(Browser::start().await).await;
    page.looked_at(WIDE, Scheme::Light).await;
    page.navigate(&url).await;
    page.until("document.getElementById('state')?.textContent === 'RUNNING'")
        .await;
    page.until("/\\b(1[2-9]|[2-9]\\d)s\\b/.test(document.getElementById('live')?.innerText ?? '')")
        .await;
    let text = page.value("document.body.innerText").await;
    let text = text.as_str().expect("text").to_lowercase();
    for words in ["answered", "failed", "latency p95", "of 10m", "stop the run"] {
        assert!(text.contains(words), "no {words} in {text}");
    }
    look(&mut page, "live", 2).await;

    // A page that is loaded again goes on where it was.
    page.command("Page.reload", serde_json::json!({})).await;
    page.until("document.getElementById('state')?.textContent === 'RUNNING'")
        .await;
    run.assert_running();
    page.click("#stop").await;
    page.until("location.pathname.endsWith('/report') && document.readyState === 'complete'")
        .await;
    let over = Instant::now();
    let status = run.wait(DEADLINE).await;
    assert_eq!(status.code(), Some(130), "as after Ctrl-C: {}", run.log());
    assert!(
        over.elapsed() < Duration::from_secs(5),
        "the only page has it: {:?}",
        over.elapsed()
    );

    let shown = page.document("/report").await;
    let written = std::fs::read(&report).expect("the report is written");
    assert!(shown == written, "the page shows other bytes than the file has");
    assert_eq!(page.value("document.scripts.length").await, 0);
    look(&mut page, "report", 2).await;

    assert_eq!(page.complaints(), [""; 0]);
    let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
    for requested in page.requested() {
        let own = requested.starts_with(&origin) || requested.starts_with("about:");
        assert!(own || requested.starts_with("data:"), "{requested} is elsewhere");
    }
}
