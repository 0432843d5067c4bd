//! Feature flags: users see which are on, administrators set them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};

use super::{audit_log, state::Gateway};
use crate::{
    cache::Subject,
    database::{DatabaseError, Statement},
    http::{Body, Params, Problem, Text},
    identity::{Administrator, Caller},
};

pub(super) const STATEMENTS: &[&Statement] = &[&ENABLED, &LIST, &CHANGED_SINCE, &SET];

static FLAGS: Subject = Subject {
    stale: Duration::from_secs(60),
    ..Subject::new("flags")
};

/// All flags that are on are one value.
const ALL_ENABLED: &str = "enabled";

static ENABLED: Statement = Statement::new(
    "flags.enabled",
    "select name from feature_flags where enabled order by name limit 500",
);

static LIST: Statement = Statement::new(
    "flags.list",
    "select name, enabled, rfc3339(updated_at) as updated_at from feature_flags order by name limit 500",
);

static CHANGED_SINCE: Statement = Statement::new(
    "flags.changed_since",
    "select name, enabled, rfc3339(updated_at) as updated_at
     from feature_flags where updated_at > now() - make_interval(secs => $1) order by updated_at desc limit 500",
);

static SET: Statement = Statement::new(
    "flags.set",
    "insert into feature_flags (name, enabled) values ($1, $2)
     on conflict (name) do update set enabled = excluded.enabled, updated_at = now()
     returning name, enabled, rfc3339(updated_at) as updated_at",
);

#[derive(Debug, Serialize)]
pub(super) struct Flags {
    flags: BTreeMap<String, bool>,
}

#[derive(Debug, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub(super) struct Flag {
    name: String,
    enabled: bool,
    updated_at: String,
}

#[derive(Debug, Serialize)]
pub(super) struct All {
    items: Vec<Flag>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Setting {
    name: Text<100>,
    enabled: bool,
}

/// Which flags an administrator wants: all, or those that changed in so many seconds.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    changed: Option<u32>,
}

pub(super) async fn enabled(State(gateway): State<Gateway>, _: Caller) -> Result<Json<Flags>, Problem> {
    let rows = enabled_ones(&gateway).await?;
    Ok(Json(Flags {
        flags: rows.into_iter().map(|(name,)| (name, true)).collect(),
    }))
}

/// The flags that are on. Each request of an application may ask, so an old answer comes at once while a new one is loaded.
pub(super) async fn enabled_ones(gateway: &Gateway) -> Result<Vec<(String,)>, Arc<DatabaseError>> {
    let database = gateway.database.clone();
    let load = move || {
        let database = database.clone();
        async move { database.ask(&ENABLED).all().await }
    };
    gateway.cache.cached(&FLAGS, ALL_ENABLED).get_or_load(load).await
}

pub(super) async fn list(
    State(gateway): State<Gateway>,
    _: Administrator,
    Params(Filter { changed }): Params<Filter>,
) -> Result<Json<All>, Problem> {
    let items = match changed {
        Some(seconds) => {
            gateway
                .database
                .ask(&CHANGED_SINCE)
                .bind(f64::from(seconds))
                .all()
                .await?
        }
        None => gateway.database.ask(&LIST).all().await?,
    };
    Ok(Json(All { items }))
}

pub(super) async fn set(
    State(gateway): State<Gateway>,
    Administrator(admin): Administrator,
    Body(Setting { name, enabled }): Body<Setting>,
) -> Result<Json<Flag>, Problem> {
    let mut transaction = gateway.database.begin().await?;
    let flag: Flag = transaction
        .ask(&SET)
        .bind(name.as_str())
        .bind(enabled)
        .one()
        .await?;
    audit_log::write_in(&mut transaction, admin.user, "flag.set", name.as_str()).await?;
    transaction.commit().await?;
    gateway.cache.invalidate(&FLAGS, ALL_ENABLED).await;
    Ok(Json(flag))
}
