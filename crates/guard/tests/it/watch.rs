//! The watching thread calls back when the level changes and stops when it is dropped.

use std::{fs, sync::mpsc::channel, time::Duration};

use fattail_guard::{Level, Machine, Monitor, Watch};

#[test]
fn levels_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // Replaced as a whole: the thread reads meanwhile.
        let fresh = path.with_extension("new");
        fs::write(&fresh, text).unwrap();
        fs::rename(fresh, path).unwrap();
    };
    write("proc/self/cgroup", "0::/\n");
    write("sys/fs/cgroup/memory.max", "1000\n");
    write("sys/fs/cgroup/memory.current", "10\n");
    let watch = Watch { interval: Duration::from_millis(2), ..Watch::default() };
    let monitor = Monitor::new(watch, Machine::at(folder.path())).unwrap();
    let (tell, told) = channel();
    let watcher =
        monitor.watch(move |sample| tell.send(sample.ok().map(|s| s.level)).unwrap()).unwrap();
    let next = || told.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(next(), Some(Level::Calm));
    write("sys/fs/cgroup/memory.current", "850\n");
    assert_eq!(next(), Some(Level::High));
    write("sys/fs/cgroup/memory.current", "990\n");
    assert_eq!(next(), Some(Level::Critical));
    write("sys/fs/cgroup/memory.current", "banana\n");
    assert_eq!(next(), None);
    write("sys/fs/cgroup/memory.current", "10\n");
    assert_eq!(next(), Some(Level::Calm));
    assert_eq!(watcher.monitor().peak(), 0);
    drop(watcher);
    // The thread has ended and its end of the channel is gone; nothing was told twice.
    assert!(told.recv().is_err());
}

#[test]
fn a_callback_that_panics_is_seen_and_pressure_is_no_must() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("proc/self/cgroup", "0::/\n"),
        ("sys/fs/cgroup/memory.max", "1000\n"),
        ("sys/fs/cgroup/memory.current", "10\n"),
        ("sys/fs/cgroup/memory.pressure", "banana\n"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let machine = Machine::at(folder.path());
    assert!(machine.pressure().is_err());
    let sample = Monitor::new(Watch::default(), machine.clone()).unwrap().sample().unwrap();
    assert_eq!((sample.level, sample.pressure), (Level::Calm, None));

    let new = || Monitor::new(Watch::default(), machine.clone()).unwrap();
    let alive = new().watch(|_| {}).unwrap();
    let dead = new().watch(|sample| assert!(sample.is_err(), "a callback that panics")).unwrap();
    for _ in 0..2000 {
        if !dead.is_alive() {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!dead.is_alive() && alive.is_alive());
}

#[test]
fn settings_out_of_range() {
    let new = |watch| Monitor::new(watch, Machine::here()).is_err();
    assert!(new(Watch { high: 0.0, ..Watch::default() }));
    assert!(new(Watch { high: 0.99, ..Watch::default() }));
    assert!(new(Watch { critical: 1.1, ..Watch::default() }));
    assert!(new(Watch { high: f64::NAN, ..Watch::default() }));
    assert!(new(Watch { interval: Duration::ZERO, ..Watch::default() }));
}
