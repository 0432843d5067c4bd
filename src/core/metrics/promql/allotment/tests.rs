use std::time::Duration;

use proptest::{prelude::*, sample::Index};

use super::*;
use crate::{
    metrics::promql::{Grouping, Labels, Matchers},
    spec::model::Series,
};

/// A claim with owned parts.
#[derive(Clone, Debug)]
struct Wish {
    created: usize,
    namespace: String,
    name: String,
    shapes: Vec<usize>,
}

fn wish(created: usize, namespace: &str, name: &str, shapes: impl IntoIterator<Item = usize>) -> Wish {
    Wish {
        created,
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        shapes: shapes.into_iter().collect(),
    }
}

fn shape(number: usize) -> Arc<Shape> {
    Arc::new(Shape {
        server: "default".to_owned(),
        grouping: Grouping::Namespace,
        value: format!("v{number}"),
        age: None,
        window: None::<Duration>,
        labels: Labels {
            namespace: "namespace".parse().unwrap(),
            pod: "pod".parse().unwrap(),
            matchers: Matchers::default(),
        },
        series: Series::Query { query: String::new() },
    })
}

const LIMITS: ShapeLimits = ShapeLimits {
    per_namespace: 20,
    in_all: 40,
};

fn allotted(wishes: &[Wish], limits: ShapeLimits) -> Allotment {
    let shapes: Vec<Arc<Shape>> = (0..20_000).map(shape).collect();
    let names: Vec<String> = (0..20_000).map(|n| format!("{n:05}")).collect();
    let claims = wishes.iter().flat_map(|wish| {
        wish.shapes.iter().map(|number| Claim {
            created: Timestamp::from_second(wish.created.try_into().unwrap()).unwrap(),
            namespace: &wish.namespace,
            name: &wish.name,
            workload: "api",
            metric: &names[*number],
            shape: &shapes[*number],
        })
    });
    allot(claims, limits)
}

/// The numbers of the shapes that are queried for a namespace.
fn of(allotment: &Allotment, namespace: &str) -> Vec<usize> {
    let asked = allotment.plan.iter();
    let mut numbers: Vec<usize> = asked
        .filter(|(_, namespaces)| namespaces.contains(namespace))
        .map(|(shape, _)| shape.value[1..].parse().unwrap())
        .collect();
    numbers.sort_unstable();
    numbers
}

fn refusals(allotment: &Allotment, namespace: &str) -> BTreeSet<String> {
    let refused = allotment.refused.get(namespace).into_iter().flatten();
    refused.map(|(_, refusal)| refusal.to_string()).collect()
}

#[test]
fn within_the_limits_everything_is_asked_once_for_all_that_need_it() {
    let wishes = [
        wish(1, "a", "x", [0, 1]),
        wish(2, "b", "x", [1]),
        wish(3, "b", "y", [1]),
    ];
    let allotment = allotted(&wishes, LIMITS);
    assert_eq!((of(&allotment, "a"), of(&allotment, "b")), (vec![0, 1], vec![1]));
    assert_eq!((allotment.plan.len(), allotment.refused), (2, Refused::new()));
}

#[test]
fn in_a_namespace_the_oldest_resources_keep_theirs_and_the_limit_is_named() {
    let wishes = [wish(9, "a", "old", 100..110), wish(10, "a", "older-name", 0..15)];
    let allotment = allotted(&wishes, LIMITS);
    let expected: Vec<usize> = (0..10).chain(100..110).collect();
    assert_eq!(of(&allotment, "a"), expected);
    let words = refusals(&allotment, "a").pop_first().unwrap();
    assert!(
        words.contains("limit of 20") && words.contains("--max-queries-per-namespace"),
        "{words}"
    );
}

#[test]
fn where_room_is_short_those_with_most_are_refused_and_each_has_its_minimum() {
    let greedy: Vec<Wish> = (0..10)
        .map(|n| wish(n, &format!("greedy-{n}"), "x", (0..20).map(|s| s + 20 * n)))
        .collect();
    let late = [
        wish(50, "late", "x", 1000..1020),
        wish(51, "small", "x", 2000..2005),
    ];
    let allotment = allotted(&[&greedy[..], &late].concat(), LIMITS);
    // The first gets 20 of 40, the second 16 of the 20 that are left, and each other one the guaranteed
    // minimum.
    let counts: Vec<usize> = (0..10)
        .map(|n| of(&allotment, &format!("greedy-{n}")).len())
        .collect();
    assert_eq!(counts, [20, 16, 16, 16, 16, 16, 16, 16, 16, 16]);
    assert_eq!(
        (of(&allotment, "late").len(), of(&allotment, "small").len()),
        (16, 5)
    );
    let words = refusals(&allotment, "late").pop_first().unwrap();
    assert!(
        words.contains("limit of 40") && words.contains("--max-queries of"),
        "{words}"
    );
}

