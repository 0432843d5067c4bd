//! The model in Prometheus' text format.

use std::fmt::Write as _;

use crate::{
    model::Model,
    series::{QUEUE, QUEUE_AGE, QUEUE_DEPTH, REQUESTS},
};

/// All series of all pods. Pod and namespace names need no escaping.
pub(crate) fn render(model: &Model, namespace: &str) -> String {
    let mut text = format!("# TYPE {REQUESTS} counter\n");
    for (pod, count) in model.requests.served() {
        let _ = writeln!(
            text,
            "{REQUESTS}{{namespace=\"{namespace}\",pod=\"{pod}\"}} {count}"
        );
    }
    let depth = model.queue.depth();
    let age = model.oldest_job_age().as_secs_f64();
    gauge(&mut text, model, namespace, QUEUE_DEPTH, &depth);
    gauge(&mut text, model, namespace, QUEUE_AGE, &age);
    text
}

fn gauge(text: &mut String, model: &Model, namespace: &str, name: &str, value: &dyn std::fmt::Display) {
    let _ = writeln!(text, "# TYPE {name} gauge");
    for pod in &model.workers.ready {
        let _ = writeln!(
            text,
            "{name}{{namespace=\"{namespace}\",pod=\"{pod}\",queue=\"{QUEUE}\"}} {value}"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::Pods;

    #[test]
    fn every_ready_pod_has_its_own_series() {
        let mut model = Model::default();
        model.requests.offer(20.0);
        model.queue.enqueue(7, Duration::from_secs(9), Duration::ZERO);
        model.advance(
            Duration::from_secs(2),
            Pods::all_ready(&["g1", "g2"]),
            Pods::all_ready(&["w1", "w2"]),
        );
        let text = render(&model, "shop");
        for line in [
            "voiceassist_http_requests_total{namespace=\"shop\",pod=\"g1\"} 20",
            "voiceassist_http_requests_total{namespace=\"shop\",pod=\"g2\"} 20",
            "voiceassist_queue_depth{namespace=\"shop\",pod=\"w1\",queue=\"default\"} 7",
            "voiceassist_queue_depth{namespace=\"shop\",pod=\"w2\",queue=\"default\"} 7",
            "voiceassist_queue_oldest_job_age_seconds{namespace=\"shop\",pod=\"w1\",queue=\"default\"} 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\nnot in\n{text}");
        }
    }

    #[test]
    fn without_pods_there_are_no_series() {
        let text = render(&Model::default(), "shop");
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    }
}
