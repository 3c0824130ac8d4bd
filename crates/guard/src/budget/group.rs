//! Control groups, of both versions, from the process's own up to the mount's root.
//!
//! `/proc/self/cgroup` names the group; `/proc/self/mountinfo` tells where its hierarchy is mounted and
//! which folder of it the mount shows. In a container the mount shows the container's group, and a name
//! that does not begin with it, or leads out of it, stands for the mount itself.
//!
//! Reference: the kernel's documentation, Control group v2 and Memory resource controller (v1).

use std::path::{Path, PathBuf};

use super::{Bound, Machine, Source};
use crate::Result;

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

/// The limits of all groups, innermost first.
pub(crate) fn bounds(machine: &Machine) -> Result<Vec<Bound>> {
    let mut bounds = Vec::new();
    for Lineage { words, folders } in lineages(machine)? {
        for folder in folders {
            for name in words.limits {
                let path = folder.join(name);
                let Some(limit) = number(machine, &path)? else { continue };
                let used = used(machine, words, &folder)?.unwrap_or(0);
                bounds.push(Bound {
                    source: Source::Group(path.display().to_string()),
                    limit,
                    used,
                });
            }
        }
    }
    Ok(bounds)
}

/// Bytes that the innermost group uses, without inactive files.
pub(crate) fn usage(machine: &Machine) -> Result<Option<u64>> {
    for Lineage { words, folders } in lineages(machine)? {
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
    for Lineage { folders, .. } in lineages(machine)? {
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

fn lineages(machine: &Machine) -> Result<Vec<Lineage>> {
    let Some(groups) = machine.text("proc/self/cgroup")? else { return Ok(Vec::new()) };
    let mounts = machine.text("proc/self/mountinfo")?.unwrap_or_default();
    let mut lineages = Vec::new();
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
        let words = if second { &SECOND } else { &FIRST };
        let (root, mount) = mount(&mounts, second).unwrap_or_else(|| {
            let usual = if second { "/sys/fs/cgroup" } else { "/sys/fs/cgroup/memory" };
            ("/".into(), usual.into())
        });
        let folders = walk(Path::new(group), &root, &mount);
        let folders = folders.into_iter().filter(|folder| machine.has(folder)).collect();
        lineages.push(Lineage { words, folders });
    }
    Ok(lineages)
}

/// The folders from the group's up to the mount's.
fn walk(group: &Path, root: &Path, mount: &Path) -> Vec<PathBuf> {
    let outside = group.components().any(|part| part == std::path::Component::ParentDir);
    let inside = group.strip_prefix(root).ok().filter(|_| !outside);
    let inside = inside.unwrap_or(Path::new(""));
    inside.ancestors().map(|part| mount.join(part)).collect()
}

/// The folder that the mount of a hierarchy shows, and where it is mounted.
fn mount(mounts: &str, second: bool) -> Option<(PathBuf, PathBuf)> {
    mounts.lines().find_map(|line| {
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
    })
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
            folders.iter().map(|folder| folder.display().to_string()).collect()
        };
        assert_eq!(walk("/a/b", "/"), ["/c/a/b", "/c/a", "/c/"]);
        assert_eq!(walk("/docker/x/y", "/docker/x"), ["/c/y", "/c/"]);
        assert_eq!(walk("/docker/xy", "/docker/x"), ["/c/"]);
        assert_eq!(walk("/../other", "/"), ["/c/"]);
        assert_eq!(walk("/", "/"), ["/c/"]);
    }

    #[test]
    fn mounts_are_found_by_kind() {
        let mounts = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      41 31 0:38 /a\\040b /sys/fs/cgroup/unified rw shared:4 - cgroup2 cgroup2 rw\n";
        assert_eq!(mount(mounts, false), Some(("/".into(), "/sys/fs/cgroup/memory".into())));
        assert_eq!(mount(mounts, true), Some(("/a b".into(), "/sys/fs/cgroup/unified".into())));
        assert_eq!(mount("no mounts", true), None);
    }
}
