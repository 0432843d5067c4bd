//! One poll of a shape: all its parts, joined to one answer or one failure.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use crate::{
    cluster::clock::Clock,
    core::metrics::{
        freshness::{Failure, PollState},
        promql::{
            Answer, Failed, Grouping, History, MAX_PODS, Part, Patience, Queries, Shape, Split, Unanswered,
            Usage, Why,
        },
    },
    prometheus::{Client, InstantAnswer, QueryError, servers::Server, turns::Turn},
};

/// A poll that brought no data.
pub(super) struct PollError {
    pub(super) failure: Failure,
    pub(super) timed_out: bool,
}

impl From<QueryError> for PollError {
    fn from(error: QueryError) -> Self {
        Self {
            timed_out: error.is_timeout(),
            failure: Failure::Prometheus(error.to_string().into()),
        }
    }
}

/// Why a part has no answer.
enum PartError {
    /// Its answer would be larger than the limit: it can be asked in smaller parts.
    TooLarge(QueryError),
    /// The series of one namespace may be the cause: the others can be asked without it.
    Suspect(PollError),
    /// Anything else: the whole poll failed.
    Failed(PollError),
}

/// What is known of a shape from one poll to the next.
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

/// Polls a shape once, for the namespaces that need it. Each part waits for its own turn at the server. `others` says
/// whether that server otherwise answers. `known` is what earlier polls brought.
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
    let mut open = VecDeque::from(split.parts(needed, clock.monotonic()));
    let mut asked = None;
    let mut answer = Answer {
        // What nobody needs is dropped, so nothing is said of it.
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
            // Taken at the place and before the first query, so that no age comes out too young.
            let asked = *asked.get_or_insert_with(|| clock.monotonic());
            let ask = ask_part(client, shape, &part, needed, asked);
            match patience {
                Patience::Full => Some(ask.await),
                Patience::Unknown { .. } => {
                    let time = patience.time(client.limits().timeout);
                    tokio::time::timeout(time, ask).await.ok()
                }
            }
        };
        let Some(outcome) = server.in_turn(shape.grouping, turn, ask).await else {
            patience.ran_out();
            asked = None;
            open.push_front(part);
            continue;
        };
        match outcome {
            Ok(found) => {
                split.fits(&part, needed);
                patience.answered();
                answer.absorb(found);
                answered.push(part);
            }
            Err(PartError::TooLarge(error)) if !shape.grouping.is_of_one_namespace() => {
                if part == Part::All {
                    tracing::warn!(query = shape.value, %error, "asking in parts by namespace");
                }
                open.extend(split.is_too_large(&part, needed, clock.monotonic()));
            }
            Err(PartError::Suspect(error)) if !shape.grouping.is_of_one_namespace() && others() => {
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
    split.poll_ended(!answered.is_empty(), &failed, needed, clock.monotonic());
    if let Some(error) = first_error
        && answered.is_empty()
    {
        return Err(error);
    }
    answer.asked = asked.unwrap_or_else(|| clock.monotonic());
    if answer.scope.is_some() {
        let is_answered = |name: &String| answered.iter().any(|part| part.namespaces(needed).contains(name));
        for name in needed.iter().filter(|name| !is_answered(name)) {
            let why = match split.left_out(name) {
                Some(why) => left_out(why, client),
                None => apart(failed.first()),
            };
            answer
                .unanswered
                .insert(name.clone(), Unanswered { why, asked: None });
        }
    }
    let in_doubt = known.in_doubt(shape, &answer, needed);
    ask_histories(server, shape, in_doubt, usage, &mut answer, clock).await;
    Ok(answer)
}

/// Asks about the past of namespaces, portion by portion. The numbers in hand wait for no more of that than one query
/// may take: what is not asked by then the next poll asks. Each poll asks one portion at least, so that all are asked
/// in the end.
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

/// Asks about the past of namespaces, few enough that the answer is not large. What fails is not asked for again: the
/// polls of the next window tell as much.
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

/// Why a namespace has no answer that is not known to be the cause of the failure.
fn apart(failed: Option<&Failed>) -> Arc<str> {
    let words = failed.map_or("the query fails for some namespace", |failed| &*failed.words);
    format!("{words}; which namespace is the cause is being found out").into()
}

/// Asks for one part. The times come first: a value is then never older than the time it is given.
async fn ask_part(
    client: &Client,
    shape: &Shape,
    part: &Part,
    needed: &BTreeSet<String>,
    asked: Duration,
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
    let joined =
        Answer::join_with_histograms(shape, &values.vector, &values.histograms, &times.vector, asked);
    let mut answer = joined.map_err(|error| {
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
            _ if error.may_be_of_some_series() => Self::Suspect(error.into()),
            _ => Self::Failed(error.into()),
        }
    }
}
