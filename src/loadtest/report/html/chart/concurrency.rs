//! The chart of users or requests in flight, and of held WebSocket connections.

use super::{Panel, Series, Shape, plain};
use crate::{
    model::measured::ratio,
    report::html::{buckets::Bucket, scale::Scale, timeline::Timeline},
};

/// The panel; `None` where all of them are zero.
pub(super) fn panel(timeline: &Timeline) -> Option<Panel> {
    let closed = timeline.report.load_unit == "users";
    let (title, name) = if closed {
        ("Users", "active")
    } else {
        ("Under way", "requests without an answer yet")
    };
    let buckets = &timeline.buckets;
    let most = |of: fn(&Bucket) -> u64| buckets.iter().map(of).max().unwrap_or(0);
    let (users, sockets) = (
        most(|bucket| bucket.concurrency),
        most(|bucket| bucket.websockets),
    );
    if users.max(sockets) == 0 {
        return None;
    }
    let line = |of: fn(&Bucket) -> u64| {
        let point = |bucket: &Bucket| Some((timeline.middle(bucket), ratio(of(bucket), 1)));
        buckets.iter().map(point).collect()
    };
    let mut series = vec![Series {
        name: name.to_owned(),
        style: "concurrency",
        shape: Shape::Area(line(|bucket| bucket.concurrency)),
    }];
    let mut peak = ratio(users.max(sockets), 1);
    if sockets > 0 {
        series.push(Series {
            name: "WebSocket connections".to_owned(),
            style: "p99",
            shape: Shape::Line(line(|bucket| bucket.websockets)),
        });
    }
    if closed {
        let planned = timeline.planned();
        peak = planned.iter().flatten().map(|point| point.1).fold(peak, f64::max);
        series.push(Series {
            name: "planned".to_owned(),
            style: "planned",
            shape: Shape::Line(planned),
        });
    }
    Some(Panel {
        title: title.to_owned(),
        note: String::new(),
        scale: Scale::whole(peak, 2.0),
        label: plain,
        size: "low",
        series,
        summary: format!("{title} over time, at most {users}"),
    })
}
