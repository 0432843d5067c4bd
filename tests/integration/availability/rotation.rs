//! The shared certificate rotates under load.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use k8s_openapi::{api::core::v1::Secret, kube_aggregator::pkg::apis::apiregistration::v1::APIService};
use kube::{Api, Client};

use super::{Pair, pair_for_long};
use support::{open_loop::OpenLoop, process::Signal};

/// The phase of a rotation, as the Secret has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Look {
    phase: Phase,
    serving: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Announced,
    Switched,
}

async fn look(secrets: &Api<Secret>) -> Look {
    let secret = secrets
        .get("vas-metrics-server-tls")
        .await
        .expect("the Secret is there");
    let data = secret.data.unwrap_or_default();
    let text = |key: &str| data.get(key).map(|value| value.0.clone()).unwrap_or_default();
    let cas = String::from_utf8_lossy(&text("ca.crt"))
        .matches("BEGIN CERTIFICATE")
        .count();
    let phase = match (data.contains_key("next.crt"), cas) {
        (true, _) => Phase::Announced,
        (false, 1) => Phase::Serving,
        (false, _) => Phase::Switched,
    };
    Look {
        phase,
        serving: text("tls.crt"),
    }
}

/// Reads with a client that trusts exactly the CAs that the APIService has at that time.
async fn read_directly(api_services: &Api<APIService>, port: u16) -> Result<(), String> {
    let api_service = api_services
        .get("v1beta2.custom.metrics.k8s.io")
        .await
        .map_err(|error| error.to_string())?;
    let bundle = api_service
        .spec
        .and_then(|spec| spec.ca_bundle)
        .unwrap_or_default();
    let cas = reqwest::Certificate::from_pem_bundle(&bundle.0).map_err(|error| error.to_string())?;
    let client = reqwest::Client::builder()
        .tls_certs_only(cas)
        .resolve("vas-metrics-server.vas-system.svc", ([127, 0, 0, 1], port).into())
        .timeout(Duration::from_secs(10))
        .build()
        .map_err(|error| error.to_string())?;
    let url = format!("https://vas-metrics-server.vas-system.svc:{port}/healthz");
    match client.get(url).send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// Reads until aborted. Failures are added to the list.
fn read_directly_for_ever(
    client: Client,
    port: u16,
) -> (Arc<Mutex<Vec<String>>>, tokio::task::JoinHandle<()>) {
    let failed = Arc::new(Mutex::new(Vec::new()));
    let failures = Arc::clone(&failed);
    let task = tokio::spawn(async move {
        let api_services = Api::all(client);
        loop {
            if let Err(error) = read_directly(&api_services, port).await {
                failures.lock().expect("no reader panics").push(error);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    (failed, task)
}

/// Records the phases, from now until a number of certificates came into service.
async fn follow_switches(
    secrets: &Api<Secret>,
    switches: usize,
    mut on_phase: impl AsyncFnMut(Phase),
) -> Vec<Phase> {
    let mut last = look(secrets).await;
    let (mut phases, mut seen) = (vec![last.phase], 0);
    let deadline = Instant::now() + Duration::from_secs(75) * u32::try_from(switches).expect("a few");
    while seen < switches || last.phase != Phase::Serving {
        assert!(Instant::now() < deadline, "{seen} switches only: {phases:?}");
        let now = look(secrets).await;
        if now.serving != last.serving {
            assert_eq!(
                (last.phase, now.phase),
                (Phase::Announced, Phase::Switched),
                "{phases:?}"
            );
            seen += 1;
        }
        if now.phase != last.phase {
            phases.push(now.phase);
            on_phase(now.phase).await;
        }
        last = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    phases
}

fn secrets(client: &Client) -> Api<Secret> {
    Api::namespaced(client.clone(), "vas-system")
}

fn load(pair: &Pair, client: &Client) -> OpenLoop {
    OpenLoop::start(client.clone(), vec![pair.path()], 50)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_certificate_rotates_under_load_without_a_failed_read() {
    let pair = pair_for_long().await;
    let client = pair.cluster.client().await;
    let reads = load(&pair, &client);
    let (direct, directly) = read_directly_for_ever(client.clone(), pair.balancer.port);
    let phases = follow_switches(&secrets(&client), 2, async |_| {}).await;
    directly.abort();
    let outcome = reads.end().await;
    assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
    assert!(outcome.sent > 1_000, "{} reads through {phases:?}", outcome.sent);
    assert_eq!(*direct.lock().unwrap(), Vec::<String>::new());
    for replica in &pair.replicas {
        let metrics = replica.metrics().await;
        let name = "vas_metrics_server_certificate_expiry_timestamp_seconds{} ";
        let end: f64 = metrics
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|end| end.parse().ok())
            .expect("the expiry");
        let left = end - jiff::Timestamp::now().as_duration().as_secs_f64();
        assert!((0.0..60.0).contains(&left), "{left} s left");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_goes_on_whichever_replica_is_killed_in_whichever_phase() {
    let mut pair = pair_for_long().await;
    let client = pair.cluster.client().await;
    let (direct, directly) = read_directly_for_ever(client.clone(), pair.balancer.port);
    let mut kills = 0;
    let phases = follow_switches(&secrets(&client), 2, async |_| {
        pair.are_ready(2).await;
        // The older one in turn, so that no replica lives through a whole rotation.
        let killed = pair.replicas.remove(0);
        killed.process.signal(Signal::Kill);
        drop(killed);
        kills += 1;
        pair.start_replica();
    })
    .await;
    directly.abort();
    assert!(kills >= 4, "{kills} kills in {phases:?}");
    let unexpected: Vec<String> = direct
        .lock()
        .unwrap()
        .iter()
        .filter(|error| error.to_lowercase().contains("certificate"))
        .cloned()
        .collect();
    assert_eq!(unexpected, Vec::<String>::new());
    pair.are_ready(2).await;
}
