//! Queries one Prometheus, directly or through the API server, for the series of a metric.

use std::collections::{BTreeMap, BTreeSet};

use hyper::Request;
use kube::Client;

use crate::doctor::{
    checks::prometheus::{self as questions, Facts, Selected, SelectedFacts, ServiceAddress},
    read::reader::read as bounded,
};
use vas_api::v1alpha1::MatchExpression;
use vas_core::{
    k8s::{
        percent::encode,
        read::{Read, Unread},
    },
    metrics::promql::{Item, LabelName, Labels, Vector},
};

/// Number of other namespaces that a finding names if the right one has no series.
const EXAMPLES: usize = 5;

/// The way to a Prometheus.
pub(crate) enum Asker {
    Direct(vas_prometheus::Client),
    Proxied(Client, ServiceAddress),
}

impl Asker {
    pub(crate) async fn ask(&self, question: &str) -> Read<Vector> {
        match self {
            Self::Direct(client) => {
                let answer = client.query(question).await;
                answer.map_err(|error| Unread::Failed(error.to_string()))
            }
            Self::Proxied(client, service) => {
                let query = format!("/api/v1/query?query={}", encode(question));
                let request = Request::get(service.proxy_path(&query)).body(Vec::new());
                let request = request.map_err(|error| Unread::Failed(error.to_string()))?;
                let body = bounded(client.request_text(request)).await?;
                let answer = vas_prometheus::parse_answer(body.as_bytes());
                let answer = answer.map_err(|error| Unread::Failed(error.to_string()))?;
                Ok(answer.vector)
            }
        }
    }

    /// The value of an answer with at most one series; `None` if the answer is empty.
    pub(crate) async fn number(&self, question: &str) -> Read<Option<f64>> {
        Ok(self.ask(question).await?.first().map(|item| item.value))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of series"
    )]
    async fn count(&self, selected: &Selected) -> Read<u64> {
        let count = self.number(&questions::count(selected)).await?;
        Ok(count.unwrap_or_default() as u64)
    }

    /// Narrows the series step by step and stops when none is left: name, the server's own matchers,
    /// `matchLabels`, namespace. So the facts show which step loses the series.
    pub(super) async fn selected(
        &self,
        labels: &Labels,
        namespace: &str,
        name: &str,
        (match_labels, match_expressions): (&BTreeMap<String, String>, &[MatchExpression]),
        by_pod: bool,
    ) -> Read<Facts> {
        let named = Selected::named(name);
        let mut facts = SelectedFacts {
            all: self.count(&named).await?,
            ..SelectedFacts::default()
        };
        if facts.all == 0 {
            return Ok(Facts::Selected(facts));
        }
        let named = named.with_matchers(&labels.matchers);
        if self.count(&named).await? == 0 {
            facts.foreign_to = Some(labels.matchers.to_string());
            return Ok(Facts::Selected(facts));
        }
        let narrowed = named.clone().with_all(match_labels);
        let narrowed = narrowed.and_then(|narrowed| narrowed.that_match(match_expressions));
        let matched = narrowed.map_err(|error| Unread::Failed(format!("matchLabels: {error}")))?;
        facts.matched = self.count(&matched).await?;
        if facts.matched == 0 {
            // Which of the labels matches nothing even alone? That one is probably mistyped.
            for (label, value) in match_labels {
                let alone = BTreeMap::from([(label.clone(), value.clone())]);
                if let Ok(selected) = named.clone().with_all(&alone)
                    && self.count(&selected).await? == 0
                {
                    facts.empty_matchers.push(format!("{label}={value}"));
                }
            }
            for expression in match_expressions {
                if let Ok(selected) = named.clone().that_match(std::slice::from_ref(expression))
                    && self.count(&selected).await? == 0
                {
                    facts
                        .empty_matchers
                        .push(format!("the expression on {}", expression.key));
                }
            }
            return Ok(Facts::Selected(facts));
        }
        let sample = self.ask(&questions::sample(&matched)).await?;
        facts.labels = sample
            .iter()
            .flat_map(|item| item.labels.entries())
            .map(|(label, _)| label.to_owned())
            .collect();
        let here = matched.clone().with(&labels.namespace, namespace);
        facts.in_namespace = self.count(&here).await?;
        if facts.in_namespace == 0 {
            let elsewhere = self.values(&matched, &labels.namespace).await?;
            facts.namespaces = elsewhere.into_iter().take(EXAMPLES).collect();
            return Ok(Facts::Selected(facts));
        }
        if by_pod {
            facts.pods = self.values(&here, &labels.pod).await?;
            facts.resets = self.number(&questions::per_series_resets(&here)).await?;
        }
        facts.clusters = self.clusters(labels, namespace, &here).await?;
        Ok(Facts::Selected(facts))
    }

    /// The label that tells clusters apart, with its values, if the series of the namespace come from several
    /// clusters.
    ///
    /// An application can have a label of the same name with several values. Then the targets of the
    /// namespace have one value of that label in `up`, because `up` has no labels of the application. So `up`
    /// decides.
    async fn clusters(
        &self,
        labels: &Labels,
        namespace: &str,
        here: &Selected,
    ) -> Read<Option<(String, BTreeSet<String>)>> {
        let several = self.by_cluster(here).await?;
        let Some((label, values)) = several.into_iter().find(|(_, values)| values.len() > 1) else {
            return Ok(None);
        };
        let targets = Selected::named("up").with_matchers(&labels.matchers);
        let targets = self
            .by_cluster(&targets.with(&labels.namespace, namespace))
            .await?;
        let of_one = targets.get(label).is_some_and(|values| values.len() == 1);
        Ok((!of_one).then(|| (label.to_owned(), values)))
    }

    /// The values of each of [`questions::CLUSTER_LABELS`]. An empty text stands for series without the
    /// label.
    async fn by_cluster(&self, selected: &Selected) -> Read<BTreeMap<&'static str, BTreeSet<String>>> {
        let answer = self.ask(&questions::by_cluster(selected)).await?;
        let value = |item: &Item, label| {
            item.labels
                .get(label)
                .map_or_else(String::new, ToString::to_string)
        };
        let values = questions::CLUSTER_LABELS
            .map(|label| (label, answer.iter().map(|item| value(item, label)).collect()));
        Ok(values.into())
    }

    /// The values of a label. An empty text stands for series without the label.
    async fn values(&self, selected: &Selected, label: &LabelName) -> Read<BTreeSet<String>> {
        let answer = self.ask(&questions::by_label(selected, label)).await?;
        let values = answer.iter().map(|item| item.labels.get(label.as_str()));
        Ok(values
            .map(|value| value.map_or_else(String::new, ToString::to_string))
            .collect())
    }
}
