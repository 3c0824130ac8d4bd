//! Limits are read from every kind of tree: both versions of control groups, containers, nothing at all.

use std::{fs, path::Path, time::Duration};

use fattail_guard::{
    Budget, BudgetSettings, Error, Level, Limit, Machine, Monitor, Source, Watch, Why,
};
use tempfile::TempDir;

const GB: u64 = 1_000_000_000;
const MEMINFO: &str = "MemTotal:       16000000 kB\nMemFree:  1 kB\nMemAvailable:   12000000 kB\n";
const STATUS: &str = "Name:\tx\nVmPeak:\t  900 kB\nVmSize:\t  800000 kB\nVmHWM:\t  300000 kB\nVmRSS:\t  200000 kB\nVmData:\t  100000 kB\n";
const SECOND: &str = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
const FIRST: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

fn tree(files: &[(&str, &str)]) -> (TempDir, Machine) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let machine = Machine::at(folder.path());
    (folder, machine)
}

fn limits(machine: &Machine) -> Vec<(String, u64, u64)> {
    let bounds = machine.bounds().unwrap().into_iter();
    let name = |source| match source {
        Source::Group(path) => path,
        source => source.to_string(),
    };
    bounds.map(|bound| (name(bound.source), bound.limit, bound.used)).collect()
}

#[test]
fn second_version_from_the_own_group_to_the_root() {
    let (_folder, machine) = tree(&[
        ("proc/meminfo", MEMINFO),
        ("proc/self/status", STATUS),
        ("proc/self/cgroup", "0::/a/b/c\n"),
        ("proc/self/mountinfo", SECOND),
        ("sys/fs/cgroup/memory.stat", "anon 1\n"),
        ("sys/fs/cgroup/a/memory.max", "3000000000\n"),
        ("sys/fs/cgroup/a/memory.high", "max\n"),
        ("sys/fs/cgroup/a/memory.current", "2500000000\n"),
        ("sys/fs/cgroup/a/memory.stat", "anon 5\nfile 7\ninactive_file 500000000\nactive_file 9\n"),
        ("sys/fs/cgroup/a/b/memory.max", "max\n"),
        ("sys/fs/cgroup/a/b/memory.high", "2000000000\n"),
        ("sys/fs/cgroup/a/b/memory.current", "400000000\n"),
        ("sys/fs/cgroup/a/b/c/memory.max", "max\n"),
        ("sys/fs/cgroup/a/b/c/memory.current", "300000000\n"),
        ("sys/fs/cgroup/a/b/c/memory.stat", "inactive_file 100000000\n"),
        (
            "sys/fs/cgroup/a/b/c/memory.pressure",
            "some avg10=1.50 avg60=2.00 avg300=0 total=1\nfull avg10=0.25 avg60=0.50 avg300=0 total=1\n",
        ),
    ]);
    assert_eq!(
        limits(&machine),
        [
            ("/sys/fs/cgroup/a/b/memory.high".into(), 2 * GB, GB * 4 / 10),
            ("/sys/fs/cgroup/a/memory.max".into(), 3 * GB, 2 * GB),
            ("the physical memory".into(), 16_384_000_000, 4_096_000_000),
        ]
    );
    let usage = machine.usage().unwrap();
    assert_eq!((usage.group, usage.resident), (Some(200_000_000), Some(204_800_000)));
    assert_eq!((usage.peak, usage.available), (Some(307_200_000), Some(12_288_000_000)));
    let pressure = machine.pressure().unwrap().unwrap();
    assert_eq!((pressure.some_10, pressure.full_60), (1.5, 0.5));

    // The group with the larger limit leaves less room.
    let whole = BudgetSettings { limit: Limit::Share(1.0), reserve: 0, live: true };
    let budget = Budget::open(&whole, &machine).unwrap();
    assert_eq!(budget.capacity(), GB);
    assert_eq!(budget.source(), &Source::Group("/sys/fs/cgroup/a/memory.max".into()));
    let half = BudgetSettings { limit: "75%".parse().unwrap(), ..whole.clone() };
    assert_eq!(Budget::open(&half, &machine).unwrap().capacity(), GB / 4);
    let bytes = BudgetSettings { limit: "1GB".parse().unwrap(), ..whole.clone() };
    let budget = Budget::open(&bytes, &machine).unwrap();
    assert_eq!((budget.capacity(), budget.source()), (GB - 204_800_000, &Source::Setting));
    let reserve = BudgetSettings { reserve: GB / 2, ..whole };
    assert_eq!(Budget::open(&reserve, &machine).unwrap().capacity(), GB / 2);
}

