//! Why an outgoing request has no response.

/// Why there is no response. The variants are those of `wit/outgoing.wit`; the texts are for people, and contain neither query nor header
/// nor body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutgoingError {
    /// The request is not valid HTTP, or over a limit. Nothing was sent.
    #[error("invalid outgoing request: {0}")]
    InvalidRequest(String),
    /// No grant covers the request, or its name resolves to an address that is not granted. Nothing was sent.
    #[error("not granted: {0}")]
    NotGranted(String),
    /// The server could not be reached, in time or at all. Nothing was sent, so that trying again repeats nothing.
    #[error("unreachable: {0}")]
    Unreachable(String),
    /// The request was sent, at least in part, and there is no whole response. Whether the server acted on it is unknown.
    #[error("outcome unknown: {0}")]
    OutcomeUnknown(String),
    /// The server answered with more than the limit.
    #[error("response too large: {0}")]
    ResponseTooLarge(String),
}

impl OutgoingError {
    /// Its name on tapes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid-request",
            Self::NotGranted(_) => "not-granted",
            Self::Unreachable(_) => "unreachable",
            Self::OutcomeUnknown(_) => "outcome-unknown",
            Self::ResponseTooLarge(_) => "response-too-large",
        }
    }

    /// What happened, without the name.
    pub fn detail(&self) -> &str {
        match self {
            Self::InvalidRequest(detail)
            | Self::NotGranted(detail)
            | Self::Unreachable(detail)
            | Self::OutcomeUnknown(detail)
            | Self::ResponseTooLarge(detail) => detail,
        }
    }

    /// The error of this name.
    pub fn from_name(name: &str, detail: String) -> Option<Self> {
        Some(match name {
            "invalid-request" => Self::InvalidRequest(detail),
            "not-granted" => Self::NotGranted(detail),
            "unreachable" => Self::Unreachable(detail),
            "outcome-unknown" => Self::OutcomeUnknown(detail),
            "response-too-large" => Self::ResponseTooLarge(detail),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_errors() {
        let detail = || "why".to_owned();
        for error in [
            OutgoingError::InvalidRequest(detail()),
            OutgoingError::NotGranted(detail()),
            OutgoingError::Unreachable(detail()),
            OutgoingError::OutcomeUnknown(detail()),
            OutgoingError::ResponseTooLarge(detail()),
        ] {
            let again = OutgoingError::from_name(error.name(), error.detail().to_owned());
            assert_eq!(again, Some(error));
        }
        assert_eq!(OutgoingError::from_name("unavailable", detail()), None);
    }
}
