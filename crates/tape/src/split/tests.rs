use super::*;
use contract::limits::LOG_EVENT_BYTES_MAX;

fn long_line() -> Vec<u8> {
    let text = "é\"\\\u{1}\n x".repeat(60_000);
    serde_json::json!({"tenon_tape": 1, "text": text})
        .to_string()
        .into_bytes()
}

#[test]
fn a_long_line_is_split_within_the_bound_and_joined_in_any_order() {
    let line = long_line();
    let parts = split(line.clone(), LOG_EVENT_BYTES_MAX);
    assert!(parts.len() > 2);
    for part in &parts {
        assert!(
            part.len() + OVERHEAD_BYTES <= LOG_EVENT_BYTES_MAX,
            "{}",
            part.len()
        );
        assert!(is_part(part) && !part.contains(&b'\n'));
    }
    let mut joiner = Joiner::default();
    for part in parts[1..].iter().rev() {
        assert!(joiner.add(part).unwrap().is_none());
        assert!(joiner.add(part).unwrap().is_none(), "delivered twice");
    }
    assert_eq!(joiner.incomplete(), 1);
    assert_eq!(joiner.missing()[0].gaps, [(0, 0)]);
    assert_eq!(joiner.add(&parts[0]).unwrap().unwrap(), line);
    assert_eq!(joiner.missing(), []);
    assert_eq!((joiner.incomplete(), joiner.bytes), (0, 0));
}

#[test]
fn a_short_line_stays_whole() {
    assert_eq!(split(b"{}".to_vec(), LOG_EVENT_BYTES_MAX), [b"{}"]);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    let parts = split(long_line(), LOG_EVENT_BYTES_MAX);
    let changed = |part: &[u8], from: &str, to: &str| {
        String::from_utf8(part.to_vec())
            .unwrap()
            .replacen(from, to, 1)
            .into_bytes()
    };
    let mut joiner = Joiner::default();
    assert!(matches!(joiner.add(b"{}"), Err(JoinError::Malformed(_))));
    let impossible = changed(&parts[0], "\"tenon_tape_part\":0", "\"tenon_tape_part\":99");
    assert!(matches!(
        joiner.add(&impossible),
        Err(JoinError::Number { .. })
    ));
    joiner.add(&changed(&parts[0], "é", "e")).unwrap();
    let mut last = Ok(None);
    for part in &parts[1..] {
        last = joiner.add(part);
    }
    assert!(matches!(last, Err(JoinError::Damaged)));
    assert_eq!((joiner.incomplete(), joiner.missing()), (0, vec![]));
    // It is reported once, and later parts may still complete the line.
    assert!(joiner.add(&parts[1]).unwrap().is_none());
    assert_eq!(joiner.add(&parts[0]).unwrap().unwrap(), long_line());
    assert_eq!((joiner.open.len(), joiner.bytes), (0, 0));
}

#[test]
fn parts_that_claim_to_be_of_another_line_take_no_others_place() {
    let line = long_line();
    let parts = split(line.clone(), LOG_EVENT_BYTES_MAX * 3 / 2);
    let of = parts.len();
    assert!(of > 2);
    let forged = |number: usize, of: usize, text: &str| {
        let digest = Digest::of(&line).to_string();
        let part = serde_json::json!({"tenon_tape_part": number, "of": of, "sha256": digest, "text": text});
        part.to_string().into_bytes()
    };
    // Before and between the parts: several for one part, with another count, and for every part.
    for at in 0..of {
        for (texts, places) in [
            (&["x", "", "y"][..], at..at + 1),
            (&["x"], 0..at),
            (&["x"], at..of),
        ] {
            let mut joiner = Joiner::default();
            let mut joined = Vec::new();
            for (number, part) in parts.iter().enumerate() {
                if number == at {
                    for text in texts {
                        for place in places.clone() {
                            joined.extend(joiner.add(&forged(place, of, text)).ok().flatten());
                        }
                        assert!(joiner.add(&forged(0, of + 1, text)).unwrap().is_none());
                    }
                }
                joined.extend(joiner.add(part).ok().flatten());
            }
            assert_eq!(joined, [line.as_slice()], "{at} {texts:?} {places:?}");
            assert!(joiner.bytes <= TAPE_PARTS_BYTES_MAX);
        }
    }
    let mut joiner = Joiner::default();
    assert!(
        joiner
            .add(&forged(0, of, &"x".repeat(TAPE_LINE_BYTES_MAX)))
            .unwrap()
            .is_none()
    );
    let joined: Vec<Vec<u8>> = parts
        .iter()
        .filter_map(|part| joiner.add(part).ok().flatten())
        .collect();
    assert_eq!(
        joined,
        [line.as_slice()],
        "a long text takes no other's place either"
    );
}

