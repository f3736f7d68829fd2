//! A store in memory behind the rules of the hosts, and the request that uses it.

use crate::{answer::Answer, call::Question};
use contract::seed::Seed;
use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};
use storage::{Call, CursorKey, MemoryStorage, Namespace, Storage as _, StorageError, Tenant};

/// A store, and the request that it answers at the time.
pub struct Store {
    tenant: Tenant,
    call: Call,
    random: ChaCha12Rng,
}

impl Default for Store {
    fn default() -> Self {
        let seed = Seed::new([0; 32]);
        Self {
            tenant: Tenant::new(
                Arc::new(MemoryStorage::new()),
                Namespace::local(),
                CursorKey::new([0; 32]),
            ),
            call: Call::new(0, &seed, None),
            random: seed.guest_random(),
        }
    }
}

impl Store {
    /// Answers a call. A text that is none is a mistake of the caller, and its result says so as `invalid`.
    pub fn answer(&mut self, text: &[u8]) -> String {
        let answer = self.perform(text);
        match serde_json::to_string(&answer) {
            Ok(text) => text,
            Err(_) => r#"{"error":{"tag":"internal"}}"#.to_owned(), // no type here can fail
        }
    }

    fn perform(&mut self, text: &[u8]) -> Answer {
        #[expect(
            clippy::disallowed_methods,
            reason = "the type has named members, and the text is of a test's own"
        )]
        let question = match serde_json::from_slice(text) {
            Ok(question) => question,
            Err(error) => return Err(StorageError::Invalid(error.to_string())).into(),
        };
        match question {
            Question::Begin { now_ms, seed } => match seed.parse::<Seed>() {
                Ok(seed) => {
                    self.call = Call::new(now_ms, &seed, None);
                    self.random = seed.guest_random();
                    Answer::text(seed.request_id())
                }
                Err(error) => Err(StorageError::Invalid(error.to_string())).into(),
            },
            Question::Random => Answer::text(format!("{:016x}", self.random.next_u64())),
            other => self.ask(other).into(),
        }
    }

    fn ask(&self, question: Question) -> Result<storage::StorageResponse, StorageError> {
        let request = question.into_request()?.ok_or(StorageError::Internal)?;
        let future = pin!(self.tenant.perform(&self.call, request));
        // The store in memory responds at once.
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(StorageError::Internal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(store: &mut Store, question: &str) -> String {
        store.answer(question.as_bytes())
    }

    #[test]
    fn a_call_and_its_result_are_json_in_the_shapes_of_a_component() {
        let mut store = Store::default();
        let seed = "07".repeat(32);
        let begin = format!(r#"{{"begin":{{"nowMs":1767225600000,"seed":"{seed}"}}}}"#);
        assert_eq!(ask(&mut store, &begin).len(), r#"{"ok":""}"#.len() + 32);

        let key = r#""key":{"partition":"p","sort":"s"}"#;
        let put = format!(
            r#"{{"put":{{{key},"document":"{{\"b\":1.0,\"a\":2}}","options":{{"precondition":{{"tag":"absent"}},"index":null,"expiresAt":null}}}}}}"#
        );
        assert!(ask(&mut store, &put).starts_with(r#"{"ok":{"tag":"done","val":""#));
        let lost = ask(&mut store, &put);
        assert!(
            lost.starts_with(
                r#"{"ok":{"tag":"precondition-failed","val":{"document":"{\"a\":2,\"b\":1}""#
            ),
            "{lost}"
        );
        let missing = r#"{"get":{"key":{"partition":"p","sort":"t"},"consistency":"strong"}}"#;
        assert_eq!(ask(&mut store, missing), r#"{"ok":null}"#);
        let page = r#"{"query":{"partition":"p","consistency":"strong","options":{"range":{"tag":"between","val":["a","z"]},"direction":"ascending","limit":5,"cursor":null}}}"#;
        let page = ask(&mut store, page);
        assert!(
            page.ends_with(r#""index":null,"expiresAt":null}}],"cursor":null}}"#),
            "{page}"
        );
        let transact = format!(
            r#"{{"transact":{{"operations":[{{"tag":"delete","val":{{{key},"precondition":{{"tag":"revision","val":"x"}}}}}}],"token":null}}}}"#
        );
        let lost = ask(&mut store, &transact);
        assert!(
            lost.starts_with(r#"{"ok":{"tag":"precondition-failed","val":{"position":0,"#),
            "{lost}"
        );
    }

    #[test]
    fn the_rules_are_those_of_the_hosts() {
        let mut store = Store::default();
        let question = r#"{"get":{"key":{"partition":"","sort":"s"},"consistency":"strong"}}"#;
        assert_eq!(
            ask(&mut store, question),
            r#"{"error":{"tag":"invalid","val":"the partition is empty"}}"#
        );
        let unknown = ask(&mut store, r#"{"drop":{}}"#);
        assert!(
            unknown.starts_with(r#"{"error":{"tag":"invalid","#),
            "{unknown}"
        );
    }
}
