//! The chart of the load: planned, due and answered requests.

use super::{Panel, Series, Shape, plain};
use crate::report::html::{buckets::Bucket, scale::Scale, timeline::Timeline};

/// The panel; `None` where no second was measured.
pub(super) fn panel(timeline: &Timeline) -> Option<Panel> {
    let buckets = &timeline.buckets;
    if buckets.is_empty() {
        return None;
    }
    let most = |of: fn(&Bucket) -> f64| buckets.iter().map(of).fold(0.0, f64::max);
    let (due, answered) = (
        most(|bucket| bucket.due.high),
        most(|bucket| bucket.answered.high),
    );
    let middle = |of: fn(&Bucket) -> f64| {
        let point = |bucket: &Bucket| Some((timeline.middle(bucket), of(bucket)));
        buckets.iter().map(point).collect()
    };
    let mut series = vec![
        Series {
            name: "answered".to_owned(),
            style: "answered",
            shape: Shape::Area(middle(|bucket| bucket.answered.mean)),
        },
        Series {
            name: "due".to_owned(),
            style: "due",
            shape: Shape::Line(middle(|bucket| bucket.due.mean)),
        },
    ];
    if timeline.grid.width > 1 {
        let low_and_high =
            |bucket: &Bucket| (timeline.middle(bucket), bucket.answered.low, bucket.answered.high);
        let band = Series {
            name: "answered, slowest to fastest second".to_owned(),
            style: "answered",
            shape: Shape::Band(buckets.iter().map(low_and_high).collect()),
        };
        series.insert(0, band);
    }
    let mut peak = due.max(answered);
    // Planned users are drawn in the chart of users.
    if timeline.report.load_unit != "users" {
        let name = match timeline.report.load_unit {
            "requests/s" => "planned".to_owned(),
            unit => format!("planned {unit}"),
        };
        let planned = timeline.planned();
        peak = planned.iter().flatten().map(|point| point.1).fold(peak, f64::max);
        series.push(Series {
            name,
            style: "planned",
            shape: Shape::Line(planned),
        });
    }
    Some(Panel {
        title: "Load".to_owned(),
        note: "requests/s".to_owned(),
        scale: Scale::linear(peak, 4.0),
        label: plain,
        size: "tall",
        series,
        summary: format!(
            "Requests in a second over time: at most {} due and {} answered",
            plain(due),
            plain(answered)
        ),
    })
}
