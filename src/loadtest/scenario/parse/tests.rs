use proptest::prelude::*;

use super::*;
use crate::scenario::{
    model::{Action, Load, Model},
    payload::Payload,
};

fn parsed(text: &str) -> Result<Scenario, ScenarioError> {
    let file = |name: &str| match name {
        "day.csv" => Ok(b"seconds,level\n0,10\n30,20\n60,0\n".to_vec()),
        "bad.csv" => Ok(b"0,10\n30\n".to_vec()),
        _ => Err("cannot be read: not found".to_owned()),
    };
    parse(text, "test", &file)
}

fn with_load(load: &str) -> String {
    format!("load: {load}\njourneys: [{{name: a, steps: [{{get: /}}]}}]\n")
}

fn refused(text: &str) -> String {
    parsed(text).unwrap_err().to_string()
}

#[test]
fn stages_ramp_jump_and_saw_and_a_trace_is_followed() {
    for (load, seconds, total) in [
        ("{rate: [{duration: 10s, target: 100}]}", 10.0, 500.0),
        (
            "{rate: [{duration: 10s, at: 100}, {duration: 10s, target: 0}]}",
            20.0,
            1500.0,
        ),
        (
            "{rate: [{duration: 25s, sawtooth: {from: 0, to: 10, every: 10s}}]}",
            25.0,
            112.5,
        ),
        ("{rate: [{trace: day.csv}]}", 60.0, 900.0),
        (
            "{rate: [{duration: 1s, at: 5}, {duration: 500ms, at: 50}]}",
            1.5,
            30.0,
        ),
    ] {
        let scenario = parsed(&with_load(load)).unwrap();
        let profile = scenario.load.profile();
        assert!((profile.seconds() - seconds).abs() < 1e-9, "{load}");
        assert!(
            (profile.total() - total).abs() < 1e-6,
            "{load}: {}",
            profile.total()
        );
        assert!(matches!(scenario.load, Load::Open(_)));
    }
    let closed = parsed(&with_load("{users: [{duration: 1m, at: 5}]}")).unwrap();
    assert!(matches!(closed.load, Load::Closed(_)));
}

#[test]
fn a_step_has_a_name_of_its_own_or_that_of_what_it_does() {
    let text = "
load: {users: [{duration: 1m, at: 5}]}
journeys:
- name: a
  think: 1s-2s
  steps:
  - {get: /x}
  - {name: talk, websocket: {path: /ws, hold: 1m}, think: 0s}
";
    let scenario = parsed(text).unwrap();
    let [first, second] = scenario.journeys[0].steps.as_slice() else {
        panic!("two steps")
    };
    assert_eq!((first.name.as_str(), second.name.as_str()), ("GET /x", "talk"));
    assert_eq!(second.think, Some(Think::default()));
    assert!(matches!(second.action, Action::WebSocket(_)));
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let text = "
load: {users: [{duration: 0s, at: 5}, {target: 5}, {trace: none.csv}, {trace: bad.csv}, {duration: 1s, at: -1}]}
timeout: never
abort: {errors: half, over: 1s}
thresholds: [latency < 1, 'step none: errors < 1%', errors < 1%, errors < 1%]
journeys:
- {name: a, weight: 0, think: 5s-1s, steps: [{get: x}, {post: /y, put: /z}, {get: '/{{token}}'}, {get: '/{{open'}]}
- {name: a, weight: 0, steps: []}
";
    let words = refused(text);
    for expected in [
        "test: load.users[0].duration: must be more than 0s",
        "load.users[1]: must be {duration, target}, {duration, at}, {duration, sawtooth} or {trace}",
        "load.users[2].trace: none.csv: cannot be read: not found",
        "load.users[3].trace: line 2: \"30\" is not seconds,level",
        "load.users[4].at: must be between 0 and a million",
        "timeout: \"never\" is not a duration: use ms, s, m and h",
        "abort.errors: must be a share such as 50%",
        "thresholds[0]: \"latency < 1\" is not a threshold",
        "thresholds[1]: no step is called \"none\"",
        "thresholds[3]: is there twice",
        "journeys: must not all have weight 0",
        "journeys[0].think: \"5s-1s\" begins with the longer one",
        "journeys[0].steps[0].get: \"x\" must begin with /",
        "journeys[0].steps[1]: must have exactly one of get, head, post, put, patch, delete, options, websocket and parallel",
        "journeys[0].steps[2]: {{token}} has no value: no earlier step of the journey extracts it",
        "journeys[0].steps[3].get: \"{{\" is not closed",
        "journeys[1].name: \"a\" is there twice",
        "journeys[1].steps: must have at least one",
    ] {
        assert!(words.contains(expected), "{expected}\n{words}");
    }
}

