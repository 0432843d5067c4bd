//! The queries for Prometheus and the meaning of its answers, planned and judged without any I/O.
//!
//! Metrics that differ only in namespace or workload share one [`Shape`], so that any number of resources
//! costs a constant number of queries per poll. Label values reach a query as quoted strings only and never
//! change its structure. An example: 300 namespaces with the same request rate are one shape, so each poll
//! sends two queries, one for values and one for sample times.
//!
//! ```text
//! model::PrometheusMetric --Sources::shape--> Shape {value, age}
//!     --allot--> each Shape once, with its namespaces
//!     --split--> parts of it, one unless answers are too large
//!     --(poller, in the order of turns)--> two Vectors --answer--> Answer
//! ```

mod advice;
mod allotment;
mod answer;
mod by_name;
pub mod children;
mod complexity;
mod condition;
mod constant;
mod contradiction;
mod escape;
mod exporters;
mod history;
mod join;
mod labels;
mod lexer;
mod literal;
mod matchers;
mod namespace;
mod offered;
mod plan;
mod portions;
mod query;
mod query_error;
mod reach;
pub(crate) mod shape;
mod split;
mod token;
mod turns;

pub use advice::{Advice, advise, advise_bound};
pub use allotment::{Allotment, Claim, GUARANTEED, Refusal, Refused, ShapeLimits, allot};
pub use answer::{Answer, Item, Point, SampleTime, Unanswered, Uncovered, Vector};
pub use by_name::ByName;
pub use children::{children, children_mut};
pub use condition::matcher;
pub use contradiction::Contradiction;
pub use escape::{InvalidLabelName, InvalidMatcherName, LabelName, matcher_name, quote, quote_any_of};
pub use exporters::{Exporter, Exporters, Room};
pub use history::{History, MAX_PODS, Track, history_step};
pub use join::AnswerError;
pub use labels::Labels;
pub use matchers::{InvalidMatcher, Matcher, Matchers, ReservedLabel};
pub use namespace::{bind_query, pin_namespace};
pub use offered::{OfferedError, offered};
pub use plan::{Plan, Source, Sources};
pub use query::{parse, parse_instant, render};
pub use query_error::QueryError;
pub use reach::{Reach, TooFar};
pub use shape::{Grouping, Queries, Shape, ShapeError, shape};
pub use split::{Failed, Part, Split, Why};
pub use turns::{Patience, Turns, Usage};
