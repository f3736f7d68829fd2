//! Who can change a file. What a program finds, and nobody named, is run or believed only if nobody but the user and root can have written it.
//!
//! Many systems give each user a group of their own and let it write new files, so a group that may write is accepted if it has no other
//! member.

use crate::exit::CommandError;
use contract::limits::MIB;
use files::NamedBy;
use std::{
    env, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Root can change every file anyway.
const ROOT: u32 = 0;
const WRITABLE_BY_GROUP: u32 = 0o020;
const WRITABLE_BY_ALL: u32 = 0o002;
/// Largest size of the files that list users and groups.
const ACCOUNTS_BYTES_MAX: u64 = 16 * MIB as u64;

/// Why a file is not trusted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnershipError {
    /// Its owner is neither the user nor root.
    #[error("belongs to another user (id {0})")]
    OtherOwner(u32),
    /// Members of a group other than the user can write it.
    #[error("can be written by others, members of the group with id {0}")]
    SharedGroup(u32),
    /// Everybody can write it.
    #[error("can be written by every user")]
    WritableByAll,
}

impl OwnershipError {
    /// The failure, for what was found at a path.
    pub fn into_failure(self, what: &str, path: &Path) -> CommandError {
        let shown = path.display();
        let what = match path.is_dir() {
            true => format!("folder of the {what}"),
            false => what.to_owned(),
        };
        let mend = match self {
            Self::OtherOwner(_) => {
                "make it yours with `chown`, or run the command as its owner".to_owned()
            }
            Self::SharedGroup(_) => format!("`chmod g-w {shown}`"),
            Self::WritableByAll => format!("`chmod o-w {shown}`"),
        };
        CommandError::environment(format_args!("{what} `{shown}` {self}, who could run code as you"))
            .hint(format_args!(
                "{mend}; if you trust all who can change this project, name its folder with `--project DIR`"
            ))
    }
}

/// Checks a file, the folder that contains it, and, if it is a link, what it refers to. What does not exist cannot do harm.
pub fn check(what: &str, path: &Path) -> Result<(), CommandError> {
    let unreadable = |error: &io::Error| crate::input::cannot_read(path, what, error);
    let path = std::path::absolute(path).map_err(|error| unreadable(&error))?;
    let target = match fs::canonicalize(&path) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(&error)),
    };
    // Who can write to a folder can replace what it contains.
    for part in [path.parent(), Some(&*path), target.parent(), Some(&*target)] {
        let Some(part) = part else {
            continue;
        };
        let metadata = fs::symlink_metadata(part).map_err(|error| unreadable(&error))?;
        check_metadata(&metadata).map_err(|error| error.into_failure(what, part))?;
    }
    Ok(())
}

fn check_metadata(metadata: &fs::Metadata) -> Result<(), OwnershipError> {
    let trusted = trusted_users();
    if !trusted.contains(&metadata.uid()) {
        return Err(OwnershipError::OtherOwner(metadata.uid()));
    }
    // The mode of a link means nothing.
    if metadata.is_symlink() {
        return Ok(());
    }
    if metadata.mode() & WRITABLE_BY_ALL != 0 {
        return Err(OwnershipError::WritableByAll);
    }
    let is_shared = || !Accounts::read().is_private(metadata.gid(), &trusted);
    if metadata.mode() & WRITABLE_BY_GROUP != 0 && is_shared() {
        return Err(OwnershipError::SharedGroup(metadata.gid()));
    }
    Ok(())
}

/// The user and root; for root, also the user who became root with `sudo`, to whom this program's files belong.
fn trusted_users() -> Vec<u32> {
    let own = own_user();
    let caller = env::var("SUDO_UID").ok().filter(|_| own == ROOT);
    let caller = caller.and_then(|id| id.parse().ok());
    [Some(own), Some(ROOT), caller]
        .into_iter()
        .flatten()
        .collect()
}

/// The user that this program runs as.
#[expect(unsafe_code, reason = "the standard library has no such function")]
pub fn own_user() -> u32 {
    // SAFETY: the call only reads an id of this process, and cannot fail.
    unsafe { libc::geteuid() }
}

/// The users and groups of this machine. Those of a directory service are unknown here.
struct Accounts {
    /// `/etc/passwd`
    users: String,
    /// `/etc/group`
    groups: String,
}

impl Accounts {
    fn read() -> Self {
        let text = |path: &str| {
            let bytes = files::read(&PathBuf::from(path), NamedBy::Setting, ACCOUNTS_BYTES_MAX);
            // Without them, only the numbers of user and group are compared.
            String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
        };
        Self {
            users: text("/etc/passwd"),
            groups: text("/etc/group"),
        }
    }