#[test]
fn an_unknown_field_and_what_is_no_yaml_are_refused_with_the_place() {
    let words = refused("load: {user: []}\njourneys: []\n");
    assert!(words.contains("user"), "{words}");
    assert!(refused(": [").starts_with("test: "));
    let both = with_load("{users: [{duration: 1s, at: 1}], rate: [{duration: 1s, at: 1}]}");
    assert!(refused(&both).contains("load: must have exactly one of users and rate"));
}

#[test]
fn a_variable_that_an_earlier_step_extracts_has_a_value_and_the_given_ones_always_have() {
    let text = "
load: {rate: [{duration: 1s, at: 5}]}
journeys:
- name: a
  headers: {Authorization: 'Bearer {{token}}'}
  steps:
  - {post: /login, body: '{{user}} {{iteration}}', extract: {token: 'json:/token', place: 'header:Location'}, checks: [json /token, contains ok]}
  - {get: '/{{place}}'}
";
    parsed(text).unwrap_or_else(|error| panic!("{error}"));
    let words = refused(&text.replace("token: 'json:/token', ", ""));
    assert!(
        words.contains("journeys[0].headers: {{token}} has no value"),
        "{words}"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = parsed(&text);
    }

    #[test]
    fn any_stages_give_a_course_that_is_finite_and_not_negative(
        stages in prop::collection::vec((1_u32..100, 0.0..1e6_f64, any::<bool>()), 1..20)
    ) {
        let stages: Vec<String> = stages
            .iter()
            .map(|(seconds, level, ramp)| {
                let field = if *ramp { "target" } else { "at" };
                format!("{{duration: {seconds}s, {field}: {level}}}")
            })
            .collect();
        let text = with_load(&format!("{{rate: [{}, {{duration: 1s, at: 1}}]}}", stages.join(", ")));
        let scenario = parsed(&text).unwrap();
        let profile = scenario.load.profile();
        prop_assert!(profile.total().is_finite() && profile.total() > 0.0);
        prop_assert!(profile.peak() <= 1e6);
    }
}

#[test]
fn a_path_that_no_url_can_have_is_refused_with_the_way_to_write_it() {
    let with_path = |path: &str| {
        format!(
            "load: {{rate: [{{duration: 1s, at: 1}}]}}\njourneys: [{{name: a, steps: [{{get: '{path}'}}]}}]\n"
        )
    };
    for (path, way) in [
        ("/a<b>", "write %3C for '<'"),
        ("/a>b", "write %3E for '>'"),
        ("/a`b", "write %60 for '`'"),
        ("/a?q=<b", "write %3C for '<'"),
        ("/a b", "write %20 for ' '"),
        ("/a#b", "write %23 for '#'"),
        ("/a\u{a0}b", "write %C2%A0 for "),
    ] {
        let error = refused(&with_path(path));
        assert!(
            error.contains("journeys[0].steps[0].get: ") && error.contains(way),
            "{error}"
        );
    }
    for path in ["/a?q=b>c", "/a/{{user}}", "/ü", "/a%3Cb%3E"] {
        assert!(parsed(&with_path(path)).is_ok(), "{path}");
    }
}

