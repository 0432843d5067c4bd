use super::*;

impl Indexed for i32 {
    fn all_of(&self) -> Vec<Term<'_>> {
        Vec::new()
    }

    fn one_of(&self) -> Vec<Term<'_>> {
        Vec::new()
    }
}

/// A budget that selects pods with these labels.
impl Indexed for &[(&'static str, &'static str)] {
    fn all_of(&self) -> Vec<Term<'_>> {
        Vec::new()
    }

    fn one_of(&self) -> Vec<Term<'_>> {
        self.iter()
            .map(|(name, value)| Term::Label(name, value))
            .collect()
    }
}

fn key(name: &str) -> Key {
    ("ns".to_owned(), name.to_owned())
}

fn seen(changes: Vec<Change<i32>>) -> Vec<(String, Option<i32>, Option<i32>)> {
    changes
        .into_iter()
        .map(|change| {
            (
                change.key.1,
                change.before.map(|one| *one),
                change.after.map(|one| *one),
            )
        })
        .collect()
}

#[test]
fn a_change_tells_before_and_after() {
    let cache: Arc<Cache<i32>> = Cache::new();
    let a = || "a".to_owned();
    assert_eq!(seen(vec![cache.put(key("a"), 1)]), [(a(), None, Some(1))]);
    assert_eq!(seen(vec![cache.put(key("a"), 2)]), [(a(), Some(1), Some(2))]);
    assert_eq!(seen(vec![cache.remove(key("a"))]), [(a(), Some(2), None)]);
    assert!(cache.in_namespace("ns").is_empty());
}

#[test]
fn what_a_new_list_no_longer_holds_was_deleted() {
    let cache: Arc<Cache<i32>> = Cache::new();
    cache.replace(vec![(key("gone"), 1), (key("edited"), 1)]);
    assert_eq!(
        seen(cache.replace(vec![(key("edited"), 2), (key("new"), 1)])),
        [
            ("gone".to_owned(), Some(1), None),
            ("edited".to_owned(), Some(1), Some(2)),
            ("new".to_owned(), None, Some(1))
        ]
    );
    assert_eq!(cache.keys(), [key("edited"), key("new")]);
}

#[test]
fn the_cache_is_complete_only_after_the_first_list() {
    let cache: Arc<Cache<i32>> = Cache::new();
    let synced = cache.synced();
    cache.put(key("a"), 1);
    assert!(!*synced.borrow());
    cache.replace(Vec::new());
    assert!(*synced.borrow());
}

#[test]
fn an_object_is_found_by_the_term_that_fewest_have_until_it_goes() {
    type Labels = &'static [(&'static str, &'static str)];
    const ALL: [Labels; 3] = [
        &[("app", "a"), ("team", "voice")],
        &[("app", "b"), ("team", "voice")],
        &[("app", "c"), ("team", "voice")],
    ];
    let cache: Arc<Cache<Labels>> = Cache::new();
    for (name, labels) in ["a", "b", "c"].into_iter().zip(ALL) {
        cache.put(key(name), labels);
    }
    let found = |value: &str| cache.found_by("ns", &Term::Label("app", value)).len();
    assert_eq!([found("b"), found("c"), found("d")], [1, 1, 0]);
    assert!(cache.found_by("ns", &Term::Label("team", "voice")).len() <= 1);
    assert!(cache.found_by("other", &Term::Label("app", "b")).is_empty());
    cache.remove(key("b"));
    assert_eq!(found("b"), 0);
}

#[test]
fn objects_are_found_by_how_their_names_begin() {
    let cache: Arc<Cache<i32>> = Cache::new();
    for (name, value) in [("a", 1), ("a-w", 2), ("a-x", 3), ("ab", 4)] {
        cache.put(key(name), value);
    }
    cache.put(("other".to_owned(), "a-w".to_owned()), 5);
    let named: Vec<i32> = cache.named("ns", "a-").into_iter().map(|one| *one).collect();
    assert_eq!(named, [2, 3]);
    assert_eq!(cache.in_namespace("ns").len(), 4);
}