    /// Whether nobody but these users is a member of a group. A group that is not listed is taken for that of the user with the same number.
    fn is_private(&self, group: u32, trusted: &[u32]) -> bool {
        let listed = self.groups.lines().filter_map(|line| {
            let mut fields = line.split(':').skip(2);
            (fields.next()?.parse() == Ok(group)).then(|| fields.next().unwrap_or_default())
        });
        let listed: Vec<&str> = listed.collect();
        let of_users = self.users.lines().filter_map(|line| {
            let mut fields = line.split(':');
            let name = fields.next()?;
            let mut ids = fields.skip(1).map(|id| id.parse::<u32>().ok());
            Some((name, ids.next()??, ids.next()??))
        });
        let of_users: Vec<(&str, u32, u32)> = of_users.collect();
        let is_main_of_others = of_users
            .iter()
            .any(|(_, user, main)| *main == group && !trusted.contains(user));
        let is_trusted_name = |name: &str| {
            let found = of_users.iter().find(|(known, ..)| *known == name);
            found.is_some_and(|(_, user, _)| trusted.contains(user))
        };
        let mut members = listed
            .iter()
            .flat_map(|members| members.split(','))
            .filter(|name| !name.is_empty());
        let is_known = !listed.is_empty() || trusted.contains(&group);
        is_known && !is_main_of_others && members.all(is_trusted_name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    fn scratch(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("tenon-owner-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        set_mode(&folder, 0o755);
        folder
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn message(path: &Path) -> String {
        let failure = check("project file", path).unwrap_err();
        assert!(failure.hint_text().unwrap().contains("--project DIR"));
        failure.message().to_owned()
    }

    #[test]
    fn what_others_can_write_is_refused() {
        let folder = scratch("mode");
        let file = folder.join("file");
        assert!(check("project file", &file).is_ok(), "it does not exist");
        fs::write(&file, "").unwrap();
        for (path, mode) in [(&file, 0o644), (&folder, 0o755)] {
            set_mode(path, mode);
            assert!(check("project file", &file).is_ok());
            set_mode(path, mode | WRITABLE_BY_ALL);
            let expected = format!("`{}` can be written by every user", path.display());
            assert!(message(&file).contains(&expected));
            set_mode(path, mode);
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_link_is_as_good_as_its_target() {
        let (folder, elsewhere) = (scratch("link"), scratch("target"));
        let (link, target) = (folder.join("link"), elsewhere.join("target"));
        fs::write(&target, "").unwrap();
        symlink(&target, &link).unwrap();
        assert!(check("project file", &link).is_ok());
        set_mode(&elsewhere, 0o777);
        assert!(message(&link).contains("-target-"), "its folder is named");
        set_mode(&elsewhere, 0o755);
        set_mode(&target, 0o646);
        assert!(message(&link).contains("by every user"));
        fs::remove_dir_all(folder).unwrap();
        fs::remove_dir_all(elsewhere).unwrap();
    }

    #[test]
    fn another_owner_is_refused() {
        let folder = scratch("owner");
        let file = folder.join("file");
        fs::write(&file, "").unwrap();
        // Only root can give files away.
        if chown(&file, Some(60_001), None).is_ok() {
            assert!(message(&file).contains("belongs to another user (id 60001)"));
            chown(&file, Some(own_user()), None).unwrap();
            chown(&folder, Some(60_001), None).unwrap();
            let expected = format!("`{}` belongs to another user", folder.display());
            assert!(message(&file).contains(&expected));
        } else {
            // It belongs to root, whom everybody trusts.
            assert!(check("project file", Path::new("/etc/passwd")).is_ok());
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_group_is_private_if_it_has_no_other_member() {
        let accounts = Accounts {
            users: "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/:/bin/sh\nbob:x:1001:100::/:\n".to_owned(),
            groups: "root:x:0:\nann:x:1000:\nusers:x:100:\nown:x:7:ann,root\nstaff:x:8:ann,bob\nremote:x:9:carl\n".to_owned(),
        };
        let ann = [1000, 0];
        for (group, is_private) in [
            (1000, true),
            (7, true),
            (0, true),
            (8, false),
            // Bob's main group lists nobody.
            (100, false),
            // Carl is known elsewhere.
            (9, false),
            (2000, false),
        ] {
            assert_eq!(accounts.is_private(group, &ann), is_private, "{group}");
        }
        assert!(
            accounts.is_private(2000, &[2000, 0]),
            "a group of one's own"
        );
    }
}