#[test]
fn first_version_and_no_limit() {
    let (_folder, machine) = tree(&[
        ("proc/self/cgroup", "9:name=systemd:/x\n4:cpu,memory:/jobs/one\n0::/\n"),
        ("proc/self/mountinfo", FIRST),
        ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "9223372036854771712\n"),
        ("sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", "1073741824\n"),
        ("sys/fs/cgroup/memory/jobs/one/memory.usage_in_bytes", "600000000\n"),
        (
            "sys/fs/cgroup/memory/jobs/one/memory.stat",
            "inactive_file 1\ntotal_inactive_file 200000000\n",
        ),
        (
            "proc/pressure/memory",
            "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        ),
    ]);
    let path = "/sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes";
    assert_eq!(limits(&machine), [(path.into(), 1 << 30, 400_000_000)]);
    assert!(machine.pressure().unwrap().is_some());
}

#[test]
fn containers_see_their_group_at_the_mount() {
    let own = "30 24 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
    for (group, mounts) in [
        ("0::/docker/abc\n", own),
        // A name space of its own; a name from outside of it; no word of mounts.
        ("0::/\n", SECOND),
        ("0::/../xyz\n", SECOND),
        ("0::/docker/other/deep\n", own),
        ("0::/gone/long/ago\n", SECOND),
        ("0::/\n", ""),
    ] {
        let (_folder, machine) = tree(&[
            ("proc/self/cgroup", group),
            ("proc/self/mountinfo", mounts),
            ("sys/fs/cgroup/memory.max", "500000000\n"),
            ("sys/fs/cgroup/memory.current", "1\n"),
        ]);
        let found = limits(&machine);
        assert_eq!(found.len(), 1, "{group}{mounts}");
        assert_eq!((found[0].1, found[0].2), (500_000_000, 1), "{group}{mounts}");
    }
}

#[test]
fn a_group_that_cannot_be_seen_needs_a_setting() {
    let bytes = BudgetSettings { limit: Limit::Bytes(GB), reserve: 0, live: true };
    let sane = [("proc/meminfo", MEMINFO), ("proc/self/status", STATUS)];
    for (group, mounts) in [
        ("0::/user.slice/one\n", ""),
        ("0::/user.slice/one\n", SECOND),
        ("0::/../xyz\n", SECOND),
        ("4:memory:/jobs/one\n0::/\n", FIRST),
        ("4:memory:/jobs/one\n", "no mounts\n"),
    ] {
        let mut files = vec![("proc/self/cgroup", group), ("proc/self/mountinfo", mounts)];
        files.extend(sane);
        let (_folder, machine) = tree(&files);
        let error = Budget::open(&BudgetSettings::default(), &machine).unwrap_err();
        assert!(matches!(error, Error::GroupUnseen { .. }), "{group}{mounts}: {error}");
        let budget = Budget::open(&bytes, &machine).unwrap();
        assert_eq!(budget.capacity(), GB - 204_800_000, "{group}{mounts}");
        assert!(budget.admit(1).is_ok());
    }
}

#[test]
fn a_group_without_a_limit_leaves_the_physical_memory() {
    let hybrid = "9:name=systemd:/x\n4:memory:/jobs\n0::/user.slice/one\n";
    for (group, mounts, file) in [
        // The root group, in a container and a virtual machine, mounted or not.
        ("0::/\n", "", "proc/uptime"),
        ("0::/\n", SECOND, "sys/fs/cgroup/cgroup.controllers"),
        ("4:memory:/\n0::/\n", FIRST, "proc/uptime"),
        ("4:cpu:/jobs\n", "", "proc/uptime"),
        // A group that is there, and has no memory controller.
        ("0::/user.slice/one\n", SECOND, "sys/fs/cgroup/user.slice/one/cgroup.procs"),
        // The first version has the controller.
        (hybrid, FIRST, "sys/fs/cgroup/memory/jobs/memory.usage_in_bytes"),
    ] {
        let files = [
            ("proc/self/cgroup", group),
            ("proc/self/mountinfo", mounts),
            ("proc/meminfo", MEMINFO),
            (file, "1\n"),
        ];
        let (_folder, machine) = tree(&files);
        let found = limits(&machine);
        assert_eq!(found.len(), 1, "{group}{mounts}");
        assert_eq!(found[0].0, "the physical memory", "{group}{mounts}");
    }
}

