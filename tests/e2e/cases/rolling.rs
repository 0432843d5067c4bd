//! A new version of the service rolls out while users send requests.

use std::time::Instant;

use crate::{
    stage::{NAMESPACE, Stage},
    users::Requests,
};

const GATEWAY: &str = "api-gateway";

/// No request fails, and the HPA's replicas stay: the service waits a moment before it stops to listen, and ends what it has begun.
pub(crate) async fn under_load(stage: &Stage) -> String {
    stage.at_rest().await;
    let requests = Requests::send(stage, "rolling", 150, 0);
    let began = Instant::now();
    let name = format!("deployment/{GATEWAY}");
    tokio::task::block_in_place(|| {
        stage
            .cluster
            .kubectl_ok(&["-n", NAMESPACE, "rollout", "restart", &name], None);
        stage.rolled_out(NAMESPACE, GATEWAY);
    });
    let took = began.elapsed();
    let (sent, failed, why) = requests.end().await;
    assert_eq!(failed, 0, "of {sent} requests: {why}");
    stage.replicas.assert_none_fell(GATEWAY, began);
    format!(
        "three pods replaced in {:.0} s; {sent} requests, none failed",
        took.as_secs_f64()
    )
}
