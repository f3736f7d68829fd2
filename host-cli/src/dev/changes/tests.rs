use super::*;
use replay::Note;
use serde_json::json;

fn compared(number: u64, path: &str, status: u16, actual: serde_json::Value) -> Compared {
    let expected = json!({"status": 200, "body": {"names": ["a"], "n": 1}});
    let part = DifferingPart {
        part: Part::Response,
        expected: Some(expected),
        actual,
    };
    let notes = part.differences().lines().map(Note::from).collect();
    Compared {
        number,
        request: Some(RequestLine {
            method: "GET".to_owned(),
            path: path.to_owned(),
        }),
        status_before: Some(200),
        comparison: Comparison {
            verdict: Verdict::Differs,
            status: Some(status),
            notes,
            differing: vec![part],
            costs: None,
            is_of_host: false,
        },
    }
}

fn with_verdict(mut compared: Compared, verdict: Verdict) -> Compared {
    compared.comparison.verdict = verdict;
    compared.comparison.differing.clear();
    compared
}

#[test]
fn requests_that_differ_in_the_same_way_are_one_group() {
    let renamed = |name: &str| json!({"status": 200, "body": {"names": [name], "n": 1}});
    let gone = || json!({"status": 404, "body": {"names": ["a"], "n": 1}});
    let mut all = vec![
        compared(2, "/items/0190b1c2", 404, gone()),
        compared(3, "/items/\u{202e}", 200, renamed("b")),
        compared(5, "/items", 200, renamed("b")),
        with_verdict(compared(9, "/items", 200, gone()), Verdict::Same),
        with_verdict(compared(10, "/items", 200, gone()), Verdict::EqualInEffect),
        with_verdict(compared(11, "/items", 200, gone()), Verdict::Unplayable),
    ];
    all.extend((20..26).map(|number| compared(number, "/items", 200, renamed("c"))));
    let comparisons = Comparisons {
        compared: all,
        late: vec![30, 31, 32, 33, 34],
        unreadable: 0,
        left: 3,
    };
    insta::assert_snapshot!(summary(&comparisons), @r#"
    of the last 20 requests, 9 would be answered or written differently:
      7x GET /items 200 (5, 20, 21, 22 and 3 more)
          /body/names/*
          /body/names/0: expected "a", got "b"
      1x GET /items/* 200 -> 404 (2)
          /status
          /status: expected 200, got 404
      1x GET /items/\u202e 200 (3)
          /body/names/*
          /body/names/0: expected "a", got "b"
      1 made other storage calls or log lines only
      1 cannot be replayed
      5 not compared: no answer after 500 ms (30, 31, 32, 33 and 1 more)
      3 not compared: the comparison ends after 2 s
      `d 2` and Enter shows the first in full, `p` writes a page with all
    "#);
}

#[test]
fn what_is_cut_is_counted_and_the_key_for_all_is_named() {
    let value = |names: &str| json!({"status": 200, "body": {"names": [names], "n": 1}});
    let with = |count: usize| {
        let letters = ('a'..='z').take(count);
        let compared = (0..).zip(letters).map(|(number, letter)| {
            let path = format!("/{letter}");
            compared(number, &path, 200, value("b"))
        });
        summary(&Comparisons {
            compared: compared.collect(),
            ..Comparisons::default()
        })
    };
    let last = |text: &str| {
        text.lines()
            .rev()
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let all = last(&with(GROUPS_SHOWN_MAX));
    assert_eq!(all[0], "  `d 0` and Enter shows the first in full");
    assert!(all[1].starts_with("      /body/names/0: "), "{all:?}");
    for (more, said) in [(1, "  and 1 more group"), (3, "  and 3 more groups")] {
        let cut = last(&with(GROUPS_SHOWN_MAX + more));
        assert_eq!(cut[1], said);
        assert_eq!(
            cut[0],
            "  `d 0` and Enter shows the first in full, `p` writes a page with all"
        );
    }
}

#[test]
fn no_difference_is_one_line() {
    let same = with_verdict(compared(1, "/", 200, json!({})), Verdict::Same);
    let comparisons = Comparisons {
        compared: vec![same],
        ..Comparisons::default()
    };
    assert_eq!(
        summary(&comparisons),
        "of the last 1 request, none would be answered or written differently"
    );
    let late = Comparisons {
        late: vec![7],
        ..Comparisons::default()
    };
    assert_eq!(
        summary(&late),
        "of the last 1 request, none was compared\n  1 not compared: no answer after 500 ms (7)"
    );
}

#[test]
fn what_looks_like_an_id_stands_for_all() {
    assert_eq!(
        without_ids("/v1/rooms/blue/days/2026-01-01"),
        "/*/rooms/blue/days/*"
    );
    assert_eq!(without_ids("/users/abcdefghijklmnopqrst/x"), "/users/*/x");
    assert_eq!(without_ids("/"), "/");
}
