use super::*;
use std::{env, fs, os::unix::fs::PermissionsExt, process};

/// The reference guest with a section of this name, so that nobody else has it in the cache.
fn component(name: &str) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap();
    let section = [&[0, length + 1, length], name.as_bytes()].concat();
    [EMBEDDED, &section].concat()
}

/// Native code of the cache runs only for the component that the file has now, and for a file that is found only if nobody else can have
/// written it.
#[test]
fn the_cached_image_of_a_file_is_that_of_its_component() {
    let folder = env::temp_dir().join(format!("tenon-cached-{}", process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).unwrap();
    let set_mode = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    set_mode(&folder, 0o755);
    let path = folder.join("guest.wasm");
    let first = component(&format!("first {}", process::id()));
    fs::write(&path, &first).unwrap();
    set_mode(&path, 0o644);
    let engine = engine(1).unwrap();
    let (found, named) = (
        GuestSource::Found(path.clone()),
        GuestSource::File(path.clone()),
    );
    let is_cached = |source: &GuestSource| source.cached(&engine).is_some();
    assert!(!is_cached(&found) && !is_cached(&named));
    found.load(&engine).unwrap();
    assert!(is_cached(&found) && is_cached(&named));

    set_mode(&path, 0o666);
    assert!(!is_cached(&found) && is_cached(&named));
    assert!(found.load(&engine).is_err());
    set_mode(&path, 0o644);

    // A name that says that it is native code.
    let image = folder.join("guest.cwasm");
    fs::copy(&path, &image).unwrap();
    assert!(!is_cached(&GuestSource::Found(image.clone())));
    assert!(!is_cached(&GuestSource::File(image)));

    fs::write(&path, component(&format!("other {}", process::id()))).unwrap();
    assert!(!is_cached(&found) && !is_cached(&named));
    fs::write(&path, &first).unwrap();
    assert!(is_cached(&found));
    fs::remove_dir_all(folder).unwrap();
}
