//! Matches the requests of two runs to other services, in their order.

use super::items::Pair;
use json::Value;

/// Largest number of pairs that are weighed; longer lists are matched by position.
const WEIGHED_MAX: usize = 1_000_000;

/// What a pair costs: the smallest sum over all requests is chosen.
mod cost {
    /// The same method and URL.
    pub(super) const ALIKE: u32 = 1;
    /// A request that only one run sent.
    pub(super) const ALONE: u32 = 2;
    /// Two requests that share nothing: less than to have both alone, so that a changed URL is shown as that.
    pub(super) const OTHER: u32 = 3;
}

/// Matches requests without changing their order, because services see it: the same ones first, then those with the same method and URL.
pub(super) fn pairs(expected: &[Value], actual: &[Value]) -> Vec<Pair> {
    if expected.len().saturating_mul(actual.len()) > WEIGHED_MAX {
        return by_position(expected.len(), actual.len());
    }
    let costs = costs(expected, actual);
    let width = actual.len() + 1;
    let mut pairs = Vec::with_capacity(expected.len());
    let (mut row, mut column) = (0, 0);
    while row < expected.len() || column < actual.len() {
        let here = costs[row * width + column];
        let below = |rows: usize, columns: usize| costs[(row + rows) * width + column + columns];
        let (mut of_expected, mut of_actual) = (Some(row), Some(column));
        if row == expected.len() {
            of_expected = None;
        } else if column == actual.len() {
            of_actual = None;
        } else if here != below(1, 1) + cost_of(&expected[row], &actual[column]) {
            match here == below(1, 0) + cost::ALONE {
                true => of_actual = None,
                false => of_expected = None,
            }
        }
        row += usize::from(of_expected.is_some());
        column += usize::from(of_actual.is_some());
        pairs.push(Pair {
            expected: of_expected,
            actual: of_actual,
        });
    }
    pairs
}

/// For each position in both lists, row by row, what the requests from there on cost.
fn costs(expected: &[Value], actual: &[Value]) -> Vec<u32> {
    let width = actual.len() + 1;
    let mut costs = vec![0; (expected.len() + 1) * width];
    for row in (0..=expected.len()).rev() {
        for column in (0..width).rev() {
            let at = |row: usize, column: usize| costs[row * width + column];
            let alone = [
                (row < expected.len()).then(|| at(row + 1, column) + cost::ALONE),
                (column < actual.len()).then(|| at(row, column + 1) + cost::ALONE),
            ];
            let together = expected
                .get(row)
                .zip(actual.get(column))
                .map(|(expected, actual)| at(row + 1, column + 1) + cost_of(expected, actual));
            let least = alone.into_iter().chain([together]).flatten().min();
            costs[row * width + column] = least.unwrap_or(0);
        }
    }
    costs
}

fn cost_of(expected: &Value, actual: &Value) -> u32 {
    let is_alike = |name: &str| expected.get(name) == actual.get(name);
    if expected == actual {
        0
    } else if is_alike("method") && is_alike("url") {
        cost::ALIKE
    } else {
        cost::OTHER
    }
}

fn by_position(expected: usize, actual: usize) -> Vec<Pair> {
    let pair = |position: usize| Pair {
        expected: (position < expected).then_some(position),
        actual: (position < actual).then_some(position),
    };
    (0..expected.max(actual)).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn requests(texts: &[&str]) -> Vec<Value> {
        let request = |text: &&str| {
            let mut parts = text.split(' ');
            let mut part = || parts.next().unwrap();
            json!({"method": part(), "url": part(), "body": part()})
        };
        texts.iter().map(request).collect()
    }

    #[test]
    fn requests_are_matched_in_their_order() {
        for (expected, actual, matched) in [
            (&["POST a 1"][..], &["POST a 2"][..], "0-0"),
            (&["POST a 1"], &["POST b 1"], "0-0"),
            (&["POST a 1"], &["GET b -", "POST a 2"], "+0 0-1"),
            (&["POST a 1"], &["POST a 1", "POST a 1"], "0-0 +1"),
            (&["GET b -", "POST a 1"], &["POST a 1"], "0- 1-0"),
            (
                &["GET a -", "GET b -"],
                &["GET b -", "GET a -"],
                "0- 1-0 +1",
            ),
            (&[], &["GET a -"], "+0"),
            (&["GET a -"], &[], "0-"),
            (&[], &[], ""),
        ] {
            let found = pairs(&requests(expected), &requests(actual));
            let found = found.iter().map(|pair| match (pair.expected, pair.actual) {
                (Some(expected), Some(actual)) => format!("{expected}-{actual}"),
                (Some(expected), None) => format!("{expected}-"),
                (None, Some(actual)) => format!("+{actual}"),
                (None, None) => String::new(),
            });
            let found: Vec<_> = found.collect();
            assert_eq!(found.join(" "), matched, "{expected:?} {actual:?}");
        }
        assert_eq!(by_position(2, 1).len(), 2);
    }
}
