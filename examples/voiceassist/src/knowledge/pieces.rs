//! Documents in pieces that a search can find and show.

/// Characters of a piece, about; it ends at the end of a word.
const LENGTH: usize = 1000;

/// The pieces of a text, in order; together they have all of its words. A word longer than a piece is cut.
pub fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let cut = rest
                .char_indices()
                .nth(LENGTH)
                .map_or(rest.len(), |(index, _)| index);
            let (part, after) = rest.split_at(cut);
            if !piece.is_empty() && piece.len() + 1 + part.len() > LENGTH {
                pieces.push(std::mem::take(&mut piece));
            }
            if !piece.is_empty() {
                piece.push(' ');
            }
            piece.push_str(part);
            rest = after;
        }
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_all_words_and_end_with_one() {
        let text = "asthma ".repeat(500);
        let pieces = pieces(&text);
        assert_eq!(pieces.len(), 4);
        assert!(
            pieces
                .iter()
                .all(|piece| piece.len() <= LENGTH && piece.ends_with("asthma"))
        );
        assert_eq!(
            pieces.iter().map(|piece| piece.split(' ').count()).sum::<usize>(),
            500
        );
    }

    #[test]
    fn a_word_without_end_is_cut_between_characters() {
        let pieces = pieces(&"ä".repeat(2500));
        assert_eq!(
            pieces
                .iter()
                .map(|piece| piece.chars().count())
                .collect::<Vec<_>>(),
            [1000, 1000, 500]
        );
        assert!(super::pieces(" \n ").is_empty());
    }
}
