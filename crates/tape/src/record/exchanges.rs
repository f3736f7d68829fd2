//! What is noted of exchanges with other services.

/// Recorded exchanges of a request with other services.
#[derive(Default)]
pub(super) struct NotedExchanges {
    pub(super) exchanges: Vec<NotedExchange>,
    pub(super) bytes: usize,
    /// Number of exchanges after the limit was reached, which are not in `exchanges`.
    pub(super) omitted_count: u32,
}

/// An exchange: its members, without the brackets.
pub(super) struct NotedExchange {
    pub(super) text: Vec<u8>,
}

impl NotedExchanges {
    /// So many exchanges, none of which is recorded.
    pub(super) fn omitted(count: u32) -> Self {
        Self {
            omitted_count: count,
            ..Self::default()
        }
    }

    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.exchanges.len()).unwrap_or(u32::MAX)
    }

    /// The elements of the array of exchanges. One that had no result when the request ended is recorded without one.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.bytes + 2 * self.exchanges.len());
        for (position, exchange) in self.exchanges.iter().enumerate() {
            if position > 0 {
                text.push(b',');
            }
            text.extend_from_slice(&exchange.text);
            text.push(b'}');
        }
        text
    }
}