#[test]
fn no_words_of_a_library_reach_the_user() {
    let journeys = "journeys: [{name: a, steps: [{get: /}]}]";
    let load = "load: {rate: [{duration: 1s, at: 1}]}";
    for text in [
        String::new(),
        "load: [a: b: c".to_owned(),
        "load:\n\trate: 1\n".to_owned(),
        "- load\n- journeys\n".to_owned(),
        "load: &a {rate: *b}\n".to_owned(),
        "load: !!binary x\n".to_owned(),
        "load: \"unclosed\n".to_owned(),
        "load: {? [a]: b}\n".to_owned(),
        "load: {1: 2, true: 3}\n".to_owned(),
        "load: {rate: [{duration: 1s, at: .nan}]}\n".to_owned(),
        format!("{load}\n{load}\n{journeys}\n"),
        format!("{load}\ntimeout: [1]\n{journeys}\n"),
        format!("{load}\njourneys: [{{name: a, weight: 5000000000, steps: [{{get: /}}]}}]\n"),
        format!("{load}\njourneys: [{{name: a, weight: 1e400, steps: [{{get: /}}]}}]\n"),
        format!("{load}\njourneys: [{{name: a, steps: [{{get: /, expect: [70000]}}]}}]\n"),
        format!("{load}\njourneys: [{{name: a, steps: [{{get: /, extract: {{a: [1]}}}}]}}]\n"),
        format!(
            "{load}\njourneys: [{{name: a, steps: [{{websocket: {{path: /, hold: 1s, maxMessageBytes: 5000000000}}}}]}}]\n"
        ),
    ] {
        let error = refused(&text);
        for foreign in [
            "invalid value",
            "invalid type",
            "expected",
            "serde",
            "saphyr",
            "u32",
            "u16",
            "missing field",
            "flow",
            "scalar",
            "<input>",
            "while parsing",
            "snippet",
            "`",
        ] {
            assert!(!error.contains(foreign), "{text}: {error}");
        }
    }
}

#[test]
fn a_threshold_is_on_a_step_that_there_is() {
    let text = "load: {rate: [{duration: 1s, at: 1}]}\nthresholds: ['step none: errors < 1%']\njourneys: [{name: a, steps: [{get: /}, {name: log in, post: /}]}]\n";
    let error = refused(text);
    assert!(
        error.contains("no step is called \"none\"; there are \"GET /\", \"log in\""),
        "{error}"
    );
}

#[test]
fn a_body_is_a_text_or_the_content_of_a_file() {
    let with_step = |step: &str| {
        format!(
            "load: {{users: [{{duration: 1m, at: 5}}], iterations: 7}}\njourneys: [{{name: a, steps: [{step}]}}]\n"
        )
    };
    let scenario = parsed(&with_step("{post: /, bodyFile: day.csv}")).unwrap();
    assert_eq!(scenario.iterations, Some(7));
    let Action::Request(request) = &scenario.journeys[0].steps[0].action else {
        panic!("it is a request")
    };
    let Some([Payload::Binary(body)]) = request.body.as_deref() else {
        panic!("it is sent as it is")
    };
    assert!(body.starts_with(b"seconds,level\n"), "{body:?}");
    for (step, words) in [
        ("{post: /, bodyFile: none}", "bodyFile: none: cannot be read"),
        (
            "{post: /, bodyFile: day.csv, body: x}",
            "bodyFile: must not stand beside body",
        ),
        ("{get: /, head: /}", "must have exactly one of get, head"),
        (
            "{websocket: {path: /, hold: 1s}, bodyFile: day.csv}",
            "bodyFile: a websocket has none",
        ),
    ] {
        let error = refused(&with_step(step));
        assert!(error.contains(words), "{error}");
    }
    let at_a_rate = with_load("{rate: [{duration: 1s, at: 1}], iterations: 7}");
    assert!(refused(&at_a_rate).contains("load.iterations: is for users"));
    let none = with_load("{users: [{duration: 1s, at: 1}], iterations: 0}");
    assert!(refused(&none).contains("load.iterations: 0 must be at least 1"));
}

