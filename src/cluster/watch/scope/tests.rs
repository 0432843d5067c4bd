//! The watch of several namespaces, with each namespace as a script.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
};

use kube::{core::Status, runtime::watcher::Error};

use super::*;

/// Why a namespace cannot be read.
#[derive(Clone, Copy)]
enum Trouble {
    Broken,
    Forbidden,
}

impl From<Trouble> for Error {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Broken => Self::NoResourceVersion,
            Trouble::Forbidden => {
                let status = Status::failure("may not list it", "Forbidden").with_code(403);
                Self::InitialListFailed(kube::Error::Api(status.boxed()))
            }
        }
    }
}

/// Time between two tries of a namespace.
const TRY: Duration = Duration::from_secs(20);

type Script = Vec<Result<Event<&'static str>, Trouble>>;

/// One script for each namespace and each time that all are read; the last ones go on for ever without an event.
async fn events_of(rounds: Vec<Vec<Script>>) -> Vec<String> {
    let rounds = Arc::new(Mutex::new(VecDeque::from(rounds)));
    let begin = move || {
        let round = rounds
            .lock()
            .unwrap()
            .pop_front()
            .expect("one more round than scripted");
        let watches = round.into_iter().map(|script| {
            let events = stream::iter(script).then(|event| async {
                // As the backoff of a watch does, before it begins again.
                if matches!(event, Ok(Event::Init)) {
                    tokio::time::sleep(TRY).await;
                }
                event.map_err(Error::from)
            });
            events.chain(stream::pending()).boxed()
        });
        watches.collect::<VecDeque<Watch<&'static str>>>()
    };
    let seen = RefCell::new(Vec::new());
    let reading = merged(begin).for_each(|event| {
        seen.borrow_mut().push(match event {
            Ok(Event::Init) => "init".to_owned(),
            Ok(Event::InitApply(object)) => format!("list {object}"),
            Ok(Event::InitDone) => "done".to_owned(),
            Ok(Event::Apply(object)) => format!("apply {object}"),
            Ok(Event::Delete(object)) => format!("delete {object}"),
            Err(_) => "failed".to_owned(),
        });
        std::future::ready(())
    });
    let ended = tokio::time::timeout(Duration::from_secs(3600), reading).await;
    assert!(ended.is_err(), "a watch goes on for ever");
    seen.into_inner()
}

fn listed(names: &[&'static str]) -> Script {
    let mut script = vec![Ok(Event::Init)];
    script.extend(names.iter().map(|name| Ok(Event::InitApply(*name))));
    script.push(Ok(Event::InitDone));
    script
}

fn then(mut script: Script, more: impl IntoIterator<Item = Result<Event<&'static str>, Trouble>>) -> Script {
    script.extend(more);
    script
}

#[tokio::test(start_paused = true)]
async fn several_namespaces_are_one_list_and_then_one_watch() {
    let a = then(listed(&["a1"]), [Ok(Event::Apply("a2"))]);
    let b = then(listed(&["b1"]), [Ok(Event::Delete("b1"))]);
    let mut seen = events_of(vec![vec![a, b]]).await;
    // Which namespace changes first is nobody's business.
    seen[4..].sort();
    assert_eq!(
        seen,
        ["init", "list a1", "list b1", "done", "apply a2", "delete b1"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_must_be_read_again_is_read_with_all_others_and_loses_them_nothing() {
    let rounds = vec![
        vec![
            listed(&["a1"]),
            then(listed(&["b1"]), [Err(Trouble::Broken), Ok(Event::Init)]),
        ],
        vec![listed(&["a1"]), listed(&["b2"])],
    ];
    let expected = [
        "init", "list a1", "list b1", "done", "failed", "init", "list a1", "list b2", "done",
    ];
    assert_eq!(events_of(rounds).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_cannot_be_read_lets_the_others_first_and_the_list_waits_for_it() {
    let refused = vec![
        Ok(Event::Init),
        Err(Trouble::Broken),
        Ok(Event::Init),
        Err(Trouble::Broken),
    ];
    let seen = events_of(vec![vec![refused.clone(), listed(&["b1"])]]).await;
    assert_eq!(seen, ["init", "failed", "list b1", "failed"]);
    let granted = then(refused, listed(&["a1"]));
    let seen = events_of(vec![vec![granted, listed(&["b1"])]]).await;
    assert_eq!(seen, ["init", "failed", "list b1", "failed", "list a1", "done"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_breaks_off_in_the_middle_is_not_counted() {
    let broken = vec![
        Ok(Event::Init),
        Ok(Event::InitApply("a1")),
        Err(Trouble::Broken),
        Ok(Event::Init),
    ];
    let rounds = vec![
        vec![broken, listed(&["b1"])],
        vec![listed(&["a2"]), listed(&["b1"])],
    ];
    let expected = ["init", "list a1", "failed", "init", "list a2", "list b1", "done"];
    assert_eq!(events_of(rounds).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_stays_forbidden_is_passed_over_until_it_can_be_read() {
    let refused = [Ok(Event::Init), Err(Trouble::Forbidden)];
    let deleted: Script = refused.iter().cloned().cycle().take(20).collect();
    let b = then(listed(&["b1"]), [Ok(Event::Apply("b2"))]);
    let seen = events_of(vec![vec![deleted, b.clone()]]).await;
    let done = seen
        .iter()
        .position(|event| event == "done")
        .expect("the others do not wait");
    assert!(seen[..done].contains(&"list b1".to_owned()), "{seen:?}");
    assert!(seen[done..].contains(&"apply b2".to_owned()), "{seen:?}");
    assert_eq!(
        seen.iter().filter(|event| *event == "init").count(),
        1,
        "{seen:?}"
    );

    let granted: Script = refused
        .iter()
        .cloned()
        .cycle()
        .take(16)
        .chain(listed(&["a1"]))
        .collect();
    let again = vec![listed(&["a1"]), listed(&["b2"])];
    let seen = events_of(vec![vec![granted, b], again]).await;
    assert_eq!(seen[seen.len() - 4..], ["init", "list a1", "list b2", "done"]);
}

#[tokio::test(start_paused = true)]
async fn a_right_that_comes_late_loses_nothing() {
    let late = then(vec![Ok(Event::Init), Err(Trouble::Forbidden)], listed(&["a1"]));
    let seen = events_of(vec![vec![late, listed(&["b1"])]]).await;
    assert_eq!(seen, ["init", "failed", "list b1", "list a1", "done"]);
}

#[test]
fn a_scope_is_all_namespaces_or_those_that_are_named_once() {
    let of = |names: &[&str]| Scope::of(names.iter().map(|name| (*name).to_owned()));
    assert_eq!(of(&[]).to_string(), "all namespaces");
    assert_eq!(of(&["shop", "orders", "shop"]).to_string(), "orders, shop");
    assert_eq!(of(&[]), Scope::default());
}
