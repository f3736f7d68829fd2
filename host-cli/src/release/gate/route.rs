//! Which requests the promoted guest would get at all: those of its route.

use contract::{limits::Limits, seed::Seed};
use gateway::ParseContext;
use release::Channel;
use rollout::route_of;

/// The requests that one route of a channel answers.
#[derive(Clone, Copy)]
pub struct Answered<'a> {
    /// The generation that the promotion would write.
    pub channel: &'a Channel,
    /// The path of the promoted route.
    pub path: &'a str,
}

impl Answered<'_> {
    /// Whether the route answers the request of an event. What is no request is left to the gate, which says so.
    pub fn takes(self, event: &[u8], base_path: Option<&str>, limits: &Limits) -> bool {
        let context = ParseContext {
            received_at_ms: 0,
            seed: &Seed::new([0; 32]),
            base_path,
        };
        match gateway::parse(event, &context, limits) {
            Ok(event) => route_of(self.channel, &event.request.path)
                .is_some_and(|route| route.path == self.path),
            Err(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contract::digest::Digest;
    use release::{Promotion, Signing, promote};
    use std::time::Duration;

    fn channel() -> Channel {
        let promotion = |path: &str| Promotion {
            digest: Digest::of(path.as_bytes()),
            percent: 100,
            path: path.to_owned(),
            namespace: None,
            environment: Default::default(),
            outgoing: Default::default(),
            replaces_outgoing: false,
            limits: Default::default(),
            select_header: None,
            is_minimum: false,
        };
        let signing = Signing {
            by: "test".to_owned(),
            now_ms: 0,
            valid_for: Duration::from_secs(1),
            newest_generation: 0,
        };
        let name = "items".parse().unwrap();
        let first = promote(&name, None, &promotion("/"), &signing).unwrap();
        promote(&name, Some(&first), &promotion("/pay"), &signing).unwrap()
    }

    #[test]
    fn a_route_answers_what_no_longer_one_does() {
        let channel = channel();
        let takes = |route: &str, event: &str| {
            let answered = Answered {
                channel: &channel,
                path: route,
            };
            answered.takes(event.as_bytes(), None, &Limits::default())
        };
        let event = |path: &str| {
            format!(
                r#"{{"version":"2.0","routeKey":"$default","rawPath":"{path}","rawQueryString":"","headers":{{}},"requestContext":{{"http":{{"method":"GET","path":"{path}"}},"stage":"$default"}},"isBase64Encoded":false}}"#
            )
        };
        for (path, route) in [("/pay/1", "/pay"), ("/payments", "/"), ("/", "/")] {
            for other in ["/", "/pay"] {
                assert_eq!(takes(other, &event(path)), other == route, "{path} {other}");
            }
        }
        assert!(takes("/pay", "{}"), "the gate says that it is no request");
    }
}
