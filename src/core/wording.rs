//! Words that several messages share.

/// ` and 3 more`, after a list that names only its first items; empty if none is left out.
pub fn and_more(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        more => format!(" and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_list_has_no_rest() {
        assert_eq!(and_more(0), "");
        assert_eq!(and_more(3), " and 3 more");
    }
}
