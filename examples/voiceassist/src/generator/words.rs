//! Sentences of the generator.

/// What the documents are about. The scenarios of `vas test` search for three of these.
const TOPICS: [&str; 12] = [
    "ibuprofen",
    "asthma",
    "interaction",
    "paracetamol",
    "warfarin",
    "insulin",
    "hypertension",
    "migraine",
    "vaccination",
    "allergy",
    "anaemia",
    "pneumonia",
];

const REST: [&str; 24] = [
    "the",
    "dose",
    "of",
    "for",
    "children",
    "adults",
    "guideline",
    "says",
    "should",
    "be",
    "given",
    "twice",
    "daily",
    "with",
    "food",
    "after",
    "review",
    "risk",
    "is",
    "low",
    "high",
    "patients",
    "treatment",
    "evidence",
];

/// The topic with this number.
pub(super) fn topic(number: u32) -> &'static str {
    pick(&TOPICS, number as usize)
}

/// A text of so many words; about one in six is a topic.
pub(super) fn text(random: &mut fastrand::Rng, words: usize) -> String {
    let mut text = String::with_capacity(words * 8);
    for number in 0..words {
        if number > 0 {
            text.push(' ');
        }
        let draw = random.usize(..);
        text.push_str(if draw.is_multiple_of(6) {
            pick(&TOPICS, draw / 6)
        } else {
            pick(&REST, draw / 6)
        });
    }
    text
}

fn pick(words: &[&'static str], number: usize) -> &'static str {
    words.get(number % words.len()).copied().unwrap_or("the")
}