#[test]
fn every_mount_of_the_hierarchy_is_tried() {
    let other = "30 24 0:26 /docker/other /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
    let mine = "31 24 0:26 / /mnt/groups rw - cgroup2 cgroup2 rw\n";
    let (_folder, machine) = tree(&[
        ("proc/self/cgroup", "0::/jobs/one\n"),
        ("proc/self/mountinfo", &format!("{other}{mine}")),
        ("sys/fs/cgroup/memory.max", "900\n"),
        ("sys/fs/cgroup/memory.current", "1\n"),
        ("mnt/groups/jobs/memory.max", "500\n"),
        ("mnt/groups/jobs/memory.current", "2\n"),
        ("mnt/groups/jobs/one/cgroup.procs", "1\n"),
    ]);
    assert_eq!(limits(&machine), [("/mnt/groups/jobs/memory.max".into(), 500, 2)]);
}

#[test]
fn a_limit_without_its_use_is_an_error() {
    let limits_file = "Max address space         1073741824           unlimited            bytes\n";
    let cases: [&[(&str, &str)]; 4] = [
        &[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/memory.max", "1000\n")],
        &[("proc/meminfo", "MemTotal: 16000000 kB\n")],
        &[("proc/self/limits", limits_file), ("proc/self/status", "VmRSS: 1 kB\n")],
        &[("proc/self/limits", limits_file)],
    ];
    for files in cases {
        let (_folder, machine) = tree(files);
        let error = Budget::open(&BudgetSettings::default(), &machine).unwrap_err();
        assert!(matches!(error, Error::UsageUnknown { .. }), "{files:?}: {error}");
    }
    let (_folder, machine) = tree(&[("proc/self/status", "VmSize: 1 kB\n")]);
    let bytes = BudgetSettings { limit: Limit::Bytes(GB), ..BudgetSettings::default() };
    assert!(matches!(Budget::open(&bytes, &machine), Err(Error::UsageUnknown { .. })));
}

#[test]
fn limits_of_the_process() {
    let limits_file = "Limit                     Soft Limit           Hard Limit           Units\n\
        Max data size             unlimited            unlimited            bytes\n\
        Max address space         1073741824           unlimited            bytes\n";
    let (_folder, machine) =
        tree(&[("proc/self/limits", limits_file), ("proc/self/status", STATUS)]);
    let expected = ("the limit of the address space".into(), 1 << 30, 819_200_000);
    assert_eq!(limits(&machine), [expected]);
    let data =
        limits_file.replace("data size             unlimited ", "data size             200000000 ");
    let (_folder, machine) = tree(&[("proc/self/limits", &data), ("proc/self/status", STATUS)]);
    assert_eq!(
        limits(&machine)[1],
        ("the limit of the data size".into(), 200_000_000, 102_400_000)
    );
}

#[test]
fn without_a_limit_a_setting_is_needed() {
    let (_folder, machine) = tree(&[]);
    assert!(matches!(Budget::open(&BudgetSettings::default(), &machine), Err(Error::NoLimit)));
    let settings =
        BudgetSettings { limit: Limit::Bytes(1000), reserve: 0, ..BudgetSettings::default() };
    let budget = Budget::open(&settings, &machine).unwrap();
    assert_eq!(budget.capacity(), 1000);
    assert!(budget.admit(1000).is_ok());
    assert!(Monitor::new(Watch::default(), machine).unwrap().sample().is_err());
}

#[test]
fn what_cannot_be_read_is_an_error_and_no_guess() {
    let cases: [(&str, &str); 8] = [
        ("proc/meminfo", "MemTotal: lots\n"),
        ("proc/meminfo", "MemTotal: 12 MB\n"),
        ("proc/self/status", "VmRSS: -3 kB\n"),
        ("proc/self/cgroup", "nonsense\n"),
        ("sys/fs/cgroup/memory.max", "banana\n"),
        ("sys/fs/cgroup/memory.current", "\n"),
        ("sys/fs/cgroup/memory.stat", "inactive_file x\n"),
        ("proc/self/limits", "Max address space  many\n"),
    ];
    for (path, text) in cases {
        let mut files = vec![
            ("proc/meminfo", MEMINFO),
            ("proc/self/status", STATUS),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "1000000000\n"),
            ("sys/fs/cgroup/memory.current", "1\n"),
        ];
        files.retain(|(known, _)| *known != path);
        files.push((path, text));
        let (_folder, machine) = tree(&files);
        let error = Budget::open(&BudgetSettings::default(), &machine).unwrap_err();
        assert!(matches!(error, Error::System { .. }), "{path}: {error}");
    }
}

