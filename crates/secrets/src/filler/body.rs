//! Bodies of requests, and how a value is written in them.

use crate::encoding;

/// What a body consists of, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyForm {
    Json,
    Xml,
    Urlencoded,
    Plain,
}

impl BodyForm {
    /// The form of a body with these header fields; none if it is another one, or fields contradict each other.
    pub(super) fn of(headers: &[(String, String)]) -> Option<Self> {
        let mut types = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
            .map(|(_, value)| value.split(';').next().unwrap_or_default().trim());
        let (Some(media_type), None) = (types.next(), types.next()) else {
            return None;
        };
        let media_type = media_type.to_ascii_lowercase();
        match media_type.as_str() {
            "application/json" => Some(Self::Json),
            "application/xml" | "text/xml" => Some(Self::Xml),
            "application/x-www-form-urlencoded" => Some(Self::Urlencoded),
            "text/plain" => Some(Self::Plain),
            other if other.ends_with("+json") => Some(Self::Json),
            other if other.ends_with("+xml") => Some(Self::Xml),
            _ => None,
        }
    }

    /// Writes a value so that it stays one string, text or parameter; none if the form cannot contain it.
    pub(super) fn write(self, value: &[u8], out: &mut Vec<u8>) -> Option<()> {
        match self {
            Self::Json => encoding::json(str::from_utf8(value).ok()?, out),
            Self::Xml => {
                let text = str::from_utf8(value).ok();
                encoding::xml(text.filter(|text| encoding::is_xml(text))?, out);
            }
            Self::Urlencoded => encoding::percent(value, out),
            Self::Plain => out.extend_from_slice(str::from_utf8(value).ok()?.as_bytes()),
        }
        Some(())
    }
}
