use proptest::prelude::*;

use super::{servers as parse, *};

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
    let server = parse(&text).unwrap().remove(0);
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
    let server = parse(&text).unwrap().remove(0);
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

/// Checks the start of the only problem of a server with these fields beside its name and URL.
fn refused(cases: &[(&str, &str)]) {
    for (fields, expected) in cases {
        let problem = problem(&format!("name: a, url: 'https://p', {fields}"));
        assert!(problem.starts_with(expected), "{fields}: {problem}");
    }
}

#[test]
fn each_value_of_the_wrong_form_is_named_with_its_field_and_the_fix() {
    refused(&[
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
            "prometheusServers[0].timeout: must be a string; a duration needs a unit: write 5s",
        ),
        (
            "timeout: 5ms",
            "prometheusServers[0].timeout: \"5ms\" not a duration: use hours, minutes and seconds",
        ),
        ("timeout: 0s", "prometheusServers[0].timeout: not a duration"),
        (
            "pollInterval: ''",
            "prometheusServers[0].pollInterval: not a duration",
        ),
        (
            "caFile: ''",
            "prometheusServers[0].caFile: \"\" must have at least 1 character",
        ),
        (
            "caFile: 5",
            "prometheusServers[0].caFile: must be a string; put it in quotes",
        ),
        (
            "username: a",
            "prometheusServers[0].username: unknown field; it belongs deeper: basicAuth.username",
        ),
        (
            "maxResponseSize: 0",
            "prometheusServers[0].maxResponseSize: 0 must be at least 1",
        ),
        (
            "maxResponseSize: true",
            "prometheusServers[0].maxResponseSize: must be a number or a string",
        ),
        (
            "maxResponseSize: large",
            "prometheusServers[0].maxResponseSize: \"large\" not a quantity",
        ),
        (
            "maxResponseSize: 1500m",
            "prometheusServers[0].maxResponseSize: must be a positive",
        ),
    ]);
    let bad_name = problem("name: A_b, url: 'https://p'");
    assert!(
        bad_name.starts_with(
            "prometheusServers[0].name: \"A_b\" not a name: use lower-case letters, digits and -"
        ),
        "{bad_name}"
    );
}

#[test]
fn each_broken_rule_is_named_with_its_field_and_the_fix() {
    refused(&[
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
            "prometheusServers[0].queryNamespaceMatcher: must be true or false",
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
            "prometheusServers[0].headers: must be a list; start each entry with a dash: `- name: ...`",
        ),
    ]);
    let no_tls = problem("name: a, url: 'http://p', caFile: b");
    assert_eq!(
        no_tls,
        "prometheusServers[0].caFile: has no effect without https in the url"
    );
}

#[test]
fn all_mistakes_are_named_at_once() {
    let text = "apiVersion: v1
kind: ConfigMap
data: {}
prometheusServers:
- {name: a, url: 'http://p', x: 1, timeout: 5ms, caFile: ca, podLabel: a-b}
- {name: a, url: 'http://q'}
- 5
- {urls: 'http://r'}
";
    let problems: Vec<String> = parse(text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "apiVersion: \"v1\" must be config.scaling.voiceassist.io/v1alpha1",
            "data: unknown field; remove it",
            "kind: \"ConfigMap\" must be MetricsServerConfiguration",
            "prometheusServers[0].timeout: \"5ms\" not a duration: use hours, minutes and seconds such as 30s, 2m or 1h30m",
            "prometheusServers[0].x: unknown field; remove it",
            "prometheusServers[1]: \"a\" is there twice; names and values of a list are unique",
            "prometheusServers[2]: must be a mapping",
            "prometheusServers[3].name: is required",
            "prometheusServers[3].url: is required",
            "prometheusServers[3].urls: unknown field; did you mean url?",
            "prometheusServers[0].caFile: has no effect without https in the url",
            "prometheusServers[0].podLabel: \"a-b\" is not a Prometheus label name: use letters, digits and underscores, not starting with a digit",
        ]
    );
}

