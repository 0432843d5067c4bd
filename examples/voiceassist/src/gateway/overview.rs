//! What administrators see at a glance. Sizes of tables are PostgreSQL's estimates: to count a million rows takes longer than
//! anybody looks at the number.

use std::collections::BTreeMap;

use axum::{Json, extract::State};
use serde::Serialize;

use super::state::Gateway;
use crate::{database::Statement, http::Problem, identity::Administrator};

pub(super) const STATEMENTS: &[&Statement] = &[&ESTIMATES, &MESSAGES_SINCE, &CLOSED_SINCE];

static ESTIMATES: Statement = Statement::new(
    "overview.estimates",
    "select relname::text, greatest(reltuples, 0)::bigint from pg_class
     where oid in ('users'::regclass, 'sessions'::regclass, 'messages'::regclass, 'documents'::regclass)",
);

static MESSAGES_SINCE: Statement = Statement::new(
    "messages.count_since",
    "select count(*) from (select from messages where created_at > now() - make_interval(secs => $1) limit 10000) as recent",
);

static CLOSED_SINCE: Statement = Statement::new(
    "sessions.closed_since",
    "select count(*) from (select from sessions where closed_at > now() - make_interval(secs => $1) limit 10000) as recent",
);

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Overview {
    estimates: BTreeMap<String, i64>,
    /// Of the last minute; 10,000 stands for that many or more.
    messages_last_minute: i64,
    sessions_closed_last_minute: i64,
    queue: Option<Queue>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    response_time_seconds: BTreeMap<&'static str, Option<f64>>,
    queue: Option<Queue>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    depth: i64,
    oldest_job_age_seconds: f64,
}

pub(super) async fn overview(
    State(gateway): State<Gateway>,
    _: Administrator,
) -> Result<Json<Overview>, Problem> {
    let estimates: Vec<(String, i64)> = gateway.database.ask(&ESTIMATES).all().await?;
    let (messages_last_minute,) = gateway.database.ask(&MESSAGES_SINCE).bind(60.0).one().await?;
    let (sessions_closed_last_minute,) = gateway.database.ask(&CLOSED_SINCE).bind(60.0).one().await?;
    Ok(Json(Overview {
        estimates: estimates.into_iter().collect(),
        messages_last_minute,
        sessions_closed_last_minute,
        queue: queue(&gateway),
    }))
}

pub(super) async fn metrics(State(gateway): State<Gateway>, _: Administrator) -> Json<Metrics> {
    let quantile = |(name, quantile)| (name, gateway.requests.quantile(quantile));
    Json(Metrics {
        response_time_seconds: [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)].map(quantile).into(),
        queue: queue(&gateway),
    })
}

fn queue(gateway: &Gateway) -> Option<Queue> {
    let seen = gateway.queue.last()?;
    Some(Queue {
        depth: seen.depth,
        oldest_job_age_seconds: seen.oldest,
    })
}
