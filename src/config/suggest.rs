//! "Did you mean": the known name that is nearest to a mistyped one.

/// Longer names are no typing mistake, and comparing them would cost time for nothing.
const NAME_CHARS_MAX: usize = 64;

/// The nearest of the known names, if it is near enough to have been meant.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.to_lowercase().chars().take(NAME_CHARS_MAX + 1).collect();
    if name.len() > NAME_CHARS_MAX {
        return None;
    }
    let near = name.len() / 3;
    let ranked = known.map(|known| {
        let chars: Vec<char> = known.to_lowercase().chars().collect();
        (distance(&name, &chars), known)
    });
    // `min_by_key` keeps the first of equals, which is the order of the table.
    ranked
        .min_by_key(|(steps, _)| *steps)
        .filter(|(steps, _)| *steps <= near)
        .map(|(_, known)| known)
}

/// Insertions, deletions, replacements and swaps of neighbours that lead from one name to the
/// other.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..=to.len()).collect();
    for (i, &a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in to.iter().enumerate() {
            let replaced = above[j] + usize::from(a != b);
            let mut best = replaced.min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == to[j - 1] && from[i - 1] == b {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(from: &str, to: &str) -> usize {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        distance(&chars(from), &chars(to))
    }

    #[test]
    fn steps_are_counted_both_ways() {
        for (a, b, wanted) in [
            ("", "", 0),
            ("", "abc", 3),
            ("listen", "listen", 0),
            ("lisetn", "listen", 1),
            ("listn", "listen", 1),
            ("listenn", "listen", 1),
            ("lästen", "listen", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!((steps(a, b), steps(b, a)), (wanted, wanted), "{a} {b}");
        }
    }

    #[test]
    fn only_a_near_name_is_suggested() {
        let known = ["listen", "data_dir", "log.format"];
        let nearest = |name: &str| nearest(name, known.into_iter());
        assert_eq!(nearest("LISTEM"), Some("listen"));
        assert_eq!(nearest("datadir"), Some("data_dir"));
        assert_eq!(nearest("log_fromat"), Some("log.format"));
        for far in ["", "x", "colour", &"listen".repeat(100)] {
            assert_eq!(nearest(far), None, "{far}");
        }
    }
}
