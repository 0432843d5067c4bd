//! Hits, latency, sizes and evictions, by tier.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _},
    metrics::{counter::Counter, family::Family, gauge::ConstGauge, histogram::Histogram},
    registry::Registry,
};

use super::{local::Local, subject::Subject};

const SECONDS: [f64; 10] = [
    0.000_01, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25,
];

/// Where a value may be.
#[derive(Clone, Copy)]
pub(super) enum Tier {
    Local,
    Remote,
    Database,
}

/// What a tier had.
#[derive(Clone, Copy)]
pub(super) enum Hit {
    Yes,
    Stale,
    No,
    Unreachable,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    cache: &'static str,
    tier: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    tier: &'static str,
    operation: &'static str,
}

/// Lookups of a subject in a tier since the start.
#[derive(Debug, Default)]
struct Rate {
    hits: u64,
    lookups: u64,
}

/// Metrics of the cache.
#[derive(Debug)]
pub(super) struct CacheMetrics {
    requests: Family<Asked, Counter>,
    durations: Family<Operation, Histogram, fn() -> Histogram>,
    evictions: Counter,
    rates: Mutex<BTreeMap<(&'static str, &'static str), Rate>>,
}

impl CacheMetrics {
    /// Metrics that `registry` exports, and the L1 whose size is among them.
    pub(super) fn register(registry: &mut Registry) -> (Arc<Self>, Local) {
        let metrics = Arc::new(Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            evictions: Counter::default(),
            rates: Mutex::default(),
        });
        registry.register(
            "voiceassist_cache_requests",
            "Lookups by cache, tier and result: hit, stale, miss, unreachable",
            metrics.requests.clone(),
        );
        registry.register(
            "voiceassist_cache_operation_duration_seconds",
            "Time of operations by tier",
            metrics.durations.clone(),
        );
        registry.register(
            "voiceassist_cache_evictions",
            "Values that L1 gave up because it was full",
            metrics.evictions.clone(),
        );
        let evictions = metrics.evictions.clone();
        let local = Local::counting(move || {
            evictions.inc();
        });
        registry.register_collector(Box::new(CacheCollector(Arc::clone(&metrics), local.clone())));
        (metrics, local)
    }

    pub(super) fn asked(&self, subject: &Subject, tier: Tier, hit: Hit) {
        let (tier, result) = (tier.name(), hit.name());
        self.requests
            .get_or_create(&Asked {
                cache: subject.name,
                tier,
                result,
            })
            .inc();
        let mut rates = self.rates.lock();
        let rate = rates.entry((subject.name, tier)).or_default();
        rate.lookups += 1;
        rate.hits += u64::from(matches!(hit, Hit::Yes | Hit::Stale));
    }

    pub(super) fn took(&self, tier: Tier, operation: &'static str, time: Duration) {
        let label = Operation {
            tier: tier.name(),
            operation,
        };
        self.durations.get_or_create(&label).observe(time.as_secs_f64());
    }
}

impl Tier {
    fn name(self) -> &'static str {
        match self {
            Self::Local => "l1",
            Self::Remote => "l2",
            Self::Database => "l3",
        }
    }
}

impl Hit {
    fn name(self) -> &'static str {
        match self {
            Self::Yes => "hit",
            Self::Stale => "stale",
            Self::No => "miss",
            Self::Unreachable => "unreachable",
        }
    }
}

/// Reads sizes and rates when it is scraped.
#[derive(Debug)]
struct CacheCollector(Arc<CacheMetrics>, Local);

impl Collector for CacheCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let (entries, bytes) = self.1.size();
        for (name, help, value) in [
            ("voiceassist_cache_size_entries", "Values in L1", entries),
            (
                "voiceassist_cache_size_bytes",
                "Bytes of L1, with what lies beside keys and values",
                bytes,
            ),
        ] {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let mut family = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(family.encode_family(&[("tier", "l1")])?)?;
        }
        let rates = self.0.rates.lock();
        if rates.is_empty() {
            return Ok(());
        }
        let help = "Hits in 100 lookups by cache and tier since the start, without L3, which has everything";
        let name = "voiceassist_cache_hit_rate_percent";
        let mut family = encoder.encode_descriptor(name, help, None, ConstGauge::new(0.0).metric_type())?;
        for ((cache, tier), Rate { hits, lookups }) in rates.iter().filter(|((_, tier), _)| *tier != "l3") {
            #[expect(clippy::cast_precision_loss, reason = "a percentage")]
            let percent = 100.0 * *hits as f64 / *lookups as f64;
            let labels = [("cache", *cache), ("tier", *tier)];
            ConstGauge::new(percent).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}
