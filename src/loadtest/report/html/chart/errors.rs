//! The chart of failed requests.

use super::{Panel, Series, Shape, plain};
use crate::report::html::{scale::Scale, timeline::Timeline};

/// The panel; `None` where nothing failed.
pub(super) fn panel(timeline: &Timeline) -> Option<Panel> {
    let buckets = &timeline.buckets;
    let worst = buckets
        .iter()
        .map(|bucket| bucket.failed.high)
        .fold(0.0, f64::max);
    if worst <= 0.0 {
        return None;
    }
    let width = f64::from(timeline.grid.width);
    let bars = buckets
        .iter()
        .map(|bucket| (bucket.at, bucket.at + width, bucket.failed.high));
    Some(Panel {
        title: "Errors".to_owned(),
        note: "failed requests/s".to_owned(),
        scale: Scale::linear(worst, 2.0),
        label: plain,
        size: "low",
        series: vec![Series {
            name: String::new(),
            style: "failed",
            shape: Shape::Bars(bars.collect()),
        }],
        summary: format!(
            "Failed requests in a second over time, {} in the worst",
            plain(worst)
        ),
    })
}
