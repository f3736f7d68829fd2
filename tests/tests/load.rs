//! Files that are not guests of this host are refused at load time, with the reason.

use crate::support::{
    fresh_folder,
    guests::{HOSTILE, PLAIN, REFERENCE, SOCKETS},
    in_process::{engine, get, memory_service},
};
use contract::{compatibility::Target, limits::Limits};
use runtime::{
    Runtime, RuntimeOptions,
    engine::{LoadError, compile},
};
use std::{fs, os::unix::fs::symlink, process::Command};

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
        "the guest does not export `tenon:handler/handler@0.1.0` or `wasi:http/incoming-handler@0.2`; it exports nothing"
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

/// Without the checksum, flipped bytes in an image would load and crash later.
#[test]
fn a_damaged_image_is_refused() {
    let image = compile(HOSTILE, Target::HOST.unwrap()).unwrap();
    assert!(engine().load_image(&image).is_ok());
    for position in (0..image.len()).step_by(image.len() / 20) {
        let mut damaged = image.clone();
        damaged[position] ^= 1;
        assert!(
            engine().load_image(&damaged).is_err(),
            "byte {position} of {} is not guarded",
            image.len()
        );
        assert!(
            engine().load_image(&image[..position]).is_err(),
            "cut at {position} of {}",
            image.len()
        );
    }
}

#[tokio::test]
async fn an_image_answers_as_its_component_does() {
    let image = compile(REFERENCE, Target::HOST.unwrap()).unwrap();
    let mut answers = Vec::new();
    for guest in [engine().load(REFERENCE), engine().load_image(&image)] {
        let guest = guest.unwrap();
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
    let error = engine().load_image(&image).err().unwrap();
    assert!(error.to_string().contains(other.name()), "{error}");
    assert!(error.hint().contains("this processor"), "{}", error.hint());
}

/// A loader of components must not run native code, whatever the bytes are.
#[test]
fn an_image_is_native_code_only_where_it_is_asked_for_by_name() {
    let image = compile(HOSTILE, Target::HOST.unwrap()).unwrap();
    assert!(matches!(refusal(&image), LoadError::NativeCode));
    let folder = fresh_folder("image-names");
    for name in ["guest.wasm", "guest", "guest.cwasm.wasm", "cwasm"] {
        let path = folder.join(name);
        fs::write(&path, &image).unwrap();
        let error = engine().load_file(&path).err().unwrap();
        assert!(matches!(error, LoadError::NativeCode), "{name}: {error}");
        assert!(error.hint().contains(".cwasm"), "{}", error.hint());
    }
    for (name, bytes) in [("guest.cwasm", &*image), ("component.cwasm", HOSTILE)] {
        let path = folder.join(name);
        fs::write(&path, bytes).unwrap();
        let guest = engine().load_file(&path).unwrap();
        assert_eq!(guest.digest(), engine().load(HOSTILE).unwrap().digest());
    }
}

/// Pipes are not waited for, and devices are not read, under either kind of name.
#[test]
fn a_guest_is_read_from_a_regular_file_alone() {
    let folder = fresh_folder("guest-kinds");
    for name in ["guest.wasm", "guest.cwasm"] {
        let path = folder.join(name);
        let refused = |what: &str| {
            let error = engine().load_file(&path).err().unwrap();
            assert!(matches!(error, LoadError::Unreadable(_)), "{error}");
            assert!(error.to_string().contains(what), "{error}");
            fs::remove_file(&path).unwrap();
        };
        let made = Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        refused("not a regular file");
        symlink("/dev/zero", &path).unwrap();
        refused("not a regular file");
        // Layers may consist of links.
        let component = folder.join("component");
        fs::write(&component, HOSTILE).unwrap();
        symlink(&component, &path).unwrap();
        assert!(engine().load_file(&path).is_ok());
        fs::remove_file(&path).unwrap();
    }
    let sparse = folder.join("sparse.wasm");
    fs::File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    let error = engine().load_file(&sparse).err().unwrap();
    assert!(error.to_string().contains("is larger than"), "{error}");
}
