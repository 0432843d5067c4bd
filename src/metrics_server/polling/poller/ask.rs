//! One poll of a shape: sends all its parts and joins them to one answer or one failure.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use vas_cluster::clock::Clock;
use vas_core::metrics::{
    freshness::{Failure, PollState},
    promql::{
        Answer, Failed, Grouping, History, MAX_PODS, Part, Patience, Queries, Shape, Split, Unanswered,
        Usage, Why,
    },
};
use vas_prometheus::{Client, InstantAnswer, QueryError, servers::Server, turns::Turn};

/// The reason of a poll whose answer does not fit the metric.
pub(crate) const UNSUITABLE: &str = "unsuitable";

/// Why a poll brought no data.
pub(super) struct PollError {
    pub(super) failure: Failure,
    pub(super) timed_out: bool,
    /// The kind of failure as one word: one of [`QueryError::SLUGS`], or [`UNSUITABLE`].
    pub(super) reason: &'static str,
}

impl From<QueryError> for PollError {
    fn from(error: QueryError) -> Self {
        Self {
            timed_out: error.is_timeout(),
            reason: error.slug(),
            failure: Failure::Prometheus(error.to_string().into()),
        }
    }
}

/// Why a part of a poll has no answer.
enum PartError {
    /// The answer of the part would be larger than the limit. The part can be split into smaller ones.
    TooLarge(QueryError),
    /// The series of one namespace may cause the failure. The other namespaces can be polled without it.
    Suspect(PollError),
    /// Any other failure: the whole poll fails.
    Failed(PollError),
}

/// What one poll of a shape leaves for the next: how it is split, how much time it used, and how long to
/// wait.
pub(super) struct Progress {
    split: Split,
    usage: Usage,
    patience: Patience,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            split: Split::default(),
            usage: Usage::default(),
            patience: Patience::NEW,
        }
    }
}

/// Polls a shape once, for the namespaces that need it. Each part waits for its own turn at the server.
/// `others` tells whether the server answers other shapes; `known` is the state from earlier polls.
pub(super) async fn ask(
    server: &Server,
    shape: &Shape,
    progress: &mut Progress,
    needed: &BTreeSet<String>,
    known: &PollState,
    others: impl Fn() -> bool,
    clock: &dyn Clock,
) -> Result<Answer, PollError> {
    let Progress {
        split,
        usage,
        patience,
    } = progress;
    let client = &server.client;
    // `open` holds the parts that are still to be queried. A part that is too large is replaced by its
    // halves.
    let mut open = VecDeque::from(split.parts(needed, clock.monotonic()));
    let mut requested_at = None;
    let mut answer = Answer {
        // Series of namespaces outside of the scope are dropped, so the answer says nothing about those.
        scope: (!shape.grouping.is_of_one_namespace()).then(|| needed.clone()),
        ..Answer::default()
    };
    let (mut answered, mut failed, mut first_error) = (Vec::new(), Vec::new(), None);
    while let Some(part) = open.pop_front() {
        let turn = Turn {
            namespaces: part.namespaces(needed),
            usage,
            clock,
        };
        let ask = async {
            // Read when the turn has come and before the first query, so that no age comes out too young.
            let requested_at = *requested_at.get_or_insert_with(|| clock.monotonic());
            let ask = ask_part(client, shape, &part, needed, requested_at);
            match patience {
                Patience::Full => Some(ask.await),
                Patience::Unknown { .. } => {
                    let time = patience.time(client.limits().timeout);
                    tokio::time::timeout(time, ask).await.ok()
                }
            }
        };
        let Some(outcome) = server.in_turn(shape.grouping, turn, ask).await else {
            // The part used up its time and gave its place back. It waits for another turn, and then gets
            // longer.
            patience.ran_out();
            requested_at = None;
            open.push_front(part);
            continue;
        };
        match outcome {
            Ok(found) => {
                split.part_answered(&part, needed);
                patience.answered();
                answer.absorb(found);
                answered.push(part);
            }
            Err(PartError::TooLarge(error)) if !shape.grouping.is_of_one_namespace() => {
                if part == Part::All {
                    tracing::warn!(query = shape.value, %error, "asking in parts by namespace");
                }
                open.extend(split.part_too_large(&part, needed, clock.monotonic()));
            }
            // If the server answers no other shape either, the server is the cause, not a namespace.
            Err(PartError::Suspect(error)) if !shape.grouping.is_of_one_namespace() && others() => {
                // The first failure of the whole poll splits it by namespace, in order to find the one that
                // causes it.
                if part == Part::All {
                    open.extend(split.all_failed(needed, clock.monotonic()));
                }
                let (Failure::Prometheus(words) | Failure::Unsuitable(words)) = &error.failure;
                failed.push(Failed {
                    part,
                    words: words.clone(),
                });
                first_error.get_or_insert(error);
            }
            Err(PartError::TooLarge(error)) => return Err(error.into()),
            Err(PartError::Suspect(error) | PartError::Failed(error)) => return Err(error),
        }
    }
    // All parts have an outcome. Some namespaces may be answered although others are not: the poll has failed
    // only if no part was answered.
    split.poll_ended(!answered.is_empty(), &failed, needed, clock.monotonic());
    if let Some(error) = first_error
        && answered.is_empty()
    {
        return Err(error);
    }
    answer.requested = requested_at.unwrap_or_else(|| clock.monotonic());
    // Each namespace without an answer gets the reason, so that its reads do not report "no data".
    if answer.scope.is_some() {
        let is_answered = |name: &String| answered.iter().any(|part| part.namespaces(needed).contains(name));
        for name in needed.iter().filter(|name| !is_answered(name)) {
            let why = match split.left_out(name) {
                Some(why) => left_out(why, client),
                None => cause_not_found(failed.first()),
            };
            answer
                .unanswered
                .insert(name.clone(), Unanswered { why, requested: None });
        }
    }
    // Last, because it needs the answer's sample times: the past of pods whose window may have a gap.
    let in_doubt = known.in_doubt(shape, &answer, needed);
    ask_histories(server, shape, in_doubt, usage, &mut answer, clock).await;
    Ok(answer)
}

