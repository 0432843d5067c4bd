//! The end: checks the evidence and writes the summary.

use std::fmt::Write as _;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kube::Api;

use crate::{
    chain::{Cause, Chain},
    clock::Clock,
    findings::{self, Finding},
    gather::{self, Asked},
    oracle::{self, Evidence, Moment, Reading, Resource, Sample, Sync, Track, Verdict},
    record::Shared,
    stage::Stage,
    story::Story,
    support::audit::{self, Request},
    terminal::{self, Look, Terminal},
    workload::{NAMESPACE, Workload},
};

/// What there is to judge.
pub struct Summary<'a> {
    /// The stage, still running.
    pub stage: &'a Stage,
    /// The time axis.
    pub clock: Clock,
    /// What was seen.
    pub record: Shared,
    /// What was done.
    pub story: Story,
    /// What the resource asks for.
    pub asked: Asked,
}

impl Summary<'_> {
    /// Judges and writes; whether everything is right.
    pub async fn write(&self, terminal: Terminal) -> bool {
        let requests = audit::requests(&self.stage.cluster);
        let mut findings = vec![findings::ended(&self.record.lock(), &self.story)];
        let mut all_syncs = Vec::new();
        for workload in Workload::ALL {
            let syncs = gather::syncs(self.clock, &requests, workload, self.story.began);
            let verdicts = self.judge(workload, &syncs).await;
            findings.push(findings::replicas(workload, &verdicts, self.story.began));
            findings.extend(self.more(workload, &verdicts));
            all_syncs.push(syncs);
        }
        findings.push(self.writers(&requests));
        self.chains(terminal, &all_syncs);
        write_findings(terminal, &findings);
        findings.iter().all(|finding| finding.passed)
    }

    fn more(&self, workload: Workload, verdicts: &[Verdict]) -> Vec<Finding> {
        match workload {
            Workload::Gateway => vec![
                findings::decided(workload, "request-rate", verdicts),
                findings::held(&self.record.lock(), self.story.outage, None),
            ],
            Workload::Worker => vec![
                findings::decided(workload, "queue-depth", verdicts),
                findings::decided(workload, "queue-age", verdicts),
            ],
        }
    }

    fn writers(&self, requests: &[Request]) -> Finding {
        findings::writers(self.clock, requests, self.story.began)
    }

    async fn judge(&self, workload: Workload, syncs: &[Sync]) -> Vec<Verdict> {
        let hpas = Api::<HorizontalPodAutoscaler>::namespaced(self.stage.client.clone(), NAMESPACE);
        let object = hpas.get(&workload.hpa()).await.expect("the HPA is there");
        let hpa = gather::hpa(&object).expect("vas writes every field of an HPA");
        assert_eq!((hpa.min, hpa.max), workload.bounds(), "production's bounds");
        let mut evidence = self.evidence(workload, syncs);
        let names: &[&str] = match workload {
            Workload::Gateway => &["request-rate"],
            Workload::Worker => &["", "queue-depth", "queue-age"],
        };
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            evidence.feeds.insert((*name).to_owned(), self.feed(index).await);
        }
        oracle::judge(&hpa, &evidence)
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

    /// The feed of one of the three queries.
    async fn feed(&self, index: usize) -> oracle::Feed {
        let url = self.stage.prometheus.url();
        let until = self.story.ended + 1.0;
        let query = &gather::queries()[index];
        let points = gather::per_pod(self.clock, &url, query, until).await;
        let values: Track<Reading> = points
            .points()
            .map(|(at, values)| (at, reading(index, at, values)))
            .collect();
        let newest = gather::single(self.clock, &url, &gather::timestamps()[index], until).await;
        let newest: Track<Option<Moment>> = newest
            .points()
            .map(|(at, epoch)| (at, epoch.map(|epoch| self.clock.of_epoch(epoch))))
            .collect();
        gather::prometheus_feed(&values, &newest, self.story.outage, self.asked.max_age)
    }

    fn chains(&self, terminal: Terminal, syncs: &[Vec<Sync>]) {
        let record = self.record.lock();
        let old = record
            .offered
            .points()
            .find(|(at, offered)| *at > self.story.burst && offered.oldest_job_seconds > 66.0)
            .map_or(self.story.ended, |(at, _)| at);
        let causes = [
            (
                "request ramp",
                0,
                Cause {
                    workload: Workload::Gateway,
                    at: self.story.ramp,
                    ratio: |values, _| Some(values.rate? / 100.0),
                },
            ),
            (
                "queue depth",
                1,
                Cause {
                    workload: Workload::Worker,
                    at: self.story.burst,
                    ratio: |values, scale| Some(values.depth? / 50.0 / f64::from(scale.status.max(1))),
                },
            ),
            (
                "queue age",
                1,
                Cause {
                    workload: Workload::Worker,
                    at: old,
                    ratio: |values, _| Some(values.age? / 60.0),
                },
            ),
        ];
        let chains: Vec<(&str, Chain)> = causes
            .into_iter()
            .map(|(title, index, cause)| (title, Chain::of(&record, &syncs[index], cause)))
            .collect();
        write_chains(terminal, &chains);
    }
}

fn reading(index: usize, at: Moment, values: &std::collections::BTreeMap<String, f64>) -> Reading {
    if values.is_empty() {
        return Reading::Missing;
    }
    #[expect(clippy::cast_possible_truncation, reason = "rates and jobs are small")]
    let milli = |value: f64| (value * 1000.0).round() as i64;
    if index > 0 {
        return values
            .values()
            .next()
            .map_or(Reading::Missing, |value| Reading::Object(milli(*value)));
    }
    let sample = |value: f64| Sample {
        value: milli(value),
        at,
        window: 0.0,
    };
    Reading::PerPod(
        values
            .iter()
            .map(|(pod, value)| (pod.clone(), sample(*value)))
            .collect(),
    )
}

fn write_chains(terminal: Terminal, chains: &[(&str, Chain)]) {
    let mut title = format!("{:<36}", "seconds after the load changed");
    for (name, _) in chains {
        let _ = write!(title, "{name:>16}");
    }
    terminal::line("");
    terminal::line(&terminal.paint(Look::Bold, &title));
    for (index, name) in Chain::STEPS.iter().enumerate() {
        let mut line = format!("  {name:<34}");
        for (_, chain) in chains {
            let moment = chain.moments()[index].map_or_else(|| "–".to_owned(), |at| format!("{at:.1}"));
            let _ = write!(line, "{moment:>16}");
        }
        terminal::line(&line);
    }
}

fn write_findings(terminal: Terminal, findings: &[Finding]) {
    terminal::line("");
    for finding in findings {
        let (look, mark) = if finding.passed {
            (Look::Green, "✓")
        } else {
            (Look::Red, "✗")
        };
        terminal::line(&format!("{} {}", terminal.paint(look, mark), finding.text));
        for detail in finding.details.iter().take(12) {
            terminal::line(&terminal.paint(Look::Red, &format!("    {detail}")));
        }
    }
}
