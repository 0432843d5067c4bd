//! One poll of a shape: all its parts, joined to one answer or one failure.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwap;

use crate::{
    clock::Clock,
    core::{
        promql::{Answer, Grouping, Part, Queries, Shape, Split, Unanswered},
        reading::Failure,
    },
    prometheus::{Client, InstantAnswer, QueryError},
};

/// A poll that brought no data.
pub(super) struct PollError {
    pub(super) failure: Failure,
    pub(super) timed_out: bool,
}

impl From<QueryError> for PollError {
    fn from(error: QueryError) -> Self {
        Self {
            timed_out: matches!(error, QueryError::Timeout(_)),
            failure: Failure::Prometheus(error.to_string().into()),
        }
    }
}

/// Why a part has no answer.
enum PartError {
    /// Its answer would be larger than the limit: it can be asked in smaller parts.
    TooLarge(QueryError),
    /// Anything else: the whole poll failed.
    Failed(PollError),
}

/// Polls a shape once. `needed` are the namespaces whose resources need it.
pub(super) async fn ask(
    client: &Client,
    shape: &Shape,
    split: &mut Split,
    needed: &ArcSwap<BTreeSet<String>>,
    clock: &dyn Clock,
) -> Result<Answer, PollError> {
    // Taken before the first query, so that no age comes out too young.
    let asked = clock.monotonic();
    let needed = needed.load_full();
    let mut open = VecDeque::from(split.parts(&needed, asked));
    let mut answer = Answer {
        asked,
        ..Answer::default()
    };
    while let Some(part) = open.pop_front() {
        match ask_part(client, shape, &part, asked).await {
            Ok(answered) => {
                split.fits(&part);
                if part != Part::All {
                    answer.scope = Some((*needed).clone());
                }
                answer.absorb(answered);
            }
            Err(PartError::TooLarge(error)) if shape.grouping != Grouping::Single => {
                if part == Part::All {
                    tracing::warn!(query = shape.value, %error, "asking in parts by namespace");
                }
                open.extend(split.is_too_large(&part, &needed, asked));
                answer.scope = Some((*needed).clone());
            }
            Err(PartError::TooLarge(error)) => return Err(error.into()),
            Err(PartError::Failed(error)) => return Err(error),
        }
    }
    let why = too_large(client);
    for namespace in split.without_answer() {
        let unanswered = Unanswered {
            why: why.clone(),
            asked: None,
        };
        answer.unanswered.insert(namespace.to_owned(), unanswered);
    }
    if !answer.unanswered.is_empty() {
        answer.scope = Some((*needed).clone());
    }
    Ok(answer)
}

fn too_large(client: &Client) -> Arc<str> {
    format!(
        "the answer for this namespace alone is larger than {} bytes; raise --prometheus-max-response-size \
         (maxResponseSize in a configuration file) or narrow the metric",
        client.limits().response_size
    )
    .into()
}

/// Asks for one part. The times come first: a value is then never older than the time it is given.
async fn ask_part(client: &Client, shape: &Shape, part: &Part, asked: Duration) -> Result<Answer, PartError> {
    let Queries { value, age } = match part {
        Part::All => shape.queries(),
        Part::Only(namespaces) => shape.queries_for(namespaces.iter().map(String::as_str)),
    };
    let times = match age {
        Some(age) => client.ask(&age).await?,
        None => InstantAnswer::default(),
    };
    let values = match shape.grouping {
        Grouping::Single => client.ask_one(&value).await?,
        Grouping::Pod | Grouping::Namespace => client.ask(&value).await?,
    };
    let mut answer = Answer::join(shape, &values.vector, &times.vector, asked).map_err(|error| {
        PartError::Failed(PollError {
            failure: Failure::Unsuitable(error.to_string().into()),
            timed_out: false,
        })
    })?;
    let infos = values.infos.into_iter().chain(times.infos);
    answer.infos = infos.map(Arc::from).collect();
    Ok(answer)
}

impl From<QueryError> for PartError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::TooLarge(_) => Self::TooLarge(error),
            _ => Self::Failed(error.into()),
        }
    }
}
