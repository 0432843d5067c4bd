//! What a cluster runs on goes away and comes back, while load holds replicas: none falls, and all is well again without help.

mod api_server;
mod certificate;
mod names;
mod node;
mod prometheus;

use std::time::{Duration, Instant};

use tokio::sync::OnceCell;

use super::doctor;
use crate::{
    stage::Stage,
    table::Table,
    users::{Jobs, Requests},
};

const GATEWAY: &str = "api-gateway";
const WORKER: &str = "worker";
/// What 450 requests per second at a target of 100 need.
const HELD: i32 = 5;
/// Longest time until everything is as before: an API server that was away keeps controllers busy for most of a minute.
const RECOVERED: Duration = Duration::from_secs(240);
/// Longer than the HPA's window and than a value is carried over, so that what was missing would have shown.
const WATCHED: Duration = Duration::from_secs(25);

/// One load for all of them, which the first begins.
struct Load<'a> {
    stage: &'a Stage,
    requests: OnceCell<Requests>,
}

/// Runs all, and sees that the replicas fall when the load ends.
pub(super) async fn all(table: &mut Table, stage: &Stage) {
    let load = Load {
        stage,
        requests: OnceCell::new(),
    };
    let kubelets = load.through(async |stage| node::restart(stage, "kubelet"));
    table.test("kubelets-restart", kubelets).await;
    let containerds = load.through(async |stage| node::restart(stage, "containerd"));
    table.test("containerds-restart", containerds).await;
    table.test("coredns-away", load.through(names::away)).await;
    let moves = load.through(async |stage| prometheus::moves(stage));
    table.test("prometheus-moves", moves).await;
    let rotates = load.through(certificate::rotates);
    table.test("certificate-rotates", rotates).await;
    let away = load.through(api_server::away);
    table.test("api-server-away", away).await;
    if load.requests.initialized() {
        table.test("load-ends", load.end()).await;
    }
}

impl Load<'_> {
    /// Lets a fault come and go. It returns when what it took away is back; that vas is well again is seen here.
    async fn through(&self, fault: impl AsyncFnOnce(&Stage) -> String) -> String {
        self.requests.get_or_init(|| self.begin()).await;
        let replicas = &self.stage.replicas;
        let began = Instant::now();
        let seen = fault(self.stage).await;
        let back = Instant::now();
        doctor::nothing_wrong(self.stage, RECOVERED).await;
        let recovered = back.elapsed();
        replicas.reach(GATEWAY, HELD, RECOVERED).await;
        tokio::time::sleep(WATCHED).await;
        for workload in [GATEWAY, WORKER] {
            replicas.assert_none_fell(workload, began);
        }
        let course = replicas.course(GATEWAY, began);
        format!(
            "{seen}; replicas {course}; all well {:.0} s after",
            recovered.as_secs_f64()
        )
    }

    async fn begin(&self) -> Requests {
        self.stage.at_rest().await;
        let requests = Requests::send(self.stage, "faults", 450, 0);
        self.stage
            .replicas
            .rise(GATEWAY, HELD, Duration::from_secs(180))
            .await;
        requests
    }

    /// The pods went on answering, but for those that a fault of theirs took.
    async fn end(self) -> String {
        let (sent, failed, why) = self.requests.into_inner().expect("it was begun").end().await;
        assert_eq!(failed, 0, "of {sent} requests: {why}");
        Jobs::of(self.stage).clear().await;
        let took = self
            .stage
            .replicas
            .reach(GATEWAY, 3, Duration::from_secs(240))
            .await;
        format!(
            "{sent} requests, none failed; down to 3 in {:.0} s",
            took.as_secs_f64()
        )
    }
}
