//! Writes families of metrics as their table ([`vas_core::monitoring::families`]) has them: name, unit and help text
//! come from there, and an exporter has the values alone.

use std::{fmt, sync::LazyLock};

use prometheus_client::{
    encoding::{DescriptorEncoder, MetricEncoder},
    metrics::MetricType,
    registry::{Metric, Registry, Unit},
};
use vas_core::monitoring::families::{self, Family, Kind};

static SECONDS: Unit = Unit::Seconds;
static BYTES: Unit = Unit::Bytes;
static RATIO: LazyLock<Unit> = LazyLock::new(|| Unit::Other(families::Unit::Ratio.as_str().to_owned()));

/// Registers the metric of a family. Its labels have to be those of the table.
pub fn register(registry: &mut Registry, family: Family, metric: impl Metric) {
    match unit(family) {
        Some(unit) => registry.register_with_unit(family.stem(), family.help, unit.clone(), metric),
        None => registry.register(family.name, family.help, metric),
    }
}

/// Begins a family in a collector. The encoder that it returns takes the family's series.
///
/// # Errors
/// That of the writer.
pub fn begin<'a>(
    encoder: &'a mut DescriptorEncoder<'_>,
    family: Family,
) -> Result<MetricEncoder<'a>, fmt::Error> {
    let kind = match family.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
    };
    // A registry adds the full stop to what is registered, and not to what a collector writes.
    let help = format!("{}.", family.help);
    encoder.encode_descriptor(family.stem(), &help, unit(family), kind)
}

fn unit(family: Family) -> Option<&'static Unit> {
    family.unit.map(|unit| match unit {
        families::Unit::Seconds => &SECONDS,
        families::Unit::Ratio => &*RATIO,
        families::Unit::Bytes => &BYTES,
    })
}
