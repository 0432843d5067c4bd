use super::*;
use crate::doctor::testing::{healthy, severities};

/// The healthy installation with other facts about its only metric.
fn with(change: impl Fn(&mut SeriesSeen, &mut SelectedFacts)) -> Observed {
    let mut observed = healthy();
    let seen = &mut observed.prometheus.as_mut().unwrap()[0].series[0];
    let Ok(Facts::Selected(mut facts)) = seen.facts.clone() else {
        panic!("{seen:?}")
    };
    change(seen, &mut facts);
    seen.facts = Ok(Facts::Selected(facts));
    observed
}

#[test]
fn a_name_that_does_not_exist_is_a_problem_where_no_data_holds_and_a_warning_where_it_is_zero() {
    let absent = |on_missing: OnMissing| {
        with(|seen, facts| {
            seen.on_missing = on_missing;
            *facts = SelectedFacts::default();
        })
    };
    let held = series(&absent(OnMissing::Hold));
    assert_eq!(severities(&held), [Severity::Problem]);
    assert!(
        held[0].message.contains("no series requests_total"),
        "{}",
        held[0].message
    );
    assert_eq!(severities(&series(&absent(OnMissing::Zero))), [Severity::Warning]);
    assert_eq!(labels(&absent(OnMissing::Hold)), []);
}

#[test]
fn the_matcher_that_removes_everything_is_named() {
    let observed = with(|_, facts| {
        facts.matched = 0;
        facts.empty_matchers = vec!["route=/nope".to_owned()];
    });
    let found = series(&observed);
    assert_eq!(severities(&found), [Severity::Problem]);
    assert!(
        found[0]
            .message
            .contains("matchLabels route=/nope removes them all")
    );
}

#[test]
fn series_of_several_clusters_are_a_problem_and_the_fix_names_one() {
    assert_eq!(severities(&clusters(&healthy())), [Severity::Ok]);
    let observed = with(|_, facts| {
        let both = BTreeSet::from(["eu-1".to_owned(), "us-1".to_owned()]);
        facts.clusters = Some(("cluster".to_owned(), both));
    });
    let found = clusters(&observed);
    assert_eq!(severities(&found), [Severity::Problem]);
    assert!(
        found[0].message.contains("cluster is eu-1, us-1"),
        "{}",
        found[0].message
    );
    assert!(found[0].fix.as_ref().unwrap().contains("--matchers=cluster=eu-1"));
}

#[test]
fn matchers_of_the_server_that_leave_nothing_are_named() {
    let observed = with(|_, facts| {
        facts.matched = 0;
        facts.foreign_to = Some("cluster=\"eu-2\"".to_owned());
    });
    let found = series(&observed);
    assert_eq!(severities(&found), [Severity::Problem]);
    assert!(
        found[0].message.contains("has cluster=\"eu-2\""),
        "{}",
        found[0].message
    );
}

#[test]
fn a_missing_namespace_label_names_the_labels_there_are() {
    let observed = with(|_, facts| {
        facts.in_namespace = 0;
        facts.labels = BTreeSet::from(["__name__".to_owned(), "kubernetes_namespace".to_owned()]);
    });
    let found = labels(&observed);
    assert_eq!(severities(&found), [Severity::Problem]);
    assert!(
        found[0]
            .message
            .ends_with("no label namespace, only kubernetes_namespace")
    );
    let elsewhere = with(|_, facts| {
        facts.in_namespace = 0;
        facts.namespaces = vec!["staging".to_owned()];
    });
    assert!(labels(&elsewhere)[0].message.contains("they have staging"));
}

#[test]
fn a_counter_without_pod_label_cannot_be_served() {
    let observed = with(|_, facts| facts.pods = BTreeSet::from([String::new()]));
    assert_eq!(severities(&labels(&observed)), [Severity::Problem]);
    assert_eq!(pods(&observed), []);
}