#[test]
fn a_setup_has_requests_whose_values_all_journeys_have() {
    let with = |setup: &str, journey: &str| {
        let text = format!(
            "load: {{rate: [{{duration: 1s, at: 1}}]}}\nvalues: {{order: sequence, id: uuid}}\nsetup: {setup}\njourneys:\n- {{name: a, steps: [{journey}]}}\n"
        );
        parse(&text, "test", &|_| Err("no files".to_owned())).map_err(|error| error.to_string())
    };
    let login = "{steps: [{post: \"/login?id={{id}}\", extract: {token: \"json:/t\"}}]}";
    let scenario = with(login, "{get: \"/{{token}}\"}").unwrap();
    assert_eq!(scenario.setup.unwrap().steps.len(), 1);
    for (setup, journey, words) in [
        ("{steps: []}", "{get: /}", "setup.steps: must have at least one"),
        (
            "{steps: [{get: /, once: true}]}",
            "{get: /}",
            "setup.steps[0]: must have neither once nor weight",
        ),
        (
            "{steps: [{websocket: {path: /, hold: 1s}}]}",
            "{get: /}",
            "setup.steps[0]: must be a request",
        ),
        (
            "{steps: [{get: \"/{{order}}\"}]}",
            "{get: /}",
            "setup.steps[0]: {{order}} has no value",
        ),
        (
            login,
            "{get: /, extract: {token: \"json:/t\"}}",
            "token has a value from elsewhere",
        ),
    ] {
        let error = with(setup, journey).unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[test]
fn several_loads_side_by_side_are_read_or_refused_by_field() {
    let with = |loads: &str| {
        format!(
            "loads: [{loads}]\njourneys: [{{name: a, steps: [{{get: /}}]}}, {{name: b, weight: 0, steps: [{{get: /b}}]}}]\n"
        )
    };
    let users = "users: [{duration: 10s, at: 5}]";
    let scenario = parsed(&with(&format!(
        "{{name: x, start: 5s, {users}, iterations: 3, journeys: [a]}}, {{name: z, rate: [{{duration: 1s, at: 2}}]}}"
    )))
    .unwrap();
    let lanes = scenario.lanes();
    assert_eq!(lanes[0].profile.duration(), Duration::from_secs(15));
    assert_eq!((lanes[0].iterations, &lanes[0].journeys), (Some(3), &vec![0]));
    assert_eq!((lanes[1].model, &lanes[1].journeys), (Model::Open, &vec![0, 1]));
    assert_eq!(scenario.turns(), None);
    let long = format!("{{name: x, {users}, journeys: [a]}}, ").repeat(17);
    for (loads, words) in [
        (
            format!("{{name: x, {users}, journeys: [c]}}"),
            "loads[0].journeys[0]: \"c\" is not the name of a journey",
        ),
        (
            format!("{{name: x, {users}, journeys: [a, a]}}"),
            "loads[0].journeys[1]: \"a\" is there twice",
        ),
        (
            format!("{{name: x, {users}, journeys: [b]}}"),
            "loads[0].journeys: must not be journeys of weight 0 alone",
        ),
        (
            format!("{{name: x, {users}, journeys: [a]}}"),
            "journeys[1].name: \"b\" is in no load",
        ),
        (
            format!("{{name: x, {users}}}, {{name: x, {users}}}"),
            "loads[1].name: \"x\" is there twice",
        ),
        (
            format!("{{name: '', {users}}}"),
            "loads[0].name: must not be empty",
        ),
        (format!("{{name: x, start: soon, {users}}}"), "loads[0].start: "),
        (
            format!("{{name: x, {users}, rate: []}}"),
            "loads[0]: must have exactly one of users and rate",
        ),
        (
            "{name: x, rate: [{duration: 1s, at: 0}]}".to_owned(),
            "loads[0].rate: never rises above 0",
        ),
        (
            "{name: x, rate: [{duration: 1s, at: 1}], iterations: 2}".to_owned(),
            "loads[0].iterations: is for users",
        ),
        (long, "loads: must have 16 at most"),
    ] {
        let refused = refused(&with(&loads));
        assert!(refused.contains(words), "{loads}: {refused}");
    }
    let steps = "journeys: [{name: a, steps: [{get: /}]}]";
    assert!(refused(steps).contains("load: is missing: give load, or several loads"));
    let both = format!("load: {{{users}}}\nloads: [{{name: x, {users}}}]\n{steps}");
    assert!(refused(&both).contains("loads: must not stand beside load"));
}

#[test]
fn requests_in_parallel_are_steps_of_one_batch_or_refused_by_field() {
    let with = |steps: &str| {
        format!("load: {{rate: [{{duration: 1s, at: 1}}]}}\njourneys: [{{name: a, steps: [{steps}]}}]\n")
    };
    let scenario = parsed(&with(
        "{get: /}, {parallel: [{get: /a, extract: {x: 'json:/x'}}, {get: /b}], think: 2s}, {get: '/{{x}}'}",
    ))
    .unwrap();
    let journey = &scenario.journeys[0];
    let batches: Vec<_> = journey.steps.iter().map(|step| step.batch).collect();
    assert_eq!(batches, [None, Some(1), Some(1), None]);
    let pauses: Vec<_> = journey.steps[1..3]
        .iter()
        .map(|step| step.think.unwrap().max)
        .collect();
    assert_eq!(pauses, [Duration::ZERO, Duration::from_secs(2)]);
    let fields: Vec<String> = journey.fields().collect();
    assert_eq!(
        fields,
        [
            "steps[0]",
            "steps[1].parallel[0]",
            "steps[1].parallel[1]",
            "steps[2]"
        ]
    );
    assert_eq!((journey.width(), scenario.is_single()), (2, false));
    let many = "{get: /}, ".repeat(17);
    for (steps, words) in [
        (
            "{parallel: [{get: /a, extract: {x: 'json:/x'}}, {get: '/{{x}}'}]}",
            "journeys[0].steps[0].parallel[1]: ",
        ),
        (
            "{parallel: [{get: /a}]}",
            "steps[0].parallel: must have 2 to 16 requests, and not 1",
        ),
        (
            &format!("{{parallel: [{many}]}}"),
            "steps[0].parallel: must have 2 to 16 requests, and not 17",
        ),
        (
            "{parallel: [{get: /a}, {get: /b, think: 1s}]}",
            "steps[0].parallel[1]: must have neither once, weight nor think",
        ),
        (
            "{parallel: [{get: /a}, {websocket: {path: /ws, hold: 1s}}]}",
            "steps[0].parallel[1]: must be a request",
        ),
        (
            "{name: both, parallel: [{get: /a}, {get: /b}]}",
            "steps[0]: must have no fields beside parallel but once and think",
        ),
        (
            "{parallel: [{get: /a}, {get: /a}]}",
            "steps[0].parallel[1].name: \"GET /a\" is there twice",
        ),
    ] {
        let refused = refused(&with(steps));
        assert!(refused.contains(words), "{steps}: {refused}");
    }
    let setup = format!(
        "setup: {{steps: [{{parallel: [{{get: /a}}, {{get: /b}}]}}]}}\n{}",
        with("{get: /}")
    );
    assert!(refused(&setup).contains("setup.steps[0]: must not be parallel"));
}

#[test]
fn other_hosts_have_a_url_and_steps_name_one_of_them() {
    let with = |hosts: &str, step: &str| {
        format!(
            "load: {{rate: [{{duration: 1s, at: 1}}]}}\nhosts: {{{hosts}}}\njourneys: [{{name: a, steps: [{step}]}}]\n"
        )
    };
    let auth = "auth: 'https://auth.example/v1'";
    let scenario = parsed(&with(auth, "{host: auth, get: /token}, {get: /token}")).unwrap();
    let names: Vec<&str> = scenario.journeys[0]
        .steps
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    assert_eq!(names, ["GET /token (auth)", "GET /token"]);
    for (hosts, step, words) in [
        (
            auth,
            "{host: files, get: /}",
            "journeys[0].steps[0].host: \"files\" has no URL: hosts has auth",
        ),
        (
            "",
            "{host: files, get: /}",
            "steps[0].host: \"files\" has no URL: the scenario has no hosts",
        ),
        (
            "auth: auth.example",
            "{get: /}",
            "hosts.auth: must be a URL such as https://auth.example",
        ),
        (
            "auth: 'http://h/?a'",
            "{get: /}",
            "hosts.auth: must have neither a query nor a fragment",
        ),
        (
            "a-b: 'http://h'",
            "{get: /}",
            "hosts.a-b: its name must have letters",
        ),
    ] {
        let refused = refused(&with(hosts, step));
        assert!(refused.contains(words), "{hosts} {step}: {refused}");
    }
}
