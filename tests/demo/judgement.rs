//! Gathers the evidence on one workload, and asks the oracle about it.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::Api;

use crate::{
    clock::Clock,
    gather::{self, Asked, Outage, Series},
    oracle::{self, Evidence, Feed, Hpa, Moment, Resource, Sync, Target, Verdict},
    record::Shared,
    stage::Stage,
    story::Story,
    workload::{NAMESPACE, Workload},
};
use support::audit::Request;

/// Everything that is needed to judge.
pub(crate) struct Court<'a> {
    /// The stage, still running.
    pub stage: &'a Stage,
    /// The time axis.
    pub clock: Clock,
    /// What was observed during the story.
    pub record: &'a Shared,
    /// What was done during the story.
    pub story: &'a Story,
    /// The settings of the resource.
    pub asked: Asked,
}

/// The oracle's judgement on one workload.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// The workload that is judged.
    pub workload: Workload,
    /// The syncs of its HPA.
    pub syncs: Vec<Sync>,
    /// The verdict on each sync.
    pub verdicts: Vec<Verdict>,
    /// The replicas that CPU and memory alone asked for while Prometheus was down.
    pub without_prometheus: Option<i32>,
}

impl Court<'_> {
    /// Judges a workload by the audit log and the observations.
    pub(crate) async fn judge(&self, workload: Workload, requests: &[Request]) -> Judgement {
        let hpa = self.hpa(workload).await;
        let syncs = gather::syncs(self.clock, requests, workload, self.story.began);
        let mut evidence = self.evidence(workload, &syncs);
        for series in Series::ALL
            .into_iter()
            .filter(|series| series.workload() == workload)
        {
            evidence
                .feeds
                .insert(series.metric().to_owned(), self.feed(series).await);
        }
        Judgement {
            workload,
            syncs,
            verdicts: oracle::judge(&hpa, &evidence),
            without_prometheus: self
                .story
                .outage
                .and_then(|outage| without_prometheus(hpa, &evidence, outage)),
        }
    }

    /// The HPA as it is in the cluster.
    async fn hpa(&self, workload: Workload) -> Hpa {
        let hpas = Api::<HorizontalPodAutoscaler>::namespaced(self.stage.client.clone(), NAMESPACE);
        let object = hpas.get(&workload.hpa()).await.expect("the HPA is there");
        let hpa = gather::hpa(&object).expect("vas writes every field of an HPA");
        assert_eq!((hpa.min, hpa.max), workload.bounds(), "production's bounds");
        hpa
    }

    fn evidence(&self, workload: Workload, syncs: &[Sync]) -> Evidence {
        let mut record = self.record.lock();
        let usage = [(Resource::Cpu, "cpu"), (Resource::Memory, "memory")];
        let feeds =
            usage.map(|(resource, name)| (name.to_owned(), gather::usage_feed(&record.usage, resource)));
        let seen = record.of(workload);
        Evidence {
            pods: seen.pods.clone(),
            status_replicas: seen
                .scale
                .points()
                .map(|(at, scale)| (at, scale.status))
                .collect(),
            feeds: feeds.into_iter().collect(),
            syncs: syncs.to_vec(),
            initial: workload.bounds().0,
        }
    }

    async fn feed(&self, series: Series) -> Feed {
        let url = self.stage.prometheus.url();
        let until = self.story.ended + 1.0;
        let values = gather::readings(self.clock, &url, series, until).await;
        let newest = gather::newest(self.clock, &url, series, until).await;
        let (window, births) = match series {
            Series::RequestRate => (self.asked.window, gather::births(self.clock, &url, until).await),
            Series::QueueDepth | Series::QueueAge => Default::default(),
        };
        let limits = (self.asked.max_age, window);
        gather::prometheus_feed(&values, &newest, &births, self.story.outage, limits)
    }
}

/// The replicas that the HPA would have asked for at the end of the outage without its custom metrics.
fn without_prometheus(mut hpa: Hpa, evidence: &Evidence, outage: Outage) -> Option<i32> {
    hpa.metrics
        .retain(|metric| matches!(metric.target, Target::Utilization(..)));
    let within = |at: Moment| at > outage.from && at < outage.to;
    let verdicts = oracle::judge(&hpa, evidence);
    let last = verdicts.iter().rev().find(|verdict| within(verdict.at))?;
    last.proposed.map(|proposed| proposed.high)
}
