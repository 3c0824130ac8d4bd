//! Control groups, of both versions, from the process's own up to the mount's root.
//!
//! `/proc/self/cgroup` names the group; `/proc/self/mountinfo` tells where its hierarchy is mounted and
//! which folder of it the mount shows. All mounts of the hierarchy are tried, those first that show the
//! group itself. In a container the mount shows the container's group, and a name that does not begin with
//! it, or leads out of it, stands for the mount itself.
//!
//! A group is seen when a mount shows its folder, or memory files where the container's group must be. One
//! that has a name and is not seen may have any limit, which is an error; the root group `/` has none of
//! its own. Where the first version has the memory controller, the second one says nothing about memory.
//!
//! Reference: the kernel's documentation, Control group v2 and Memory resource controller (v1).

use std::path::{Path, PathBuf};

use super::{Bound, Machine, Source};
use crate::{Error, Result};

/// The words of one version.
struct Words {
    limits: &'static [&'static str],
    current: &'static str,
    inactive: &'static str,
}

const SECOND: Words = Words {
    limits: &["memory.max", "memory.high"],
    current: "memory.current",
    inactive: "inactive_file ",
};
const FIRST: Words = Words {
    limits: &["memory.limit_in_bytes"],
    current: "memory.usage_in_bytes",
    inactive: "total_inactive_file ",
};
/// The first version says that there is no limit with the largest number of whole pages.
const UNLIMITED: u64 = 1 << 62;

/// The folders of the process's group and those above it, innermost first.
struct Lineage {
    words: &'static Words,
    folders: Vec<PathBuf>,
}

/// The limits of all groups, innermost first; an error for a group that is not seen where it must be.
pub(crate) fn bounds(machine: &Machine, must: bool) -> Result<Vec<Bound>> {
    let (lineages, unseen) = lineages(machine)?;
    if let (true, Some(group)) = (must, unseen) {
        return Err(Error::GroupUnseen { group });
    }
    let mut bounds = Vec::new();
    for Lineage { words, folders } in lineages {
        for folder in folders {
            for name in words.limits {
                let path = folder.join(name);
                let Some(limit) = number(machine, &path)? else { continue };
                let source = Source::Group(path.display().to_string());
                let used = used(machine, words, &folder)?;
                let used =
                    used.ok_or_else(|| machine.unused(&source, folder.join(words.current)))?;
                bounds.push(Bound { source, limit, used });
            }
        }
    }
    Ok(bounds)
}

/// Bytes that the innermost group uses, without inactive files.
pub(crate) fn usage(machine: &Machine) -> Result<Option<u64>> {
    for Lineage { words, folders } in lineages(machine)?.0 {
        for folder in folders {
            if let Some(used) = used(machine, words, &folder)? {
                return Ok(Some(used));
            }
        }
    }
    Ok(None)
}

/// The text of the innermost group's `memory.pressure`, which the first version does not have.
pub(crate) fn pressure(machine: &Machine) -> Result<Option<(PathBuf, String)>> {
    for Lineage { folders, .. } in lineages(machine)?.0 {
        for path in folders.iter().map(|folder| folder.join("memory.pressure")) {
            if let Some(text) = machine.text(&path)?.filter(|text| !text.trim().is_empty()) {
                return Ok(Some((path, text)));
            }
        }
    }
    Ok(None)
}

fn used(machine: &Machine, words: &Words, folder: &Path) -> Result<Option<u64>> {
    let Some(current) = number(machine, &folder.join(words.current))? else { return Ok(None) };
    let path = folder.join("memory.stat");
    let text = machine.text(&path)?.unwrap_or_default();
    let inactive = match text.lines().find_map(|line| line.strip_prefix(words.inactive)) {
        None => 0,
        Some(word) => word
            .trim()
            .parse::<u64>()
            .map_err(|_| machine.misread(&path, word, "a number of bytes"))?,
    };
    Ok(Some(current.saturating_sub(inactive)))
}

/// A number of bytes; none for `max`, no limit, and no file.
fn number(machine: &Machine, path: &Path) -> Result<Option<u64>> {
    let Some(text) = machine.text(path)? else { return Ok(None) };
    match text.trim() {
        "max" | "-1" => Ok(None),
        word => match word.parse::<u64>() {
            Ok(bytes) => Ok((bytes < UNLIMITED).then_some(bytes)),
            Err(_) => Err(machine.misread(path, word, "`max` or a number of bytes")),
        },
    }
}