#[test]
fn what_forged_parts_take_is_bounded() {
    let mut joiner = Joiner::default();
    let mut damaged = 0;
    for text in 0..100 {
        for number in 0..10 {
            let text = text.to_string().repeat(100);
            let result = joiner.add(&part(number, 10, 1, &text));
            damaged += usize::from(matches!(result, Err(JoinError::Damaged)));
            let open = joiner.open.values().next().unwrap();
            assert!(open.pieces.values().all(|texts| texts.len() <= TEXTS_MAX));
            assert!(open.bytes <= 10 * TEXTS_MAX * (200 + PIECE_BYTES));
        }
    }
    assert_eq!(damaged, 1, "told once");
    assert_eq!((joiner.open.len(), joiner.incomplete()), (1, 0));
}

fn part(number: usize, of: usize, line: u64, text: &str) -> Vec<u8> {
    let digest = Digest::of(&line.to_be_bytes()).to_string();
    serde_json::json!({"tenon_tape_part": number, "of": of, "sha256": digest, "text": text})
        .to_string()
        .into_bytes()
}

#[test]
fn missing_parts_are_named_in_few_words() {
    let mut joiner = Joiner::default();
    for number in [2, 3, 6] {
        joiner.add(&part(number, 8, 1, "x")).unwrap();
    }
    joiner.add(&part(0, 2, 2, "x")).unwrap();
    for number in 0..PARTS_MAX / 2 {
        joiner.add(&part(2 * number, PARTS_MAX, 3, "x")).unwrap();
    }
    joiner.add(&part(0, 2, 4, "x")).unwrap();
    let words: Vec<String> = joiner.missing().iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "parts 0 to 1, 4 to 5, 7 (of 0 to 7) of the line cd2662154e6d",
            "part 1 (of 0 to 1) of the line cd04a4754498",
            "parts 1, 3, 5, 7, 9, 11, 13, 15 and more (of 0 to 4095) of the line d5688a52d55a",
        ]
    );
}

#[test]
fn parts_of_many_lines_take_no_more_than_the_bound() {
    let mut joiner = Joiner::default();
    let lines = TAPE_PARTS_BYTES_MAX / (OPEN_BYTES + PIECE_BYTES) + 1_000;
    for line in 0..lines as u64 {
        let part = part(PARTS_MAX - 1, PARTS_MAX, line, "");
        assert!(joiner.add(&part).unwrap().is_none());
        assert!(joiner.bytes <= TAPE_PARTS_BYTES_MAX);
    }
    assert_eq!(joiner.open.len(), joiner.by_age.len());
    assert_eq!(joiner.incomplete(), lines, "what was given up counts");
    // The newest remain, and a complete line is still returned.
    let line = long_line();
    let parts = split(line.clone(), LOG_EVENT_BYTES_MAX);
    let joined = parts
        .iter()
        .filter_map(|part| joiner.add(part).unwrap())
        .next();
    assert_eq!(joined.unwrap(), line);
}

#[test]
fn parts_of_a_line_that_is_too_long_are_let_go() {
    let mut joiner = Joiner::default();
    let text = "x".repeat(TAPE_LINE_BYTES_MAX / 2);
    joiner.add(&part(0, 4, 1, &text)).unwrap();
    joiner.add(&part(1, 4, 1, &text)).unwrap();
    assert!(matches!(
        joiner.add(&part(2, 4, 1, "x")),
        Err(JoinError::TooLong)
    ));
    assert_eq!((joiner.open.len(), joiner.bytes), (0, 0));
    assert_eq!(joiner.incomplete(), 1);
}
