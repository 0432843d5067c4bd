//! Schedules on a real control plane: one write of the HPA at each boundary and none between, also for an operator that
//! was killed at one, and none at all while the workload is suspended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit, tz::Offset};
use serde_json::{Value, json};

use super::fixture::{Operated, deployment, operator, resource, workload};
use support::{audit, eventually, process::Signal};

const BOUNDS: [&str; 2] = ["/spec/minReplicas", "/spec/maxReplicas"];
/// Longest wait for a boundary that is two minutes away, on a machine that runs all tests at once.
const PATIENCE: Duration = Duration::from_secs(300);

/// A workload whose bounds are 1 to 5.
fn scheduled(entries: Value) -> Value {
    let mut worker = workload("worker");
    worker["schedules"] = entries;
    worker
}

/// An entry that begins at a moment.
fn entry(name: &str, at: Timestamp, duration: &str, min: i32, max: Option<i32>) -> Value {
    // Half past five before UTC in every year.
    let kolkata = Offset::from_seconds(19_800).expect("an offset");
    let at = kolkata.to_datetime(at).strftime("%Y-%m-%dT%H:%M").to_string();
    let mut entry =
        json!({"name": name, "at": at, "duration": duration, "timeZone": "Asia/Kolkata", "minReplicas": min});
    if let Some(max) = max {
        entry["maxReplicas"] = json!(max);
    }
    entry
}

/// Waits until the HPA has these bounds.
async fn bounds_become(operated: &Operated<'_>, bounds: [i32; 2]) {
    eventually(PATIENCE, &format!("the HPA's bounds are {bounds:?}"), || async {
        let hpa = operated.get("hpa", "v-worker").unwrap_or_default();
        let found = BOUNDS.map(|pointer| hpa.pointer(pointer).cloned().unwrap_or_default());
        if found == bounds.map(|bound| json!(bound)) {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    })
    .await;
}

async fn passes(moment: Timestamp) {
    eventually(PATIENCE, &format!("{moment} passes"), || async {
        let now = Timestamp::now();
        if now > moment {
            Ok(())
        } else {
            Err(now.to_string())
        }
    })
    .await;
}

/// When the operator's writes of the HPA arrived.
fn writes(operated: &Operated<'_>, since: Timestamp) -> Vec<Timestamp> {
    let writes = audit::writes_since(operated.cluster, operated.namespace.name(), since).into_iter();
    writes
        .filter(|write| write.user_agent.starts_with("vas/"))
        .filter(|write| write.is_about("horizontalpodautoscalers"))
        .map(|write| write.received)
        .collect()
}

/// Notes of the Events about schedules, oldest first.
fn events(operated: &Operated<'_>) -> Vec<String> {
    let events = operated.events("v").into_iter();
    events
        .filter(|(reason, _)| reason.starts_with("Schedule"))
        .map(|(reason, note)| format!("{reason}: {note}"))
        .collect()
}

#[tokio::test]
async fn each_boundary_is_one_write_and_one_event_also_for_an_operator_that_was_killed_at_it() {
    let mut operated = Operated::start("schedules");
    operated.namespace.apply(&deployment("worker", 0));
    // A whole minute, far enough away for the HPA to be there before.
    let first = (Timestamp::now() + SignedDuration::from_secs(75))
        .round(Unit::Minute)
        .expect("a minute");
    let second = first + SignedDuration::from_mins(1);
    let entries = json!([
        entry("ending", second - SignedDuration::from_mins(5), "5m", 4, None),
        entry("starting", first, "1d", 3, Some(7)),
    ]);
    let since = Timestamp::now();
    operated
        .namespace
        .apply(&resource("v", &[scheduled(entries)]).to_string());
    bounds_become(&operated, [4, 5]).await;
    let schedule = "/status/workloads/0/schedule";
    operated
        .field_becomes(
            "voiceassistscaling",
            "v",
            &format!("{schedule}/active"),
            json!(["ending"]),
        )
        .await;
    let object = operated.get("voiceassistscaling", "v").unwrap();
    assert_eq!(
        object.pointer(&format!("{schedule}/nextChange")),
        Some(&json!({
            "time": first.to_string(), "active": ["ending", "starting"], "minReplicas": 4, "maxReplicas": 7,
        })),
        "{object}"
    );
    let table = operated.namespace.kubectl(&["get", "voiceassistscaling", "v"]);
    assert!(
        table.contains("NEXT CHANGE") && table.contains("IST: worker 4 to 7 (ending, starting)"),
        "{table}"
    );

    bounds_become(&operated, [4, 7]).await;
    operated.event("v", "ScheduleStarted").await;
    eventually(PATIENCE, "both Events", || async {
        let events = events(&operated);
        if events.len() == 2 {
            Ok(())
        } else {
            Err(format!("{events:?}"))
        }
    })
    .await;
    operated.operator.signal(Signal::Kill);
    operated.operator.wait(Duration::from_secs(60)).await;
    passes(second).await;
    assert_eq!(
        writes(&operated, since).len(),
        2,
        "nobody has written at the second boundary"
    );
    operated.operator = operator(operated.cluster, operated.namespace.name(), &[]);
    bounds_become(&operated, [3, 7]).await;
    operated.event("v", "ScheduleEnded").await;

    // A restart repeats nothing.
    operated.operator = operator(operated.cluster, operated.namespace.name(), &[]);
    eventually(PATIENCE, "a look at the resource", || async {
        let log = operated.operator.log();
        log.contains(" reconciled").then_some(()).ok_or("no reconcile")
    })
    .await;
    let writes = writes(&operated, since);
    assert_eq!(
        writes.len(),
        3,
        "one when it was created and one for each boundary: {writes:?}"
    );
    assert!(
        writes[0] < first && first <= writes[1] && writes[1] < second && second <= writes[2],
        "{writes:?}"
    );
    assert_eq!(
        events(&operated),
        [
            "ScheduleStarted: worker: ending began; minReplicas 4 and maxReplicas 5",
            "ScheduleStarted: worker: starting began; minReplicas 4 and maxReplicas 7",
            "ScheduleEnded: worker: ending ended; minReplicas 3 and maxReplicas 7",
        ]
    );
}

#[tokio::test]
async fn a_suspended_workload_has_the_widest_bounds_and_no_boundary_moves_it() {
    let operated = Operated::start("schedules-held");
    operated.namespace.apply(&deployment("worker", 2));
    let first = (Timestamp::now() + SignedDuration::from_secs(75))
        .round(Unit::Minute)
        .expect("a minute");
    let entries = json!([
        entry("starting", first, "1h", 4, Some(9)),
        entry("later", first, "2h", 1, None)
    ]);
    let mut worker = scheduled(entries);
    worker["minReplicas"] = json!(2);
    worker["suspend"] = json!(true);
    let mut voice = resource("v", &[worker]);
    let since = Timestamp::now();
    operated.namespace.apply(&voice.to_string());
    bounds_become(&operated, [1, 9]).await;
    // The boundary may be later than `field_becomes` waits.
    passes(first).await;
    operated
        .field_becomes(
            "voiceassistscaling",
            "v",
            "/status/workloads/0/schedule/active",
            json!(["starting", "later"]),
        )
        .await;
    assert_eq!(writes(&operated, since).len(), 1);
    assert_eq!(operated.replicas("worker"), 2);

    voice["spec"]["workloads"][0]["suspend"] = json!(false);
    operated.namespace.apply(&voice.to_string());
    bounds_become(&operated, [4, 9]).await;
}
