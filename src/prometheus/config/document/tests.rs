use proptest::prelude::*;

use super::*;

const HEAD: &str = "apiVersion: config.scaling.voiceassist.io/v1alpha1\nkind: MetricsServerConfiguration\n";

/// The problems of a file that lists one server with these fields.
fn problems(server: &str) -> Vec<String> {
    let text = format!("{HEAD}prometheusServers:\n- {{{server}}}\n");
    match parse(&text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

fn problem(server: &str) -> String {
    let mut problems = problems(server);
    assert_eq!(problems.len(), 1, "{server}: {problems:?}");
    problems.remove(0)
}

#[test]
fn a_server_needs_its_name_and_its_url_and_the_rest_has_the_defaults_of_the_flags() {
    let text = format!("{HEAD}prometheusServers: [{{name: default, url: 'http://prometheus:9090'}}]\n");
    let server = parse(&text).unwrap().servers.remove(0);
    assert_eq!(server.limits.timeout, Duration::from_secs(4));
    assert_eq!(server.limits.response_size, 16 << 20);
    assert_eq!(server.poll_interval, Duration::from_secs(5));
    assert_eq!(server.source.labels.namespace.as_str(), "namespace");
    assert!(server.source.bind_queries);
    assert_eq!(
        problems(""),
        [
            "prometheusServers[0].name: is required",
            "prometheusServers[0].url: is required"
        ]
    );
}

#[test]
fn every_field_is_read() {
    let text = format!(
        "{HEAD}prometheusServers:
- name: central
  url: https://mimir.example:8443/prometheus
  caFile: ca.crt
  certFile: tls.crt
  keyFile: tls.key
  basicAuth: {{username: vas, passwordFile: password}}
  headers:
  - {{name: X-Scope-OrgID, value: team-a}}
  - {{name: X-Key, valueFile: key}}
  timeout: 10s
  maxResponseSize: 1Mi
  pollInterval: 1m
  namespaceLabel: kube_namespace
  podLabel: kube_pod
  queryNamespaceMatcher: false
  matchers: {{cluster: eu-1, stage: ''}}
"
    );
    let server = parse(&text).unwrap().servers.remove(0);
    assert_eq!(server.ca_file, Some("ca.crt".into()));
    assert!(server.client_certificate.is_some());
    let basic = Authorization::Basic {
        username: "vas".to_owned(),
        password_file: "password".into(),
    };
    assert_eq!(server.authorization, Some(basic));
    let values: Vec<_> = server.headers.iter().map(|header| &header.value).collect();
    let expected = [
        HeaderValue::Written("team-a".to_owned()),
        HeaderValue::InFile("key".into()),
    ];
    assert_eq!(values, expected.iter().collect::<Vec<_>>());
    assert_eq!(server.limits.timeout, Duration::from_secs(10));
    assert_eq!(server.limits.response_size, 1 << 20);
    assert_eq!(server.poll_interval, Duration::from_secs(60));
    assert_eq!(server.source.labels.pod.as_str(), "kube_pod");
    assert!(!server.source.bind_queries);
    assert_eq!(
        server.source.labels.matchers.to_string(),
        r#"cluster="eu-1",stage="""#
    );
}

#[test]
fn each_mistake_is_named_with_its_field_and_the_fix() {
    let valid = "name: a, url: 'https://p'";
    for (fields, expected) in [
        (
            "tiemout: 5s",
            "prometheusServers[0].tiemout: unknown field; did you mean timeout?",
        ),
        (
            "insecureSkipVerify: true",
            "prometheusServers[0].insecureSkipVerify: unknown field; remove it",
        ),
        (
            "timeout: 5",
            "prometheusServers[0].timeout: must be a text, not a number; put it in quotes",
        ),
        ("timeout: 5ms", "prometheusServers[0].timeout: not a duration"),
        (
            "maxResponseSize: 0",
            "prometheusServers[0].maxResponseSize: must be a positive number of bytes, such as 16Mi",
        ),
        (
            "maxResponseSize: 1500m",
            "prometheusServers[0].maxResponseSize: must be a positive",
        ),
        (
            "certFile: a",
            "prometheusServers[0].certFile: needs keyFile beside it",
        ),
        (
            "keyFile: a",
            "prometheusServers[0].keyFile: needs certFile beside it",
        ),
        (
            "podLabel: a-b",
            "prometheusServers[0].podLabel: \"a-b\" is not a Prometheus label name",
        ),
        (
            "queryNamespaceMatcher: 'no'",
            "prometheusServers[0].queryNamespaceMatcher: must be true or false, not a text",
        ),
        (
            "basicAuth: {username: a}",
            "prometheusServers[0].basicAuth.passwordFile: is required",
        ),
        (
            "basicAuth: {username: 'a:b', passwordFile: c}",
            "prometheusServers[0].basicAuth.username: must not contain a colon",
        ),
        (
            "basicAuth: {username: a, password: b, passwordFile: c}",
            "prometheusServers[0].basicAuth.password: unknown field",
        ),
        (
            "basicAuth: {username: a, passwordFile: b}, bearerTokenFile: c",
            "prometheusServers[0].basicAuth: excludes bearerTokenFile",
        ),
        (
            "headers: [{name: Authorization, value: a}]",
            "prometheusServers[0].headers[0].name: Authorization is not set here",
        ),
        (
            "headers: [{name: A}]",
            "prometheusServers[0].headers[0].value: is required, or valueFile",
        ),
        (
            "headers: [{name: A, value: b, valueFile: c}]",
            "prometheusServers[0].headers[0].valueFile: excludes value",
        ),
        (
            "headers: [{name: A, value: b}, {name: a, value: c}]",
            "prometheusServers[0].headers[1].name: a is there twice",
        ),
        (
            "headers: {A: b}",
            "prometheusServers[0].headers: must be a list, not a mapping",
        ),
    ] {
        let problem = problem(&format!("{valid}, {fields}"));
        assert!(problem.starts_with(expected), "{fields}: {problem}");
    }
    let bad_name = problem("name: A_b, url: 'https://p'");
    assert!(
        bad_name.starts_with("prometheusServers[0].name: must be a DNS label"),
        "{bad_name}"
    );
    let no_tls = problem("name: a, url: 'http://p', caFile: b");
    assert_eq!(
        no_tls,
        "prometheusServers[0].caFile: has no effect without https in the url"
    );
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = "apiVersion: v1\nkind: ConfigMap\ndata: {}\nprometheusServers:\n- {name: a, url: 'http://p', x: 1}\n- {name: a, url: 'http://q'}\n- 5\n";
    let problems: Vec<String> = parse(text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "apiVersion: must be config.scaling.voiceassist.io/v1alpha1",
            "kind: must be MetricsServerConfiguration",
            "prometheusServers[0].x: unknown field; remove it",
            "prometheusServers[1].name: a is there twice; names are unique",
            "prometheusServers[2]: must be a mapping, not a number",
            "prometheusServers[2].name: is required",
            "prometheusServers[2].url: is required",
            "data: unknown field; remove it",
        ]
    );
}

#[test]
fn what_is_no_yaml_or_empty_is_refused() {
    for text in ["", "a: [", "a: 1\na: 2\n", "---\na: 1\n---\nb: 2\n", "- a\n"] {
        assert!(parse(text).is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_without_a_panic(text in any::<String>()) {
        prop_assert!(parse(&text).is_err());
    }
}

#[test]
fn a_matcher_is_a_label_with_a_text_and_none_that_is_matched_already() {
    let valid = "name: a, url: 'https://p'";
    for (matchers, expected) in [
        (
            "{cluster: 1}",
            ".cluster: must be a text, not a number; put it in quotes",
        ),
        ("{'a-b': c}", ".a-b: \"a-b\" is not a Prometheus label name"),
        ("{namespace: a}", ": namespace is matched already; remove it"),
        ("[cluster]", ": must be a mapping, not a list"),
    ] {
        let found = problem(&format!("{valid}, matchers: {matchers}"));
        let expected = format!("prometheusServers[0].matchers{expected}");
        assert!(found.starts_with(&expected), "{found}");
    }
}
