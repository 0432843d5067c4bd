//! The attacker: a user with the role `edit` in one namespace, a pod that can connect to everything, and a scrape
//! target whose series carry that namespace.

mod connections;
mod resources;
mod series;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::json;
use tokio::task::JoinSet;

use self::series::Series;
use crate::stage::Stage;
use support::{cluster::client_for, eventually};

/// The namespace in which the attacker has the role `edit`.
pub(crate) const NAMESPACE: &str = "attacker";
const ACCOUNT: &str = "mallory";

/// The attacker in its namespace, with its rights.
pub(crate) struct Attacker {
    client: kube::Client,
    series: Series,
}

/// The running attacks.
pub(crate) struct Attacks {
    tasks: JoinSet<()>,
    outcomes: Outcomes,
    _series: Series,
}

/// By kind of attack: how often it was tried, and how often it was not refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcomes(Arc<Mutex<BTreeMap<&'static str, Tries>>>);

/// Counts of one kind of attack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tries {
    /// Number of tries.
    pub all: u64,
    /// Number of tries that were not refused.
    pub let_in: u64,
    /// Text of the last refusal.
    pub refusal: String,
}

impl Attacker {
    /// Gets the attacker's rights, and proves that they are those of the role.
    pub(crate) async fn enter(stage: &Stage) -> Self {
        let cluster = &stage.cluster;
        cluster.kubectl_ok(&["create", "namespace", NAMESPACE], None);
        cluster.kubectl_ok(&["-n", NAMESPACE, "create", "serviceaccount", ACCOUNT], None);
        let account = format!("--serviceaccount={NAMESPACE}:{ACCOUNT}");
        let binding = ["create", "rolebinding", ACCOUNT, "--clusterrole=edit", &account];
        cluster.kubectl_ok(&[["-n", NAMESPACE].as_slice(), &binding].concat(), None);
        let kubeconfig = cluster.service_account_kubeconfig(NAMESPACE, ACCOUNT);
        let kubeconfig = kubeconfig.to_string_lossy().into_owned();
        let may = |verb: &str, resource: &str, namespace: &str| {
            let args = [
                "--kubeconfig",
                &kubeconfig,
                "auth",
                "can-i",
                verb,
                resource,
                "-n",
                namespace,
            ];
            let output = cluster.kubectl(&args, None);
            String::from_utf8_lossy(&output.stdout).trim() == "yes"
        };
        eventually(Duration::from_secs(60), "it may write resources", || async {
            may("create", "voiceassistscalings", NAMESPACE)
                .then_some(())
                .ok_or("no")
        })
        .await;
        assert!(!may("create", "voiceassistscalings", "innocent"), "not elsewhere");
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "pawn"},
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"app": "pawn"}},
                "template": {
                    "metadata": {"labels": {"app": "pawn"}},
                    "spec": {"containers": [{"name": "app", "image": "voiceassist/pawn"}]},
                },
            },
        });
        cluster.kubectl_ok(
            &["-n", NAMESPACE, "apply", "-f", "-"],
            Some(&deployment.to_string()),
        );
        Self {
            client: client_for(Path::new(&kubeconfig)).await,
            series: Series::start(&stage.prometheus).await,
        }
    }

    /// Begins all attacks at once. Each is repeated until the end.
    pub(crate) fn begin(self, stage: &Stage) -> Attacks {
        let (mut tasks, outcomes) = (JoinSet::new(), Outcomes::default());
        tasks.spawn(resources::write(self.client.clone(), outcomes.clone()));
        tasks.spawn(resources::churn(self.client.clone(), outcomes.clone()));
        tasks.spawn(resources::fight(self.client, outcomes.clone()));
        for server in &stage.servers {
            connections::hold_plain(&mut tasks, server.plain_port, &outcomes);
        }
        connections::hold_secure(&mut tasks, stage.secure_port, &outcomes);
        tasks.spawn(self.series.clone().change());
        Attacks {
            tasks,
            outcomes,
            _series: self.series,
        }
    }
}

impl Attacks {
    /// Stops all attacks, and returns how often each was tried.
    pub(crate) fn end(mut self) -> BTreeMap<&'static str, Tries> {
        self.tasks.abort_all();
        let outcomes = self.outcomes.0.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.clone()
    }
}

impl Outcomes {
    /// Counts one try of a kind.
    pub(crate) fn tried(&self, kind: &'static str, outcome: Result<(), String>) {
        let mut outcomes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tries = outcomes.entry(kind).or_default();
        tries.all += 1;
        match outcome {
            Ok(()) => tries.let_in += 1,
            Err(words) => tries.refusal = words,
        }
    }
}
