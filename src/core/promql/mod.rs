//! What Prometheus is asked, and what its answers mean: planned and judged without any I/O.
//!
//! Metrics that differ only in namespace or workload share one [`Shape`], so that any number of resources
//! costs a constant number of queries per poll. Label values reach a query as quoted strings only and never
//! change its structure.
//!
//! ```text
//! model::PrometheusMetric --shape--> Shape {value, age} --(poller)--> two Vectors --answer--> Answer
//! ```

mod answer;
mod escape;
mod namespace;
mod shape;

pub use answer::{Answer, AnswerError, Item, Point, SampleTime, Vector};
pub use escape::{InvalidLabelName, LabelName, quote};
pub use namespace::{QueryError, pin_namespace};
pub use shape::{Grouping, Labels, Shape, ShapeError, shape};
