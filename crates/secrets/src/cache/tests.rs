use super::*;
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};
use tokio::{task::JoinSet, time::sleep};

/// Sources whose values, failures and delay a test sets, and a clock that it moves.
#[derive(Clone, Default)]
struct Bench(Arc<Settings>);

#[derive(Default)]
struct Settings {
    values: Mutex<BTreeMap<String, Result<String, FetchErrorClass>>>,
    delay: Mutex<Duration>,
    panics: Mutex<bool>,
    now: Mutex<Duration>,
    fetches: Mutex<Vec<Vec<String>>>,
    at_once: AtomicUsize,
    at_once_max: AtomicUsize,
    failures: Mutex<Vec<RefreshFailure>>,
}

#[async_trait::async_trait]
impl SecretSources for Bench {
    async fn fetch(&self, sources: &[Source]) -> Vec<Result<SecretValue, FetchError>> {
        let texts: Vec<_> = sources.iter().map(Source::to_string).collect();
        self.0.fetches.lock().unwrap().push(texts.clone());
        let at_once = 1 + self.0.at_once.fetch_add(1, Ordering::SeqCst);
        self.0.at_once_max.fetch_max(at_once, Ordering::SeqCst);
        let delay = *self.0.delay.lock().unwrap();
        sleep(delay).await;
        self.0.at_once.fetch_sub(1, Ordering::SeqCst);
        assert!(!*self.0.panics.lock().unwrap(), "planned");
        let values = self.0.values.lock().unwrap();
        let value = |text: &String| match values.get(text) {
            Some(Ok(value)) => Ok(SecretValue::new(value.clone().into()).unwrap()),
            Some(Err(class)) => Err(FetchError::new(*class, "as set")),
            None => Err(FetchError::new(FetchErrorClass::Missing, "not set")),
        };
        texts.iter().map(value).collect()
    }
}

impl Bench {
    fn secrets(&self) -> Secrets {
        let declarations = SecretDeclarations::from_json(
            r#"{
                "a": {"from": "ssm:/a", "hmac": true},
                "b": {"from": "ssm:/b", "hmac": true},
                "c": {"from": "secretsmanager:c", "encoding": "base64", "hmac": true}
            }"#,
        );
        let (clock, failures) = (self.0.clone(), self.0.clone());
        let options = SecretOptions {
            clock: Arc::new(move || SystemTime::UNIX_EPOCH + *clock.now.lock().unwrap()),
            on_failure: Arc::new(move |failure| {
                failures.failures.lock().unwrap().push(failure.clone())
            }),
            ..SecretOptions::default()
        };
        Secrets::new(declarations.unwrap(), Arc::new(self.clone()), options)
    }

    fn set(&self, source: &str, value: Result<&str, FetchErrorClass>) {
        let value = value.map(str::to_owned);
        self.0
            .values
            .lock()
            .unwrap()
            .insert(source.to_owned(), value);
    }

    fn pass(&self, seconds: u64) {
        *self.0.now.lock().unwrap() += Duration::from_secs(seconds);
    }

    fn fetches(&self) -> usize {
        self.0.fetches.lock().unwrap().len()
    }

    fn failures(&self) -> Vec<String> {
        let failures = std::mem::take(&mut *self.0.failures.lock().unwrap());
        let words = |failure: &RefreshFailure| {
            format!(
                "{} {:?} {:?}",
                failure.name,
                failure.error.class,
                failure.age.map(|age| age.as_secs())
            )
        };
        failures.iter().map(words).collect()
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

async fn value(secrets: &Secrets, name: &str) -> Result<String, SecretError> {
    let held = secrets.value(name, soon()).await?;
    Ok(String::from_utf8(held.value.expose().to_vec()).unwrap())
}

/// Until the fetch that nobody waits for has ended.
async fn settle(secrets: &Secrets) {
    secrets.prefetch(soon()).await;
}

#[tokio::test]
async fn a_rotated_value_is_used_without_waiting_for_it() {
    let bench = Bench::default();
    let secrets = bench.secrets();
    bench.set("ssm:/a", Ok("first"));
    bench.set("ssm:/b", Ok("other"));
    assert_eq!(value(&secrets, "a").await.unwrap(), "first");
    // One call for both parameters.
    assert_eq!(value(&secrets, "b").await.unwrap(), "other");
    assert_eq!(*bench.0.fetches.lock().unwrap(), [["ssm:/a", "ssm:/b"]]);
    bench.set("ssm:/a", Ok("second"));
    bench.pass(299);
    assert_eq!(value(&secrets, "a").await.unwrap(), "first");
    assert_eq!(bench.fetches(), 1);
    // Stale: used once more, while it is read.
    bench.pass(1);
    assert_eq!(value(&secrets, "a").await.unwrap(), "first");
    settle(&secrets).await;
    assert_eq!(value(&secrets, "a").await.unwrap(), "second");
    assert_eq!(secrets.with_state(|state| state.known("a")[0].version), 3);
    assert_eq!(secrets.with_state(|state| state.known("b")[0].version), 2);
    // After a long silence, a use waits for the value of today.
    bench.set("ssm:/a", Ok("third"));
    bench.pass(600);
    assert_eq!(value(&secrets, "a").await.unwrap(), "third");
    // A clock that was set back makes nothing older.
    *bench.0.now.lock().unwrap() = Duration::ZERO;
    assert_eq!(value(&secrets, "a").await.unwrap(), "third");
}

#[tokio::test]
async fn many_uses_start_one_fetch() {
    let bench = Bench::default();
    let secrets = bench.secrets();
    bench.set("ssm:/a", Ok("value"));
    *bench.0.delay.lock().unwrap() = Duration::from_millis(50);
    for seconds in [0, 300, 600] {
        bench.pass(seconds);
        let mut uses = JoinSet::new();
        for _ in 0..100 {
            let secrets = secrets.clone();
            uses.spawn(async move { value(&secrets, "a").await.unwrap() });
        }
        assert!(uses.join_all().await.iter().all(|value| value == "value"));
        settle(&secrets).await;
    }
    assert_eq!(
        bench.0.at_once_max.load(Ordering::SeqCst),
        2,
        "one of each kind"
    );
    let fetches = bench.0.fetches.lock().unwrap().clone();
    let of_a = fetches
        .iter()
        .filter(|sources| sources.contains(&"ssm:/a".to_owned()));
    assert_eq!(of_a.count(), 3, "{fetches:?}");
}

#[tokio::test]
async fn an_old_value_serves_for_an_hour_while_its_source_fails() {
    let bench = Bench::default();
    let secrets = bench.secrets();
    bench.set("ssm:/a", Ok("value"));
    bench.set("ssm:/b", Ok("value"));
    assert_eq!(value(&secrets, "a").await.unwrap(), "value");
    for (seconds, class) in [
        (700, FetchErrorClass::Unreachable),
        (700, FetchErrorClass::Throttled),
        (700, FetchErrorClass::Denied),
        (700, FetchErrorClass::Missing),
        (799, FetchErrorClass::Unreachable),
    ] {
        bench.pass(seconds);
        bench.set("ssm:/a", Err(class));
        let before = bench.fetches();
        for _ in 0..10 {
            assert_eq!(value(&secrets, "a").await.unwrap(), "value");
        }
        assert_eq!(
            bench.fetches(),
            before + 1,
            "a failure is not repeated at once"
        );
    }
    assert_eq!(
        bench.failures(),
        [
            "a Unreachable Some(700)",
            "a Throttled Some(1400)",
            "a Denied Some(2100)",
            "a Missing Some(2800)",
            "a Unreachable Some(3599)"
        ]
    );
    bench.pass(5);
    let before = bench.fetches();
    for _ in 0..10 {
        let error = value(&secrets, "a").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "unavailable: the host cannot read secret `a`; its source is unreachable"
        );
    }
    assert_eq!(bench.fetches(), before + 1);
    assert_eq!(bench.failures(), ["a Unreachable None"]);
    // As soon as the source answers, it is used.
    bench.pass(5);
    bench.set("ssm:/a", Ok("new"));
    assert_eq!(value(&secrets, "a").await.unwrap(), "new");
}

