//! Many resources at once, and resources that are deleted while they are reconciled.

use std::time::Duration;

use super::fixture::{Operated, deployment, resource, workload};
use support::eventually;

const RESOURCES: usize = 200;

#[tokio::test]
async fn two_hundred_resources_at_once_all_get_their_autoscaler() {
    let operated = Operated::start("many");
    let mut objects = String::new();
    for number in 0..RESOURCES {
        let name = format!("w{number}");
        // There are no pods, because the operator is tested and not the scheduler.
        objects.push_str(&deployment(&name, 0));
        objects.push_str("\n---\n");
        objects.push_str(&resource(&format!("v{number}"), &[workload(&name)]).to_string());
        objects.push_str("\n---\n");
    }
    operated.namespace.apply(&objects);
    eventually(Duration::from_secs(120), "an HPA and a PDB for each", || async {
        let count = |kind: &str| operated.namespace.objects(kind, "").len();
        match (count("hpa"), count("pdb")) {
            (RESOURCES, RESOURCES) => Ok(()),
            counts => Err(format!("{counts:?}")),
        }
    })
    .await;
    operated.all_applied(RESOURCES, Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_resource_that_goes_while_it_is_looked_at_leaves_nothing_behind() {
    let mut operated = Operated::start("goes");
    operated.namespace.apply(&deployment("worker", 0));
    for _ in 0..10 {
        operated
            .namespace
            .apply(&resource("v", &[workload("worker")]).to_string());
        operated.namespace.delete("voiceassistscaling", "v");
    }
    eventually(Duration::from_secs(60), "no child is left", || async {
        let left = ["hpa", "pdb"].map(|kind| operated.namespace.objects(kind, ""));
        if left.concat().is_empty() {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    })
    .await;
    operated.operator.assert_running();
    // The operator still works after that.
    operated
        .namespace
        .apply(&resource("v", &[workload("worker")]).to_string());
    operated.appears("hpa", "v-worker").await;
    operated
        .condition("v", "ResourcesApplied", "True", "Applied")
        .await;
}
