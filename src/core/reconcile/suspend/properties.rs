//! Properties of suspension texts: a written text is read back unchanged, and any text is read or refused
//! briefly.

use proptest::prelude::*;

use super::{Reason, Suspension, Workloads, suspension::LONGEST};

fn suspension() -> impl Strategy<Value = Suspension> {
    let names = prop::collection::vec("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", 0..16);
    let until =
        prop::option::of((-10_000_000_000_i64..100_000_000_000).prop_map(|second| {
            jiff::Timestamp::from_second(second).expect("within the range of time stamps")
        }));
    let reason = "[ =,a-zé\u{202e}]{0,60}";
    (names, until, reason).prop_map(|(names, until, reason)| Suspension {
        workloads: Workloads::of(names.iter().map(String::as_str)).expect("names"),
        until,
        reason: Reason::of(&reason).expect("one short line"),
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(suspension in suspension()) {
        let text = suspension.to_string();
        prop_assert!(text.len() <= LONGEST);
        prop_assert_eq!(text.parse::<Suspension>(), Ok(suspension));
    }

    #[test]
    fn any_text_is_read_as_what_it_says_or_refused_in_few_words(text in any::<String>()) {
        match text.parse::<Suspension>() {
            Ok(suspension) => prop_assert_eq!(suspension.to_string().parse::<Suspension>(), Ok(suspension)),
            Err(error) => prop_assert!(error.to_string().len() < 1024),
        }
    }

    #[test]
    fn texts_of_known_words_are_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "workloads=a", "workloads=a,b", "workloads=", "until=2026-11-28T12:00:00Z", "until=", "reason=x", "reason=", "a", "=", "\t", "",
        ]), 0..6)
    ) {
        let text = words.join(" ");
        if let Ok(suspension) = text.parse::<Suspension>() {
            prop_assert_eq!(suspension.to_string().parse::<Suspension>(), Ok(suspension));
        }
    }
}