#[tokio::test]
async fn a_use_waits_no_longer_than_its_deadline_and_ends_no_fetch() {
    let bench = Bench::default();
    let secrets = bench.secrets();
    bench.set("ssm:/a", Ok("value"));
    *bench.0.delay.lock().unwrap() = Duration::from_millis(100);
    let deadline = Instant::now() + Duration::from_millis(10);
    let error = secrets.value("a", deadline).await.unwrap_err();
    assert_eq!(
        error.error.to_string(),
        "unavailable: the host cannot read secret `a`; its source did not answer in time"
    );
    assert_eq!(value(&secrets, "a").await.unwrap(), "value");
    assert_eq!(bench.fetches(), 1);
    // With a value that may still be used, the deadline is no failure.
    bench.pass(700);
    let deadline = Instant::now() + Duration::from_millis(10);
    assert!(secrets.value("a", deadline).await.is_ok());
}

#[tokio::test]
async fn a_fetch_that_panics_is_one_that_failed() {
    let bench = Bench::default();
    let secrets = bench.secrets();
    bench.set("ssm:/a", Ok("value"));
    *bench.0.panics.lock().unwrap() = true;
    let error = value(&secrets, "a").await.unwrap_err();
    assert_eq!(error.name(), "unavailable");
    assert!(bench.fetches() <= LOOKS_MAX as usize);
    *bench.0.panics.lock().unwrap() = false;
    assert_eq!(value(&secrets, "a").await.unwrap(), "value");
}

#[tokio::test]
async fn secrets_can_be_read_before_their_use() {
    let bench = Bench::default();
    let secrets = bench.secrets();
    bench.set("ssm:/a", Ok("value"));
    bench.set("secretsmanager:c", Ok("dmFsdWU="));
    secrets.prefetch(soon()).await;
    assert_eq!(bench.failures(), ["b Missing None"]);
    *bench.0.delay.lock().unwrap() = Duration::from_secs(60);
    assert_eq!(value(&secrets, "a").await.unwrap(), "value");
    assert_eq!(value(&secrets, "c").await.unwrap(), "value");
    assert_eq!(bench.fetches(), 2);
    let error = value(&secrets, "planted_value").await.unwrap_err();
    assert_eq!(error.name(), "unknown");
    assert!(!format!("{error} {secrets:?}").contains("value"));
}
