//! Several processes that send one load: nothing of it is missing and nothing is there twice.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

use super::{begin_with, target};
use crate::{
    engine::Settings,
    http::Protocol,
    judge::judge,
    report::Verdict,
    scenario::{parse, part::Part},
};

/// The paths that were requested.
#[derive(Clone, Default)]
struct Paths(Arc<Mutex<Vec<String>>>);

impl Paths {
    /// Answers every request with 200, and keeps its path.
    async fn serve(&self) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let paths = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(paths.clone().answer(stream));
            }
        });
        url
    }

    async fn answer(self, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = String::new();
            stream.read_line(&mut line).await?;
            let Some(path) = line.split(' ').nth(1).map(str::to_owned) else {
                return Ok(());
            };
            while line.trim() != "" {
                line.clear();
                stream.read_line(&mut line).await?;
            }
            self.0.lock().push(path);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            stream.get_mut().write_all(answer).await?;
        }
    }
}

/// How often each of the values between the slashes of all paths was sent, by its place in the path.
async fn sent(text: &str, parts: u32) -> Vec<BTreeMap<String, u32>> {
    let paths = Paths::default();
    let url = paths.serve().await;
    let file = |_: &str| Ok(b"x\nr0\nr1\nr2\nr3\nr4\n".to_vec());
    let whole = parse(text, "test", &file).unwrap();
    let mut running = Vec::new();
    for index in 0..parts {
        let mut scenario = whole.clone();
        scenario.part = Part::new(index, parts).unwrap();
        let settings = Settings {
            threads: Some(1 + index % 2),
            ..Settings::default()
        };
        running.push((
            scenario.clone(),
            begin_with(scenario, &target(&url, Protocol::Http1, None), settings),
        ));
    }
    for (scenario, running) in running {
        let measured = running.finish().await.unwrap();
        let report = judge(&scenario, &url, measured, Vec::new(), Vec::new());
        let planned = report
            .doubts
            .iter()
            .find(|doubt| doubt.contains("planned journeys"));
        assert_eq!(planned, None, "{:?}", scenario.part);
        assert_ne!(report.verdict, Verdict::Fail);
    }
    let mut counts: Vec<BTreeMap<String, u32>> = Vec::new();
    for path in paths.0.lock().iter() {
        for (place, value) in path.split('/').skip(1).enumerate() {
            if counts.len() <= place {
                counts.push(BTreeMap::new());
            }
            *counts[place].entry(value.to_owned()).or_default() += 1;
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_rate_begin_each_journey_once_with_its_own_row_and_number() {
    let text = "
load: {rate: [{duration: 1s, at: 41}]}
data: {own: {file: a.csv}, next: {file: a.csv, order: inOrder}}
values: {order: sequence 100}
journeys: [{name: a, steps: [{name: a, get: '/{{user}}/{{own.x}}/{{next.x}}/{{order}}'}]}]
";
    let counts = sent(text, 3).await;
    let once = |numbers: std::ops::Range<u32>| -> BTreeMap<String, u32> {
        numbers.map(|number| (number.to_string(), 1)).collect()
    };
    assert_eq!(counts[0], once(0..41), "users");
    assert_eq!(counts[3], once(100..141), "numbers of the sequence");
    // 41 rows in turn, of five.
    let rows: BTreeMap<String, u32> = (0..5)
        .map(|row| (format!("r{row}"), if row == 0 { 9 } else { 8 }))
        .collect();
    assert_eq!((&counts[1], &counts[2]), (&rows, &rows));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_users_are_all_users_and_share_the_journeys() {
    let text = "
load: {users: [{duration: 1m, at: 7}], iterations: 23}
journeys: [{name: a, think: 20ms, steps: [{name: a, get: '/{{user}}'}]}]
";
    let counts = sent(text, 3).await;
    let users: Vec<&str> = counts[0].keys().map(String::as_str).collect();
    assert_eq!(users, ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(counts[0].values().sum::<u32>(), 23);
}

#[test]
fn the_planned_load_of_a_part_is_its_part() {
    let file = |_: &str| Err(String::new());
    let mut scenario = parse(
        "load: {rate: [{duration: 10s, at: 41}]}\njourneys: [{name: a, steps: [{get: /}]}]",
        "test",
        &file,
    )
    .unwrap();
    scenario.part = Part::new(1, 4).unwrap();
    let report = judge(
        &scenario,
        "http://h",
        crate::judge::testing::measured(crate::judge::testing::requests(102, 0)),
        Vec::new(),
        Vec::new(),
    );
    assert!((report.load.level(1.0) - 10.25).abs() < 1e-9);
    assert_eq!(report.load.duration(), Duration::from_secs(10));
}
