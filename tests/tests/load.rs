//! What is not a guest of this host is refused when it is loaded, in words that say why.

use crate::support::{
    guests::{HOSTILE, PLAIN, REFERENCE, SOCKETS},
    in_process::{engine, get, memory_service},
};
use host_core::{
    engine::{LoadError, Target, compile},
    limits::Limits,
    runtime::{Runtime, RuntimeOptions},
};

fn refusal(bytes: &[u8]) -> LoadError {
    match engine().load(bytes) {
        Ok(_) => panic!("it was loaded"),
        Err(error) => error,
    }
}

#[test]
fn a_guest_that_asks_for_sockets_is_refused_by_their_name() {
    let LoadError::NotGranted(imports) = refusal(SOCKETS) else {
        panic!("{}", refusal(SOCKETS))
    };
    assert!(
        imports
            .iter()
            .any(|import| import.starts_with("wasi:sockets/tcp@")),
        "{imports:?}"
    );
    for import in &imports {
        let is_known = ["wasi:sockets/", "wasi:filesystem/"]
            .iter()
            .any(|package| import.starts_with(package));
        assert!(is_known, "`{import}` should be granted");
    }
}

#[test]
fn a_component_of_another_world_is_refused() {
    let empty = b"\0asm\x0d\0\x01\0";
    assert_eq!(
        refusal(empty).to_string(),
        "the guest does not export `tenon:handler/handler@0.1.0`; it exports nothing"
    );
}

#[test]
fn what_is_no_component_is_refused() {
    assert!(matches!(refusal(b"\0asm\x01\0\0\0"), LoadError::CoreModule));
    assert!(matches!(refusal(b""), LoadError::NotAComponent));
    assert!(matches!(refusal(b"{}"), LoadError::NotAComponent));
    assert!(matches!(
        refusal(&REFERENCE[..REFERENCE.len() / 2]),
        LoadError::Compile(_)
    ));
}

/// Flipped bytes in an image would load and crash later.
#[test]
fn a_damaged_image_is_refused() {
    let image = compile(HOSTILE, Target::HOST.unwrap()).unwrap();
    assert!(engine().load(&image).is_ok());
    for position in (0..image.len()).step_by(image.len() / 20) {
        let mut damaged = image.clone();
        damaged[position] ^= 1;
        assert!(
            engine().load(&damaged).is_err(),
            "byte {position} of {} is not guarded",
            image.len()
        );
        assert!(
            engine().load(&image[..position]).is_err(),
            "cut at {position} of {}",
            image.len()
        );
    }
}

#[tokio::test]
async fn an_image_answers_as_its_component_does() {
    let image = compile(REFERENCE, Target::HOST.unwrap()).unwrap();
    let mut answers = Vec::new();
    for bytes in [REFERENCE, &image] {
        let guest = engine().load(bytes).unwrap();
        let options = RuntimeOptions {
            limits: Limits::default(),
            ..RuntimeOptions::default()
        };
        let service = memory_service(&Runtime::new(engine(), &guest, options).unwrap());
        answers.push((guest.digest(), get(&service, "/openapi.json").await.payload));
    }
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn an_image_for_another_processor_is_refused() {
    let other = match Target::HOST.unwrap() {
        Target::X86_64 => Target::Aarch64,
        Target::Aarch64 => Target::X86_64,
    };
    let image = compile(PLAIN, other).unwrap();
    let message = refusal(&image).to_string();
    assert!(message.contains(other.name()), "{message}");
}
