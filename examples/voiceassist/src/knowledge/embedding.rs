//! A stand-in for an embedding model: deterministic, needs no weights, and costs the CPU time that a flag sets.
//!
//! Each word goes to one of [`DIMENSIONS`] places by a hash, and the vector is scaled to length 1. So texts that share words
//! are near each other: "dose of ibuprofen" and "ibuprofen" have one of three places in common, a similarity of 0.58.

use std::time::Duration;

use crate::clock;

/// Numbers of an embedding.
pub const DIMENSIONS: usize = 64;

/// A vector of length 1, or of zeros where the text has no word.
pub type Embedding = Vec<f32>;

/// Makes embeddings.
#[derive(Clone, Copy, Debug, Default)]
pub struct Embedder {
    /// CPU time that each embedding takes, as a real model would.
    pub cost: Duration,
}

impl Embedder {
    /// The embedding of a text, after its cost. Off the threads that serve requests.
    pub async fn embed(self, text: &str) -> Embedding {
        if !self.cost.is_zero() {
            // A wait would scale nothing: the model's cost is what the HPA sees as CPU.
            let _ = tokio::task::spawn_blocking(move || burn(self.cost)).await;
        }
        embed(text)
    }
}

/// How near two embeddings are: 1 for equal directions, 0 for texts without a common word.
pub fn similarity(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn embed(text: &str) -> Embedding {
    let mut vector = vec![0.0_f32; DIMENSIONS];
    for word in text
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let place = usize::try_from(hash(word) % DIMENSIONS as u64).unwrap_or_default();
        if let Some(number) = vector.get_mut(place) {
            *number += 1.0;
        }
    }
    let length = similarity(&vector, &vector).sqrt();
    if length > 0.0 {
        for number in &mut vector {
            *number /= length;
        }
    }
    vector
}

/// FNV-1a of the word in lower case: the same in every process and version.
fn hash(word: &str) -> u64 {
    word.to_lowercase()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// Works for this time.
pub(crate) fn burn(time: Duration) {
    let began = clock::now();
    let mut number = 1_u64;
    while began.elapsed() < time {
        for _ in 0..1000 {
            number = std::hint::black_box(number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_common_words_are_near() {
        let query = embed("ibuprofen");
        let near = similarity(&query, &embed("The dose of Ibuprofen"));
        assert!((near - 0.5).abs() < 1e-6, "{near}");
        assert!(similarity(&query, &embed("asthma in children")) < near);
        assert!((similarity(&query, &query) - 1.0).abs() < 1e-6);
        assert_eq!(embed("?!"), vec![0.0; DIMENSIONS]);
    }

    #[tokio::test]
    async fn an_embedding_takes_its_cost() {
        let began = clock::now();
        let embedder = Embedder {
            cost: Duration::from_millis(20),
        };
        assert_eq!(embedder.embed("asthma").await, embed("asthma"));
        assert!(began.elapsed() >= Duration::from_millis(20));
    }
}
