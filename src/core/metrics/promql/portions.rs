//! Divides namespaces into portions, so that the query for the histories of each portion is small.

use std::collections::BTreeSet;

use super::{Answer, ByName};

/// Greatest number of bytes in the names of these namespaces.
const MAX_TEXT: usize = 8 << 10;

impl Answer {
    /// Divides these namespaces into portions with at most `pods` pods each. A namespace that alone has more
    /// is a portion of its own.
    #[must_use]
    pub fn portions(&self, namespaces: BTreeSet<String>, pods: usize) -> Vec<BTreeSet<String>> {
        // Namespaces are packed in the order of their names. With a limit of 100 pods, namespaces with 60, 50
        // and 40 pods make the portions 60 and 50 + 40.
        let mut portions: Vec<BTreeSet<String>> = Vec::new();
        let (mut of_pods, mut of_text) = (0, 0);
        for namespace in namespaces {
            let own = self.points.get(&namespace).map_or(0, ByName::count);
            match portions.last_mut() {
                Some(portion) if of_pods + own <= pods && of_text + namespace.len() < MAX_TEXT => {
                    of_pods += own;
                    of_text += namespace.len() + 1;
                    portion.insert(namespace);
                }
                // The first namespace of a portion is taken whatever its size, so that each one is requested.
                _ => {
                    (of_pods, of_text) = (own, namespace.len() + 1);
                    portions.push(BTreeSet::from([namespace]));
                }
            }
        }
        portions
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn namespaces_with_many_pods_are_asked_for_in_portions() {
        let point = crate::metrics::promql::Point::default();
        let points: Vec<_> = [
            ("a", "1"),
            ("a", "2"),
            ("b", "1"),
            ("c", "1"),
            ("c", "2"),
            ("c", "3"),
        ]
        .iter()
        .map(|(namespace, pod)| (*namespace, *pod, point))
        .collect();
        let answer = Answer::of(Duration::ZERO, &points);
        let names =
            |names: &[&str]| -> BTreeSet<String> { names.iter().map(|name| (*name).to_owned()).collect() };
        assert_eq!(
            answer.portions(names(&["a", "b", "c", "d"]), 2),
            [names(&["a"]), names(&["b"]), names(&["c"]), names(&["d"])]
        );
        assert_eq!(
            answer.portions(names(&["a", "b", "c", "d"]), 3),
            [names(&["a", "b"]), names(&["c", "d"])]
        );
        assert_eq!(
            answer.portions(BTreeSet::new(), 3),
            Vec::<BTreeSet<String>>::new()
        );
    }
}
