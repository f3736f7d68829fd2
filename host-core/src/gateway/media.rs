//! Which media types are text, and so travel in events and answers as they are.

/// Whether gateways take a body of this type for text. Parameters are ignored; without a type nothing is known, which is not text.
pub fn is_text(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else {
        return false;
    };
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let has = |start: &str| {
        essence
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    };
    let ends = |end: &str| {
        let start = essence.len().checked_sub(end.len());
        start
            .and_then(|start| essence.get(start..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    has("text/")
        || ends("+json")
        || ends("+xml")
        || [
            "application/json",
            "application/xml",
            "application/javascript",
            "application/x-www-form-urlencoded",
        ]
        .iter()
        .any(|text| essence.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_by_the_type() {
        for text in [
            "text/html",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "image/svg+xml",
        ] {
            assert!(is_text(Some(text)), "{text}");
        }
        for binary in ["image/png", "application/octet-stream", "", "é"] {
            assert!(!is_text(Some(binary)), "{binary}");
        }
        assert!(!is_text(None));
    }
}
