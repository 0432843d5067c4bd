//! Build information and `process_*` of this process, read from `/proc` at each scrape.
//!
//! On a system without `/proc` all but the build information is absent.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue},
    registry::Registry,
};
use vas_core::monitoring::{
    families::{
        Exporter, Family,
        process::{BUILD_INFO, CPU, MAX_FILES, OPEN_FILES, RESIDENT_MEMORY, STARTED, VIRTUAL_MEMORY},
    },
    process,
};

use super::families::begin;

/// The labels of exemplars, of which there are none.
type NoLabels = [(&'static str, &'static str); 0];

/// Registers the metrics of this process, which runs the command of `program`.
pub fn register(registry: &mut Registry, program: Exporter) {
    registry.register_collector(Box::new(Process { program }));
}

#[derive(Debug)]
struct Process {
    program: Exporter,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let labels = [
            ("program", self.program.command()),
            ("version", env!("CARGO_PKG_VERSION")),
        ];
        begin(&mut encoder, BUILD_INFO)?
            .encode_family(&labels)?
            .encode_gauge(&1_u32)?;
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (stat, status) = (text("/proc/self/stat"), text("/proc/self/status"));
        counter(&mut encoder, CPU, process::cpu(&stat))?;
        gauge(
            &mut encoder,
            STARTED,
            process::started(&stat, &text("/proc/stat")),
        )?;
        gauge(&mut encoder, RESIDENT_MEMORY, process::size(&status, "VmRSS"))?;
        gauge(&mut encoder, VIRTUAL_MEMORY, process::size(&status, "VmSize"))?;
        gauge(&mut encoder, OPEN_FILES, open_files())?;
        gauge(
            &mut encoder,
            MAX_FILES,
            process::max_files(&text("/proc/self/limits")),
        )
    }
}

fn counter(
    encoder: &mut DescriptorEncoder<'_>,
    family: Family,
    value: Option<impl EncodeCounterValue>,
) -> fmt::Result {
    match value {
        Some(value) => begin(encoder, family)?.encode_counter::<NoLabels, _, f64>(&value, None),
        None => Ok(()),
    }
}

fn gauge(
    encoder: &mut DescriptorEncoder<'_>,
    family: Family,
    value: Option<impl EncodeGaugeValue>,
) -> fmt::Result {
    match value {
        Some(value) => begin(encoder, family)?.encode_gauge(&value),
        None => Ok(()),
    }
}

/// Files that this process has open, without the folder that is read to count them.
fn open_files() -> Option<u64> {
    let listed = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(listed.checked_sub(1)?).ok()
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use vas_core::monitoring::families;

    use super::*;

    #[test]
    fn this_process_tells_every_family() {
        let mut registry = Registry::default();
        register(&mut registry, Exporter::Operator);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for family in families::process::ALL {
            let Family { name, kind, .. } = family;
            assert!(
                text.contains(&format!("# TYPE {name} {}\n", kind.as_str())),
                "{name}: {text}"
            );
        }
        let value = |family: Family| -> f64 {
            let series = format!("{} ", family.series());
            let line = text.lines().find_map(|line| line.strip_prefix(&series));
            line.unwrap().parse().unwrap()
        };
        assert!(
            text.contains(r#"vas_build_info{program="vas operator",version=""#),
            "{text}"
        );
        assert!(
            value(RESIDENT_MEMORY) > 1e6 && value(RESIDENT_MEMORY) <= value(VIRTUAL_MEMORY),
            "{text}"
        );
        assert!(value(STARTED) > 1.5e9, "{text}");
        assert!(
            value(OPEN_FILES) >= 3.0 && value(OPEN_FILES) <= value(MAX_FILES),
            "{text}"
        );
    }
}
