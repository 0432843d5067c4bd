//! What the profiler itself costs: one query through it and one beside it, in turn.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use prometheus_client::registry::Registry;
use sqlx::postgres::PgPoolOptions;
use voiceassist::database::{Database, DatabaseMetrics, PoolLimits, Statement};

use crate::world::{INDEXED, World};

static NOTHING: Statement = Statement::new("bench.nothing", "select 1");

/// Queries of a block, and blocks of each kind.
const BLOCK: u32 = 500;
const BLOCKS: usize = 21;

/// Seconds of a query, medians over blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Own {
    pub(crate) with: f64,
    pub(crate) without: f64,
}

pub(crate) async fn measure(world: &World) -> Own {
    let url = crate::support::database_url(world.postgres.port, INDEXED);
    let limits = PoolLimits {
        size: 1,
        overflow: 0,
        wait: Duration::from_secs(5),
    };
    let metrics: Arc<DatabaseMetrics> = DatabaseMetrics::register(&mut Registry::default());
    let database = Database::lazy(&url, limits, metrics).unwrap();
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .connect(&url)
        .await
        .unwrap();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..BLOCKS {
        let began = Instant::now();
        for _ in 0..BLOCK {
            let _: (i32,) = database.ask(&NOTHING).one().await.unwrap();
        }
        with.push(began.elapsed());
        let began = Instant::now();
        for _ in 0..BLOCK {
            let _: (i32,) = sqlx::query_as("select 1").fetch_one(&pool).await.unwrap();
        }
        without.push(began.elapsed());
    }
    Own {
        with: median(with),
        without: median(without),
    }
}

fn median(mut blocks: Vec<Duration>) -> f64 {
    blocks.sort();
    blocks[BLOCKS / 2].as_secs_f64() / f64::from(BLOCK)
}