#[test]
fn a_list_has_one_server_at_least_and_64_at_most() {
    let listing = |count: usize| {
        let servers: Vec<String> = (0..count)
            .map(|n| format!("{{name: a{n}, url: 'http://p'}}"))
            .collect();
        let servers = servers.join(", ");
        parse(&format!("{HEAD}prometheusServers: [{servers}]\n"))
    };
    assert_eq!(listing(64).unwrap().len(), 64);
    for (count, rule) in [
        (0, "prometheusServers: must have at least 1 entry"),
        (65, "prometheusServers: must have at most 64 entries, here 65"),
    ] {
        assert_eq!(listing(count).unwrap_err()[0].to_string(), rule);
    }
    assert_eq!(
        parse(HEAD).unwrap_err()[0].to_string(),
        "prometheusServers: is required"
    );
}

#[test]
fn a_value_in_the_wrong_place_is_not_shown_because_it_may_be_a_secret() {
    let valid = "name: a, url: 'https://p'";
    for fields in [
        "basicAuth: 's3cret'",
        "headers: 's3cret'",
        "headers: ['s3cret']",
        "headers: [{name: X-Key, value: 53}]",
        "headers: [{name: X-Key, valeu: 's3cret'}]",
        "basicAuth: {username: a, passwordFile: b, password: 's3cret'}",
        "bearerToken: 's3cret'",
        "matchers: {a: 53}",
        "bearerTokenFile: 53",
    ] {
        let problems = problems(&format!("{valid}, {fields}")).join("\n");
        assert!(
            !problems.is_empty() && !problems.contains("s3cret") && !problems.contains("53"),
            "{problems}"
        );
    }
    for servers in ["'http://user:s3cret@p'", "['http://user:s3cret@p']"] {
        let problems = parse(&format!("{HEAD}prometheusServers: {servers}\n")).unwrap_err();
        assert!(
            problems.iter().all(|problem| !problem.rule.contains("s3cret")),
            "{problems:?}"
        );
    }
}

#[test]
fn a_field_that_is_null_is_absent() {
    let fields = [
        "caFile",
        "certFile",
        "keyFile",
        "bearerTokenFile",
        "basicAuth",
        "headers",
        "timeout",
        "maxResponseSize",
        "pollInterval",
        "namespaceLabel",
        "podLabel",
        "matchers",
        "queryNamespaceMatcher",
    ];
    let nulls = fields.map(|field| format!("{field}: null")).join(", ");
    assert_eq!(problems(&format!("name: a, url: 'https://p', {nulls}")), [""; 0]);
}

#[test]
fn a_size_is_a_number_or_a_quantity() {
    for (size, bytes) in [
        ("16Mi", 16 << 20),
        ("1048576", 1 << 20),
        ("1e6", 1_000_000),
        ("'1e6'", 1_000_000),
    ] {
        let text =
            format!("{HEAD}prometheusServers: [{{name: a, url: 'http://p', maxResponseSize: {size}}}]\n");
        assert_eq!(parse(&text).unwrap()[0].limits.response_size, bytes, "{size}");
    }
    for size in ["1.5", "1500m", "-1"] {
        let problem = problem(&format!("name: a, url: 'http://p', maxResponseSize: {size}"));
        assert!(
            problem.contains("prometheusServers[0].maxResponseSize: "),
            "{problem}"
        );
    }
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
        ("{cluster: 1}", ".cluster: must be a string; put it in quotes"),
        (
            "{stage: off}",
            ".stage: must be a string; put it in quotes: without them, Off, On, Yes and No are read as true or false",
        ),
        ("{'a-b': c}", ".a-b: \"a-b\" is not a Prometheus label name"),
        ("{namespace: a}", ": namespace is matched already; remove it"),
        ("[cluster]", ": must be a mapping; remove the dash"),
    ] {
        let found = problem(&format!("{valid}, matchers: {matchers}"));
        let expected = format!("prometheusServers[0].matchers{expected}");
        assert!(found.starts_with(&expected), "{found}");
    }
}