#[test]
fn a_crowd_of_greedy_namespaces_leaves_room_in_all() {
    let limits = ShapeLimits::default();
    // All namespaces come at the same time: one resource for each shape, in turn.
    let wishes: Vec<Wish> = (0..256)
        .flat_map(|n| {
            (0..10).map(move |namespace| {
                wish(
                    n,
                    &format!("g{namespace}"),
                    &format!("r{n}"),
                    [n * 10 + namespace],
                )
            })
        })
        .collect();
    let allotment = allotted(&wishes, limits);
    let counts: BTreeSet<usize> = (0..10).map(|n| of(&allotment, &format!("g{n}")).len()).collect();
    assert_eq!(counts, BTreeSet::from([93, 94]));
    assert!(
        limits.in_all - allotment.plan.len() >= 90,
        "{}",
        allotment.plan.len()
    );
}

#[test]
fn what_is_asked_for_an_older_namespace_costs_no_room_in_all_but_counts_for_each() {
    let wishes = [
        wish(1, "a", "x", 0..20),
        wish(2, "b", "x", 20..40),
        wish(3, "c", "x", 0..25),
    ];
    let allotment = allotted(&wishes, LIMITS);
    assert_eq!(of(&allotment, "c"), (0..20).collect::<Vec<_>>());
    assert!(
        refusals(&allotment, "c")
            .pop_first()
            .unwrap()
            .contains("limit of 20")
    );
}

fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let wish = (0usize..6, "[a-d]", "[p-s]", 0usize..60, 0usize..30);
    proptest::collection::vec(wish, 1..14).prop_map(|wishes| {
        let named = wishes
            .into_iter()
            .map(|(created, namespace, name, first, count)| {
                (
                    (namespace.clone(), name.clone()),
                    wish_of(created, &namespace, &name, first, count),
                )
            });
        named.collect::<BTreeMap<_, _>>().into_values().collect()
    })
}

fn wish_of(created: usize, namespace: &str, name: &str, first: usize, count: usize) -> Wish {
    wish(created, namespace, name, first..first + count)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_resources_become_known_does_not_matter(
        wishes in wishes(), swaps in proptest::collection::vec(any::<(Index, Index)>(), 0..20),
    ) {
        let mut shuffled = wishes.clone();
        for (one, other) in swaps {
            let length = shuffled.len();
            shuffled.swap(one.index(length), other.index(length));
        }
        prop_assert_eq!(allotted(&shuffled, LIMITS), allotted(&wishes, LIMITS));
    }

    #[test]
    fn a_newcomer_takes_nothing_from_anybody(
        wishes in wishes(), namespace in "[a-e]", first in 0usize..90, count in 0usize..40,
    ) {
        let before = allotted(&wishes, LIMITS);
        let newcomer = wish_of(1000, &namespace, "new", first, count);
        let after = allotted(&[wishes.clone(), vec![newcomer]].concat(), LIMITS);
        for wish in &wishes {
            let kept: BTreeSet<usize> = of(&after, &wish.namespace).into_iter().collect();
            prop_assert!(of(&before, &wish.namespace).iter().all(|number| kept.contains(number)));
        }
    }

    #[test]
    fn nobody_is_below_the_minimum_or_above_the_limit_and_each_wish_is_decided(wishes in wishes()) {
        let allotment = allotted(&wishes, LIMITS);
        let namespaces: BTreeSet<&str> = wishes.iter().map(|wish| wish.namespace.as_str()).collect();
        for namespace in &namespaces {
            let wanted: BTreeSet<usize> = wishes.iter()
                .filter(|wish| wish.namespace == *namespace)
                .flat_map(|wish| wish.shapes.iter().copied())
                .collect();
            let granted = of(&allotment, namespace).len();
            let refused = allotment.refused.get(*namespace).map_or(0, BTreeMap::len);
            prop_assert_eq!(granted + refused, wanted.len());
            prop_assert!(granted >= wanted.len().min(GUARANTEED) && granted <= LIMITS.per_namespace);
        }
        prop_assert!(allotment.plan.len() <= LIMITS.in_all + GUARANTEED * namespaces.len());
    }
}
