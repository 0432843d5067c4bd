//! Inputs that fuzzing has kept (`make fuzz`), checked in every test run.

#[path = "../../tests/fuzz/checks/quantity.rs"]
mod quantity;
#[path = "../../tests/fuzz/checks/query.rs"]
pub(crate) mod query;
#[path = "../../tests/fuzz/replay.rs"]
mod replay;
#[path = "../../tests/fuzz/checks/resource.rs"]
mod resource;
#[path = "../../tests/fuzz/checks/selector.rs"]
mod selector;

use replay::hold;

#[test]
fn kept_selectors_select_the_same_in_both_forms() {
    hold("selector", selector::check);
}

#[test]
fn kept_quantities_are_what_they_say() {
    hold("quantity", quantity::check);
}

#[test]
fn kept_queries_are_bound_in_every_selector() {
    hold("query", query::check);
}

#[test]
fn kept_resources_are_judged() {
    hold("resource", resource::check);
}