/// Queries the past of namespaces, portion by portion. The values in hand wait at most for the time of one
/// query; the next poll queries the rest. Each poll queries at least one portion, so that all portions get
/// their turn.
async fn ask_histories(
    server: &Server,
    shape: &Shape,
    in_doubt: BTreeSet<String>,
    usage: &mut Usage,
    answer: &mut Answer,
    clock: &dyn Clock,
) {
    let client = &server.client;
    let mut portions = answer.portions(in_doubt, MAX_PODS).into_iter();
    let end = clock.monotonic() + client.limits().timeout;
    for namespaces in portions.by_ref() {
        let turn = Turn {
            namespaces: &namespaces,
            usage,
            clock,
        };
        let ask = ask_history(client, shape, &namespaces);
        let histories = server.in_turn(shape.grouping, turn, ask).await;
        answer.histories.extend(histories);
        if clock.monotonic() >= end {
            break;
        }
    }
    answer.owed.extend(portions.flatten());
}

/// Queries the past of namespaces that are few enough for a small answer. A failed query is not repeated: the
/// polls of the next window bring the same knowledge.
async fn ask_history(
    client: &Client,
    shape: &Shape,
    namespaces: &BTreeSet<String>,
) -> BTreeMap<String, Option<History>> {
    let mut histories = match shape.history_for(namespaces.iter().map(String::as_str)) {
        None => None,
        Some(query) => match client.tracks(&query).await {
            Ok(tracks) => Some(History::join(&shape.labels, &tracks)),
            Err(error) => {
                tracing::info!(query, %error, "what was before the first poll is not known");
                None
            }
        },
    };
    let mut history = |namespace: &String| {
        let known = histories.as_mut();
        known.map(|known| known.remove(namespace).unwrap_or_default())
    };
    let names = namespaces.iter().cloned();
    names
        .map(|namespace| (namespace.clone(), history(&namespace)))
        .collect()
}

fn left_out(why: &Why, client: &Client) -> Arc<str> {
    match why {
        Why::TooLarge => format!(
            "the answer for this namespace alone is larger than {} bytes; raise --prometheus-max-response-size \
             (maxResponseSize in a configuration file) or narrow the metric",
            client.limits().response_size
        ),
        Why::Fails(words) => {
            format!("{words}; so it is for this namespace alone, which is asked again in ten minutes or more")
        }
    }
    .into()
}

/// The reason for a namespace without an answer that is not known to cause the failure.
fn cause_not_found(failed: Option<&Failed>) -> Arc<str> {
    let words = failed.map_or("the query fails for some namespace", |failed| &*failed.words);
    format!("{words}; which namespace is the cause is being found out").into()
}

/// Polls one part. The sample times are queried before the values, so that a value is never older than the
/// time given for it.
async fn ask_part(
    client: &Client,
    shape: &Shape,
    part: &Part,
    needed: &BTreeSet<String>,
    requested_at: Duration,
) -> Result<Answer, PartError> {
    let Queries { value, age } = match part {
        Part::All => shape.queries(),
        Part::Only(namespaces) => shape.queries_for(namespaces.iter().map(String::as_str)),
    };
    let mut times = match age {
        Some(age) => client.ask(&age).await?,
        None => InstantAnswer::default(),
    };
    shape.keep_needed(&mut times.vector, needed);
    let mut values = match shape.grouping {
        Grouping::Single => client.ask_one(&value).await?,
        Grouping::Pod | Grouping::Namespace | Grouping::PodOfOne => client.ask(&value).await?,
    };
    shape.keep_needed(&mut values.vector, needed);
    let joined = Answer::join_with_histograms(
        shape,
        &values.vector,
        &values.histograms,
        &times.vector,
        requested_at,
    );
    let mut answer = joined.map_err(|error| {
        PartError::Failed(PollError {
            reason: UNSUITABLE,
            failure: Failure::Unsuitable(error.to_string().into()),
            timed_out: false,
        })
    })?;
    let annotations = values.annotations.into_iter().chain(times.annotations);
    answer.annotations = annotations.map(Arc::from).collect();
    Ok(answer)
}

impl From<QueryError> for PartError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::TooLarge(_) => Self::TooLarge(error),
            _ if error.may_be_of_some_series() => Self::Suspect(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}