#[test]
fn pods_are_compared_with_the_live_ones() {
    let of =
        |names: &[&str]| with(|_, facts| facts.pods = names.iter().map(|name| (*name).to_owned()).collect());
    for (names, expected) in [
        (&["gateway-1", "gateway-2"][..], Severity::Ok),
        (&["gateway-1"], Severity::Warning),
        (&["10.0.0.1:8080"], Severity::Problem),
    ] {
        assert_eq!(severities(&pods(&of(names))), [expected], "{names:?}");
    }
    let mut unknown = of(&["gateway-1"]);
    for namespace in unknown.namespaces.values_mut() {
        namespace.pods = Err(Unread::Forbidden("no".to_owned()));
    }
    assert_eq!(severities(&pods(&unknown)), [Severity::Skipped]);
}

#[test]
fn a_counter_that_keeps_falling_looks_like_a_gauge() {
    assert_eq!(
        severities(&types(&with(|_, facts| facts.resets = Some(1.0)))),
        [Severity::Ok]
    );
    assert_eq!(
        severities(&types(&with(|_, facts| facts.resets = Some(20.0)))),
        [Severity::Warning]
    );
    let renamed = with(|seen, _| {
        seen.series = Series::RequestRate {
            counter: "requests".to_owned(),
            match_labels: std::collections::BTreeMap::new(),
            match_expressions: Vec::new(),
            window: std::time::Duration::from_secs(60),
        };
    });
    assert!(types(&renamed)[0].message.contains("not called like a counter"));
}

#[test]
fn a_query_must_give_one_series() {
    let mut observed = healthy();
    for (count, expected) in [(0, Severity::Problem), (1, Severity::Ok), (2, Severity::Problem)] {
        observed.prometheus.as_mut().unwrap()[0].series[0].facts = Ok(Facts::Query(count));
        assert_eq!(severities(&series(&observed)), [expected], "{count}");
    }
}

#[test]
fn a_query_that_makes_a_number_of_missing_data_is_a_warning() {
    let mut observed = healthy();
    for (query, expected) in [
        ("sum(a) or vector(0)", Severity::Warning),
        ("sum(a)", Severity::Ok),
    ] {
        observed.prometheus.as_mut().unwrap()[0].series[0].series = Series::Query {
            query: query.to_owned(),
        };
        assert_eq!(severities(&types(&observed)), [expected], "{query}");
    }
}

#[test]
fn a_question_that_fails_quotes_its_words_and_a_silent_prometheus_is_one_problem() {
    let mut observed = healthy();
    let prometheus = observed.prometheus.as_mut().unwrap();
    prometheus[0].series[0].facts = Err(Unread::Failed("execution: too many samples".to_owned()));
    assert!(series(&observed)[0].message.contains("too many samples"));
    let prometheus = &mut observed.prometheus.as_mut().unwrap()[0];
    prometheus.reachable = Err("connection refused".to_owned());
    prometheus.series.clear();
    assert_eq!(severities(&reachable(&observed)), [Severity::Problem]);
    assert_eq!(severities(&series(&observed)), [Severity::Skipped]);
    observed.prometheus = Err(Unread::NotAsked("no URL".to_owned()));
    assert_eq!(severities(&reachable(&observed)), [Severity::Skipped]);
}

#[test]
fn of_several_servers_the_one_that_is_away_takes_no_other_with_it() {
    let mut observed = healthy();
    let servers = observed.prometheus.as_mut().unwrap();
    let mut away = servers[0].clone();
    servers[0].name = Some("apps".to_owned());
    away.name = Some("queues".to_owned());
    away.how = "at http://queues".to_owned();
    away.reachable = Err("connection refused".to_owned());
    away.series.clear();
    servers.push(away);
    let found = reachable(&observed);
    assert_eq!(severities(&found), [Severity::Ok, Severity::Problem]);
    assert_eq!(found[1].object, "Prometheus queues");
    assert_eq!(
        found[1].message,
        "does not answer at http://queues: connection refused"
    );
    assert!(found[1].fix.as_deref().unwrap().contains("configuration file"));
    assert_eq!(severities(&series(&observed)), [Severity::Ok, Severity::Skipped]);
}
