//! Each metric scales the right Deployment up and, when its cause is gone, down again, and the other one stays.

use std::time::{Duration, Instant};

use crate::{
    stage::Stage,
    users::{Jobs, Requests, memory_of_all},
};

const GATEWAY: &str = "api-gateway";
const WORKER: &str = "worker";
/// Longest time from a cause to replicas that are Ready: a scrape, a window, two syncs of the HPA, some steps, and pods that start.
const UP: Duration = Duration::from_secs(240);
/// Longest time from the end of a cause to the fewest replicas: the window, and a step at each sync.
const DOWN: Duration = Duration::from_secs(300);

/// 450 requests per second at a target of 100 are five pods: within the tolerance of 10 % nothing else is.
pub(crate) async fn request_rate(stage: &Stage) -> String {
    let requests = Requests::send(stage, "request-rate", 450, 0);
    let up = rise_exactly(stage, GATEWAY, 5).await;
    let (sent, failed, why) = requests.end().await;
    assert_eq!(failed, 0, "of {sent} requests: {why}");
    let down = fall(stage, GATEWAY, 3).await;
    format!("{up}; {sent} requests, none failed; {down}")
}

/// Eight requests a second of 50 ms each are 400m of CPU, 5.7 times the target of 70m: six pods, and a seventh for what else they do.
pub(crate) async fn cpu(stage: &Stage) -> String {
    let requests = Requests::send(stage, "cpu", 8, 50);
    let up = rise(stage, GATEWAY, 5, 8).await;
    let (sent, failed, why) = requests.end().await;
    assert_eq!(failed, 0, "of {sent} requests: {why}");
    let down = fall(stage, GATEWAY, 3).await;
    format!("{up}; {sent} requests, none failed; {down}")
}

/// Three pods that hold 100 MiB of 64 requested: 1.6 by 0.8 are six pods, after which the mean is within the tolerance or one short.
pub(crate) async fn memory(stage: &Stage) -> String {
    memory_of_all(stage, 100).await;
    let up = rise(stage, GATEWAY, 6, 8).await;
    memory_of_all(stage, 0).await;
    let down = fall(stage, GATEWAY, 3).await;
    format!("{up}; {down}")
}

/// 400 jobs at a target of 50 are eight workers, the most that production allows.
pub(crate) async fn queue_depth(stage: &Stage) -> String {
    let jobs = Jobs::of(stage);
    jobs.add(600).await;
    let up = rise_exactly(stage, WORKER, 8).await;
    jobs.clear().await;
    let down = fall(stage, WORKER, 1).await;
    format!("{up}; {down}")
}

/// 45 jobs are too few for a second worker; the last waits nearly two minutes, which is too long.
pub(crate) async fn queue_age(stage: &Stage) -> String {
    let jobs = Jobs::of(stage);
    let began = Instant::now();
    jobs.add(45).await;
    let (reached, took) = stage.replicas.rise(WORKER, 2, UP).await;
    let early = took < Duration::from_secs(60);
    assert!(
        !early,
        "{reached} workers after {took:?}, before a job was 60 s old"
    );
    stage.replicas.assert_steps(WORKER, began, 1, 0);
    jobs.clear().await;
    let down = fall(stage, WORKER, 1).await;
    format!(
        "up to {reached} workers, Ready {:.0} s after the jobs; {down}",
        took.as_secs_f64()
    )
}

/// Waits for exactly so many replicas.
async fn rise_exactly(stage: &Stage, workload: &str, count: i32) -> String {
    rise(stage, workload, count, count).await
}

/// Waits for at least so many replicas that are Ready, and then sees that they do not go beyond the most.
async fn rise(stage: &Stage, workload: &str, least: i32, most: i32) -> String {
    let began = Instant::now();
    let (_, took) = stage.replicas.rise(workload, least, UP).await;
    // Three syncs of the HPA controller.
    support::eventually::throughout(Duration::from_secs(15), "replicas in their range", || async {
        let now = stage.replicas.since(workload, began);
        let now = now.last().map_or(0, |sample| sample.wanted);
        (least..=most).contains(&now).then_some(()).ok_or(now)
    })
    .await;
    stage.replicas.assert_none_fell(workload, began);
    let course = stage.replicas.course(workload, began);
    format!("up {course}, {least} Ready after {:.0} s", took.as_secs_f64())
}

/// Waits for the fewest replicas, which are reached one by one.
async fn fall(stage: &Stage, workload: &str, fewest: i32) -> String {
    let began = Instant::now();
    let took = stage.replicas.reach(workload, fewest, DOWN).await;
    stage.replicas.assert_steps(workload, began, 1, 1);
    format!("down to {fewest} in {:.0} s", took.as_secs_f64())
}
