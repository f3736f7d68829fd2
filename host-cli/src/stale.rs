//! Guests that are older than their sources: what a command says of such a guest is not about what the developer has written.

use crate::{build::GuestBuild, dev::watch::Watched, output, project::Project};
use std::{fs, path::Path};

/// Warns if a source of the project was changed after its guest was built, and the guest is not another, named one. For any language: the project
/// file says what the sources are (`watch`) and what builds them.
pub fn warn(project: Option<&Project>, named: Option<&Path>) {
    if let Some(warning) = project.and_then(|project| warning(project, named)) {
        output::remark(&format!("{warning}\n"));
    }
}

fn warning(project: &Project, named: Option<&Path>) -> Option<String> {
    if project.file.guest.watch.is_empty() {
        // Otherwise each tape in the project's folder would be a source.
        return None;
    }
    let build = GuestBuild::of(project, named)?;
    let component = project.component()?;
    let built = fs::metadata(&component).ok()?.modified().ok()?;
    let watched = Watched {
        sources: project.sources(),
        project_file: Some(project.path_of_file()),
        outputs: vec![component.clone()],
    };
    let source = watched.changed_since(built)?;
    Some(format!(
        "warning: `{}` was changed after `{}` was built; build it with `{}`",
        source.display(),
        component.display(),
        build.command()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::File,
        time::{Duration, SystemTime},
    };

    #[test]
    fn a_guest_that_is_older_than_a_source_is_named() {
        let folder = std::env::temp_dir().join(format!("tenon-stale-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for name in ["src/deep", "src/node_modules"] {
            fs::create_dir_all(folder.join(name)).unwrap();
        }
        let write = |name: &str, text: &str, hours: u64| {
            fs::write(folder.join(name), text).unwrap();
            let file = File::options()
                .append(true)
                .open(folder.join(name))
                .unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(3600 * hours);
            file.set_modified(time).unwrap();
        };
        let file = "[guest]\nbuild = \"tenon-build\"\ncomponent = \"src/guest.wasm\"\n";
        let watch = "watch = [\"src\", \"package.json\"]\n";
        write("tenon.toml", &format!("{file}{watch}"), 9);
        write("src/deep/index.ts", "", 2);
        write("src/guest.wasm", "", 3);
        // None of these is a source.
        write("src/node_modules/index.js", "", 9);
        write("README.md", "", 9);
        let warning = |named: Option<&Path>| {
            warning(&Project::named(&folder).unwrap(), named)
                .map(|text| text.replace(&format!("{}/", folder.display()), ""))
        };
        assert_eq!(warning(None), None);
        write("src/deep/index.ts", "", 4);
        let expected = "warning: `src/deep/index.ts` was changed after `src/guest.wasm` was built; build it with `tenon-build`";
        assert_eq!(warning(None).as_deref(), Some(expected));
        assert_eq!(warning(Some(Path::new("other.wasm"))), None);
        write("src/deep/index.ts", "", 2);
        write("package.json", "", 5);
        assert!(warning(None).unwrap().contains("`package.json`"));
        write("tenon.toml", file, 9);
        assert_eq!(warning(None), None);
        write("tenon.toml", &format!("{file}{watch}"), 9);
        fs::remove_file(folder.join("src/guest.wasm")).unwrap();
        assert_eq!(warning(None), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
