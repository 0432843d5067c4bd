use proptest::prelude::*;

use super::*;
use crate::metrics::promql::{LabelName, pin_namespace, quote};

fn pinned(query: &str) -> Result<String, QueryError> {
    let label: LabelName = "namespace".parse().unwrap();
    pin_namespace(query, &label, "mine")
}

#[test]
fn no_regular_expression_of_an_author_is_compiled() {
    let matchers: Vec<_> = (0..100).map(|n| format!(r#"l{n}=~"\\pL{{200}}""#)).collect();
    let query = format!("sum(x{{{}}})", matchers.join(","));
    let mut seen = 0;
    let Expr::Aggregate(sum) = parse(&query).unwrap() else {
        panic!()
    };
    let Expr::VectorSelector(selector) = *sum.expr else {
        panic!()
    };
    for matcher in selector.matchers.matchers {
        let MatchOp::Re(regex) = matcher.op else { panic!() };
        assert_eq!((regex.as_str(), matcher.value.as_str()), ("", r"\pL{200}"));
        seen += 1;
    }
    assert_eq!(seen, 100);
}

#[test]
fn a_regular_expression_that_only_prometheus_can_judge_is_left_to_it() {
    for regex in ["(", "a{1001}", "(?<n>x)", "[", "*"] {
        let query = format!("a{{b=~{}}}", quote(regex));
        let sent = pinned(&query).unwrap();
        assert_eq!(sent, format!(r#"a{{b=~{},namespace="mine"}}"#, quote(regex)));
    }
}

#[test]
fn what_prometheus_accepts_is_accepted_and_keeps_its_meaning() {
    for (query, sent) in [
        (r"a{b=~`\d+`}", r#"a{b=~"\\d+",namespace="mine"}"#),
        ("a{b='it\\'s'}", r#"a{b="it's",namespace="mine"}"#),
        ("a{b!~\"x\",c!=\"y\"}", r#"a{b!~"x",c!="y",namespace="mine"}"#),
        ("sum by () (a)", r#"sum(a{namespace="mine"})"#),
        ("sum(a) by ()", r#"sum(a{namespace="mine"})"#),
        (
            "a + ignoring () a",
            r#"a{namespace="mine"} + a{namespace="mine"}"#,
        ),
        ("a > 1_000", r#"a{namespace="mine"} > 1000"#),
        ("a * 0x1F", r#"a{namespace="mine"} * 31"#),
        (
            "holt_winters(a[5m], 0.5, 0.5)",
            r#"holt_winters(a{namespace="mine"}[5m], 0.5, 0.5)"#,
        ),
        (
            "double_exponential_smoothing(a[5m], 0.5, 0.5)",
            r#"double_exponential_smoothing(a{namespace="mine"}[5m], 0.5, 0.5)"#,
        ),
        (r#"{"a.b"}"#, r#"{__name__="a.b",namespace="mine"}"#),
        (
            r#"{"a.b", "c.d"=~"e.*"}"#,
            r#"{"c.d"=~"e.*",__name__="a.b",namespace="mine"}"#,
        ),
        (
            r#"sum by ("a.b", c) (d)"#,
            r#"sum by ("a.b", c) (d{namespace="mine"})"#,
        ),
        (
            r#"a / on ("b.c") group_left ("d.e") f"#,
            r#"a{namespace="mine"} / on ("b.c") group_left ("d.e") f{namespace="mine"}"#,
        ),
        (
            r#"label_replace(a, "x", "$1", "y", "(.*)-[0-9]+")"#,
            r#"label_replace(a{namespace="mine"}, "x", "$1", "y", "(.*)-[0-9]+")"#,
        ),
        (
            r#"sum(count_values("version", a))"#,
            r#"sum(count_values("version", a{namespace="mine"}))"#,
        ),
        (
            "a{or=\"b\", order=\"c\" , by = \"d\"}",
            r#"a{by="d",namespace="mine",or="b",order="c"}"#,
        ),
        ("a # by ({[\n + a", r#"a{namespace="mine"} + a{namespace="mine"}"#),
        ("a{b=\"#)}]{([-+\"}", r##"a{b="#)}]{([-+",namespace="mine"}"##),
        (r#"a{b!=""}"#, r#"a{b!="",namespace="mine"}"#),
        (r#"{b!=""}"#, r#"{b!="",namespace="mine"}"#),
        ("5m + a", r#"300 + a{namespace="mine"}"#),
        (
            "a + NaN + -Inf + +inf",
            r#"a{namespace="mine"} + NaN + -Inf + Inf"#,
        ),
    ] {
        assert_eq!(pinned(query).as_deref(), Ok(sent), "{query}");
    }
}

#[test]
fn many_signs_and_brackets_inside_strings_and_comments_cost_nothing() {
    let query = format!("a{{b=~\"{}\"}} # {}", "(-+*/)".repeat(300), "((((".repeat(400));
    assert!(pinned(&query).is_ok());
}

#[test]
fn what_is_not_understood_is_said_in_the_words_of_the_author() {
    for (query, words) in [
        (r#"a{"b"}"#, "metric name must not be set twice: 'a' or 'b'"),
        (r#"a{"__name__"="b"}"#, "names its metric twice"),
        ("{a=~\".*\"}", "a matcher that does not match the empty string"),
        ("{a=\"\"}", "a matcher that does not match the empty string"),
        ("a[1e300]", "no duration"),
        ("a + ignoring () group_left a", "this spelling of the query"),
        ("info(a)", "info()"),
        (r#"a{b="c" or d="e"}"#, "`or` between matchers"),
        ("a{b=c}", "unexpected identifier 'c'"),
        ("a[5m] smoothed", "not PromQL"),
        ("sum(a[1m+1m])", "arithmetic with durations"),
        ("nothing(a)", "unknown function with name 'nothing'"),
    ] {
        let error = pinned(query).unwrap_err().to_string();
        assert!(
            error.contains(words) && !error.contains(MARK),
            "{query}: {error:?}"
        );
    }
}

#[test]
fn each_limit_is_told() {
    let many = |text: &str, count: usize| text.repeat(count);
    for (query, what) in [
        (many("a", 4097), "4096 bytes"),
        (format!("a{{b=\"{}\"}}", many("c", 5000)), "4096 bytes"),
        (format!("sum by ({}a) (b)", many("a,", 600)), "1024 tokens"),
        (format!("a{}", many("+a", 257)), "256 brackets and operators"),
        (
            format!("{}a{}", many("(", 65), many(")", 65)),
            "64 brackets inside each other",
        ),
        (
            format!("a{{{}}}", many("b=\"\",", 129)),
            "128 strings in matchers",
        ),
    ] {
        let error = pinned(&query).unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
    }
}

/// Random queries of the grammar, with strings of any content in any quotes.
fn query() -> impl Strategy<Value = String> {
    let text = prop_oneof![
        "[ -~\\PC\t]{0,8}".prop_map(|content| quote(&content)),
        "[ -&(-\\[\\]-~]{0,8}".prop_map(|content| format!("'{content}'")),
        "[ -_a-~\n]{0,8}".prop_map(|content| format!("`{content}`")),
    ];
    let op = prop_oneof![Just("="), Just("!="), Just("=~"), Just("!~")];
    let matcher = (op, text).prop_map(|(op, text)| format!("b {op} {text}"));
    let selector = proptest::collection::vec(matcher, 0..4)
        .prop_map(|matchers| format!("a{{{}}}", matchers.join(" , ")));
    selector.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or # x\n {b})")),
            inner.clone().prop_map(|a| format!("-sum by () ({a})")),
            inner
                .clone()
                .prop_map(|a| format!("max_over_time({a}[10m:1m] offset 1h)")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("topk(scalar({a}), {b})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_rendered_means_the_same_and_rendering_it_again_changes_nothing(query in query()) {
        let tree = parse(&query);
        prop_assume!(tree.is_ok());
        let sent = render(&tree.unwrap()).unwrap();
        prop_assert_eq!(render(&parse(&sent).unwrap()).unwrap(), sent);
    }

    #[test]
    fn any_text_is_parsed_or_refused_without_a_panic(text in "[a-c0-9_.(){}\\[\\]\"'`\\\\#=!~<>+*/^@,: eE\\-\né]{0,60}") {
        let _ = pinned(&text);
    }
}
