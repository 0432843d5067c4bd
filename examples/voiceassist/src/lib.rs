//! VoiceAssist: an API gateway and workers on PostgreSQL and Redis.
//!
//! ```text
//! gateway    REST and WebSockets: one file per resource of the API, each with its queries
//! worker     takes jobs from the queue and does them
//! queue      the durable queue in PostgreSQL: enqueue, claim, complete, fail, observe
//! knowledge  pieces of documents, their embeddings, and the search over them
//! identity   passwords, tokens, and who calls
//! cache      memory, Redis, PostgreSQL: three tiers behind one lookup
//! database   the pool with its profiler, named statements, migrations
//! http       the accept loop, problems as JSON, pages, bounded texts
//! telemetry  metrics, the log, trace context
//! generator  reproducible accounts and data, loaded by COPY
//! ```

pub mod cache;
pub mod clock;
pub mod configuration;
pub mod database;
pub mod gateway;
pub mod generator;
pub mod http;
pub mod identity;
pub mod knowledge;
pub mod queue;
pub mod shutdown;
pub mod telemetry;
pub mod worker;