/// The lineages of the process's groups, and the name of one that should be seen and is not.
fn lineages(machine: &Machine) -> Result<(Vec<Lineage>, Option<String>)> {
    let Some(groups) = machine.text("proc/self/cgroup")? else { return Ok((Vec::new(), None)) };
    let mountinfo = machine.text("proc/self/mountinfo")?.unwrap_or_default();
    let (mut lineages, mut unseen) = (Vec::new(), Vec::new());
    let mut first_has_memory = false;
    for line in groups.lines().filter(|line| !line.is_empty()) {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(group)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(machine.misread("proc/self/cgroup", line, "number:controllers:path"));
        };
        let second = controllers.is_empty();
        if !second && !controllers.split(',').any(|name| name == "memory") {
            continue;
        }
        first_has_memory |= !second;
        let words = if second { &SECOND } else { &FIRST };
        match folders(machine, words, Path::new(group), &mounts(&mountinfo, second)) {
            Some(folders) => lineages.push(Lineage { words, folders }),
            None if group != "/" => unseen.push((second, group.to_owned())),
            None => {}
        }
    }
    let told = unseen.into_iter().find(|(second, _)| !second || !first_has_memory);
    Ok((lineages, told.map(|(_, group)| group)))
}

/// The folders of a group as the best mount shows them; none when no mount shows it.
fn folders(
    machine: &Machine,
    words: &Words,
    group: &Path,
    mounts: &[(PathBuf, PathBuf)],
) -> Option<Vec<PathBuf>> {
    let there = |folders: Vec<PathBuf>| -> Vec<PathBuf> {
        folders.into_iter().filter(|folder| machine.has(folder)).collect()
    };
    // The group itself, as far down as it goes.
    let own = mounts.iter().find_map(|(root, mount)| {
        let folders = walk(group, root, mount)?;
        machine.has(folders.first()?).then_some(folders)
    });
    if let Some(folders) = own {
        return Some(there(folders));
    }
    let memory = |folder: &PathBuf| {
        let names = words.limits.iter().chain([&words.current]);
        names.into_iter().any(|name| machine.is_file(&folder.join(name)))
    };
    let others = mounts.iter().map(|(root, mount)| {
        there(walk(group, root, mount).unwrap_or_else(|| vec![mount.clone()]))
    });
    others.into_iter().find(|folders| folders.iter().any(memory))
}

/// The folders from the group's up to the mount's; none for a group that the mount does not show.
fn walk(group: &Path, root: &Path, mount: &Path) -> Option<Vec<PathBuf>> {
    if group.components().any(|part| part == std::path::Component::ParentDir) {
        return None;
    }
    let inside = group.strip_prefix(root).ok()?;
    Some(inside.ancestors().map(|part| mount.join(part)).collect())
}

/// The folders that the mounts of a hierarchy show, and where they are mounted; the usual place where
/// nothing is said of mounts.
fn mounts(mountinfo: &str, second: bool) -> Vec<(PathBuf, PathBuf)> {
    let mount = |line: &str| -> Option<(PathBuf, PathBuf)> {
        let (before, after) = line.split_once(" - ")?;
        let mut kind = after.split(' ');
        let (kind, options) = (kind.next()?, kind.nth(1)?);
        let fits = match second {
            true => kind == "cgroup2",
            false => kind == "cgroup" && options.split(',').any(|option| option == "memory"),
        };
        let mut fields = before.split(' ').skip(3);
        let (root, mount) = (fields.next()?, fields.next()?);
        fits.then(|| (unescaped(root).into(), unescaped(mount).into()))
    };
    let mut found: Vec<(PathBuf, PathBuf)> = mountinfo.lines().filter_map(mount).collect();
    if found.is_empty() {
        let usual = if second { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/memory" };
        found.push(("/".into(), usual.into()));
    }
    found
}

/// Spaces, tabs, line ends and backslashes stand as three octal digits in `mountinfo`.
fn unescaped(text: &str) -> String {
    let mut out = text.to_owned();
    for (code, letter) in [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")] {
        out = out.replace(code, letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_goes_up_to_the_mount() {
        let walk = |group: &str, root: &str| -> Vec<String> {
            let folders = walk(Path::new(group), Path::new(root), Path::new("/c"));
            let folders = folders.unwrap_or_default();
            folders.iter().map(|folder| folder.display().to_string()).collect()
        };
        assert_eq!(walk("/a/b", "/"), ["/c/a/b", "/c/a", "/c/"]);
        assert_eq!(walk("/docker/x/y", "/docker/x"), ["/c/y", "/c/"]);
        assert!(walk("/docker/xy", "/docker/x").is_empty());
        assert!(walk("/../other", "/").is_empty());
        assert_eq!(walk("/", "/"), ["/c/"]);
    }

    #[test]
    fn mounts_are_found_by_kind() {
        let mounts = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      41 31 0:38 /a\\040b /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n";
        assert_eq!(super::mounts(mounts, false), [("/".into(), "/sys/fs/cgroup/memory".into())]);
        assert_eq!(super::mounts(mounts, true), [("/a b".into(), "/sys/fs/cgroup/unified".into())]);
        assert_eq!(super::mounts("no mounts", true), [("/".into(), "/sys/fs/cgroup".into())]);
    }
}