/// Writes anew what a group uses.
fn uses(folder: &Path, bytes: u64) {
    fs::write(folder.join("sys/fs/cgroup/memory.current"), format!("{bytes}\n")).unwrap();
}

#[test]
fn a_live_budget_sees_what_others_take() {
    let (folder, machine) = tree(&[
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "200\n"),
    ]);
    let settings = BudgetSettings { limit: Limit::Share(1.0), reserve: 0, live: true };
    let budget = Budget::open(&settings, &machine).unwrap();
    assert_eq!((budget.capacity(), budget.free().unwrap()), (800, 800));
    uses(folder.path(), 700);
    let refused = budget.admit(400).unwrap_err();
    assert_eq!((refused.why, refused.room, refused.capacity), (Why::Full, Some(300), 800));
    assert_eq!(budget.pieces(1000, 0).unwrap().piece_bytes, 250);
    drop(budget.admit(300).unwrap());
    fs::write(folder.path().join("sys/fs/cgroup/memory.max"), "banana").unwrap();
    assert_eq!(budget.admit(1).unwrap_err().why, Why::Unknown);
    assert_eq!(budget.held(), 0);
}

/// A live budget of 800 bytes, of 1,000 of which 200 are used.
fn live(reserve: u64) -> (TempDir, Budget) {
    let (folder, machine) = tree(&[
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "200\n"),
    ]);
    let settings = BudgetSettings { limit: Limit::Share(1.0), reserve, live: true };
    let budget = Budget::open(&settings, &machine).unwrap();
    (folder, budget)
}

/// Written as a whole: a thread reads meanwhile.
fn uses_now(folder: &Path, bytes: u64) {
    let path = folder.join("sys/fs/cgroup/memory.current");
    fs::write(path.with_extension("new"), format!("{bytes}\n")).unwrap();
    fs::rename(path.with_extension("new"), path).unwrap();
}

#[test]
fn one_who_waits_gets_what_a_holder_had_touched() {
    let (folder, budget) = live(0);
    let first = budget.admit(600).unwrap();
    // The holder uses what it was given: 200 bytes are left, and 600 come back.
    uses_now(folder.path(), 800);
    assert_eq!(budget.admit(500).unwrap_err().why, Why::Full);
    let late = budget.admit_within(500, Duration::from_millis(30)).unwrap_err();
    assert_eq!((late.why, late.room, late.held), (Why::Late, Some(200), 600));
    std::thread::scope(|scope| {
        let second = scope.spawn(|| budget.admit_within(500, Duration::from_secs(30)));
        std::thread::sleep(Duration::from_millis(50));
        // The promise goes first, the pages a little later: no wake-up tells of them.
        drop(first);
        std::thread::sleep(Duration::from_millis(50));
        uses_now(folder.path(), 200);
        assert_eq!(second.join().unwrap().unwrap().bytes(), 500);
    });
    assert_eq!(budget.held(), 0);
}

