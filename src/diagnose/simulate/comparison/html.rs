//! The comparison as one page without a script: the table, and for each policy what was needed, asked for and Ready.

use vas_core::replay::{Moment, seconds};
use vas_loadtest::report::html::courses::{self, Chart, Course, Further, Look, Page};

use super::{Comparison, Settings, text};
use crate::simulate::optimize::{self, Optimization};

/// Most points of a course on the page.
const POINTS: i64 = 480;

/// One stretch of time: what was worst in it.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// The largest load; `None` where it has no value throughout.
    rate: Option<f64>,
    demand: u32,
    desired: u32,
    /// The fewest Ready pods; `None` before the first moment.
    ready: Option<u32>,
}

/// The page. The load is replayed once more for it, so that a year of moments is never held.
#[must_use]
pub fn render(settings: &Settings, comparison: &Comparison) -> String {
    let width = (settings.load.end() / POINTS).max(settings.assumptions.sync);
    let mut charts = Vec::new();
    for contender in &settings.contenders {
        let mut buckets: Vec<Bucket> = Vec::new();
        settings.replay(contender, |moment| {
            let place = usize::try_from(moment.at / width).unwrap_or_default();
            if buckets.len() <= place {
                buckets.resize(place + 1, Bucket::default());
            }
            if let Some(bucket) = buckets.get_mut(place) {
                bucket.add(moment);
            }
        });
        if charts.is_empty() {
            charts.push(load(&buckets, width));
        }
        charts.push(replicas(&contender.name, &buckets, width));
    }
    let (columns, rows) = text::table(settings, comparison);
    courses::render(&Page {
        title: "vas simulate".to_owned(),
        columns,
        rows,
        notes: text::assumptions(settings, comparison),
        further: comparison
            .optimization
            .as_ref()
            .map(|found| further(found, settings)),
        length: seconds(settings.load.end()),
        point: format!(
            "Each point stands for {} s: the largest load, the most replicas that were needed and asked for, and the fewest that were Ready.",
            seconds(width)
        ),
        charts,
    })
}

/// What a search found.
fn further(found: &Optimization, settings: &Settings) -> Further {
    let (columns, rows) = optimize::text::table(found, settings.price.is_some());
    let mut notes = optimize::text::notes(found);
    notes.push(optimize::text::advice(found));
    Further {
        title: "Other settings".to_owned(),
        columns,
        rows,
        notes,
    }
}

impl Bucket {
    fn add(&mut self, moment: &Moment) {
        self.rate = match (self.rate, moment.rate) {
            (Some(one), Some(other)) => Some(one.max(other)),
            (one, other) => one.or(other),
        };
        self.demand = self.demand.max(moment.demand);
        self.desired = self.desired.max(moment.desired);
        self.ready = Some(self.ready.map_or(moment.ready, |ready| ready.min(moment.ready)));
    }
}

fn course(
    name: &str,
    look: Look,
    buckets: &[Bucket],
    width: i64,
    value: impl Fn(&Bucket) -> Option<f64>,
) -> Course {
    let mut steps: Vec<(f64, Option<f64>)> = Vec::new();
    for (place, bucket) in buckets.iter().enumerate() {
        let value = value(bucket);
        // A step that repeats the one before is left out.
        if steps
            .last()
            .is_none_or(|(_, last)| last.map(f64::to_bits) != value.map(f64::to_bits))
        {
            let at = i64::try_from(place).unwrap_or_default() * width;
            steps.push((seconds(at), value));
        }
    }
    Course {
        name: name.to_owned(),
        look,
        steps,
    }
}

fn load(buckets: &[Bucket], width: i64) -> Chart {
    Chart {
        title: "Load".to_owned(),
        note: "requests/s".to_owned(),
        courses: vec![course("offered", Look::Needed, buckets, width, |bucket| {
            bucket.rate
        })],
    }
}

fn replicas(name: &str, buckets: &[Bucket], width: i64) -> Chart {
    let known = |bucket: &Bucket, replicas: u32| bucket.rate.map(|_| f64::from(replicas));
    Chart {
        title: name.to_owned(),
        note: "replicas".to_owned(),
        courses: vec![
            course("Ready", Look::There, buckets, width, |bucket| {
                bucket.ready.map(f64::from)
            }),
            course("asked for", Look::Asked, buckets, width, |bucket| {
                Some(f64::from(bucket.desired))
            }),
            course("needed", Look::Needed, buckets, width, |bucket| {
                known(bucket, bucket.demand)
            }),
        ],
    }
}