#[test]
fn waiting_that_cannot_help_is_refused_at_once() {
    let (folder, budget) = live(0);
    uses_now(folder.path(), 900);
    let long = Duration::from_secs(1000);
    // Others may give back what they took: that is waited for.
    let late = budget.admit_within(400, Duration::from_millis(5)).unwrap_err();
    assert_eq!((late.why, late.room), (Why::Late, Some(100)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| budget.admit_within(400, Duration::from_secs(30)));
        std::thread::sleep(Duration::from_millis(50));
        uses_now(folder.path(), 200);
        assert_eq!(waiting.join().unwrap().unwrap().bytes(), 400);
    });
    let held = budget.admit(300).unwrap();
    assert_eq!(budget.admit_within(801, long).unwrap_err().why, Why::Never);
    fs::write(folder.path().join("sys/fs/cgroup/memory.max"), "banana").unwrap();
    assert_eq!(budget.admit_within(1, long).unwrap_err().why, Why::Unknown);
    drop(held);
}

#[test]
fn the_reserve_stays_when_the_machine_is_full() {
    let (folder, budget) = live(100);
    assert_eq!(budget.capacity(), 700);
    uses_now(folder.path(), 700);
    assert_eq!(budget.free().unwrap(), 200);
    assert_eq!(budget.admit(201).unwrap_err().room, Some(200));
    assert!(budget.admit(200).is_ok());
    uses_now(folder.path(), 950);
    assert_eq!(budget.free().unwrap(), 0);
}

#[test]
fn what_is_promised_and_not_touched_counts() {
    let (folder, budget) = live(0);
    // Others take 300 of it.
    uses_now(folder.path(), 500);
    for _ in 0..50 {
        let admitted: Vec<_> = std::thread::scope(|scope| {
            let ask = || scope.spawn(|| budget.admit(300));
            let (one, other) = (ask(), ask());
            [one, other].into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(admitted.iter().filter(|answer| answer.is_ok()).count(), 1);
    }
    let first = budget.admit(300).unwrap();
    assert_eq!(budget.free().unwrap(), 200);
    // Once it is touched, the machine shows it and it counts once.
    uses_now(folder.path(), 800);
    assert_eq!(budget.free().unwrap(), 200);
    assert_eq!(budget.admit(200).unwrap().bytes(), 200);
    drop(first);
}

#[test]
fn what_others_take_of_a_shared_limit_is_not_touched_by_us() {
    let (folder, machine) = tree(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/status", "VmRSS: 1 kB\n"),
        ("sys/fs/cgroup/memory.max", "1000000\n"),
        ("sys/fs/cgroup/memory.current", "200000\n"),
    ]);
    let settings = BudgetSettings { limit: Limit::Share(1.0), reserve: 0, live: true };
    let budget = Budget::open(&settings, &machine).unwrap();
    let held = budget.admit(300_000).unwrap();
    // Another process of the group takes as much; ours has still to come.
    uses(folder.path(), 500_000);
    assert_eq!(budget.free().unwrap(), 200_000);
    fs::write(folder.path().join("proc/self/status"), "VmRSS: 201 kB\n").unwrap();
    assert_eq!(budget.free().unwrap(), 404_800);
    drop(held);
}

#[test]
fn levels_follow_the_largest_share() {
    let (folder, machine) = tree(&[
        ("proc/self/cgroup", "0::/\n"),
        ("proc/self/status", STATUS),
        ("proc/meminfo", MEMINFO),
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "0\n"),
    ]);
    let monitor = Monitor::new(Watch::default(), machine).unwrap();
    for (used, level) in [
        (0, Level::Calm),
        (799, Level::Calm),
        (800, Level::High),
        (950, Level::Critical),
        (2000, Level::Critical),
    ] {
        uses(folder.path(), used);
        assert_eq!(monitor.sample().unwrap().level, level, "{used}");
    }
    let sample = monitor.sample().unwrap();
    assert_eq!((sample.used, sample.limit, sample.peak), (2000, 1000, 307_200_000));
    assert_eq!(monitor.peak(), 307_200_000);
}

#[test]
fn this_machine_can_be_read() {
    let machine = Machine::here();
    if cfg!(target_os = "linux") {
        assert!(!machine.bounds().unwrap().is_empty());
        Budget::open(&BudgetSettings::default(), &machine).unwrap();
        let usage = machine.usage().unwrap();
        assert!(usage.resident.unwrap() > 0 && usage.peak.unwrap() >= usage.resident.unwrap() / 2);
        machine.pressure().unwrap();
    }
}
