//! The breaker on disk: killed processes, two at once, broken files, clocks that jump.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use fattail_guard::{Breaker, BreakerSettings, Error, Refused};
use proptest::prelude::*;
use tempfile::TempDir;

/// Tells a child process which breaker to hold.
const HOLD: &str = "FATTAIL_GUARD_HOLD";

fn settings() -> BreakerSettings {
    BreakerSettings { threshold: 2, jitter: 0.0, ..BreakerSettings::default() }
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
}

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.json");
    (folder, path)
}

/// A child that another test starts holds copies of all open files, locks with them, until it runs its own
/// program: that is waited for.
fn patient<T>(ask: impl Fn() -> Result<T, Error>) -> Result<T, Error> {
    for _ in 0..1000 {
        match ask() {
            Err(Error::Locked { .. }) => std::thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
    panic!("nobody gave the lock back")
}

fn open_with(path: &Path, settings: &BreakerSettings) -> Breaker {
    patient(|| Breaker::open(path, settings.clone())).unwrap()
}

fn open(path: &Path) -> Breaker {
    open_with(path, &settings())
}

fn refused(breaker: &mut Breaker, now: SystemTime) -> Refused {
    match breaker.permit(now) {
        Err(Error::Open(refused)) => refused,
        other => panic!("{other:?}"),
    }
}

#[test]
fn counts_outlive_the_process() {
    let (_folder, path) = place();
    open(&path).permit(at(0)).unwrap().failed("disk full", at(1)).unwrap();
    open(&path).permit(at(2)).unwrap().failed("out of memory", at(3)).unwrap();
    let mut breaker = open(&path);
    let no = refused(&mut breaker, at(4));
    assert_eq!((no.until, no.wait, no.failures), (at(33), Duration::from_secs(29), 2));
    assert_eq!(no.reason, "out of memory");
    // Half open: the failure of the one attempt doubles the wait.
    breaker.permit(at(33)).unwrap().failed("disk full", at(40)).unwrap();
    assert_eq!(refused(&mut breaker, at(40)).wait.as_secs(), 60);
    let causes: Vec<_> = breaker.status().causes.into_iter().collect();
    assert_eq!(causes, [("disk full".into(), 2), ("out of memory".into(), 1)]);
    breaker.permit(at(100)).unwrap().succeeded().unwrap();
    drop(breaker);
    let status = open(&path).status();
    assert_eq!((status.failures, status.openings, status.successes), (0, 0, 1));
    assert!(status.causes.is_empty() && status.until.is_none() && !status.running);
}

#[test]
fn no_answer_is_a_failure() {
    let (_folder, path) = place();
    let mut breaker = open(&path);
    drop(breaker.permit(at(0)).unwrap());
    assert!(breaker.status().running);
    let _ = breaker.permit(at(1)).unwrap();
    let no = refused(&mut breaker, at(2));
    assert_eq!((no.failures, &*no.reason), (2, "no answer: the attempt was dropped"));
    assert!(!breaker.status().running);
}

#[test]
fn a_killed_process_counts_and_a_living_one_locks() {
    let (_folder, path) = place();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "breaker::holds_until_it_is_killed", "--ignored", "--nocapture"])
        .env(HOLD, &path)
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holding")), "the child ended");
    assert!(matches!(Breaker::open(&path, settings()), Err(Error::Locked { .. })));
    assert!(matches!(Breaker::reset(&path), Err(Error::Locked { .. })));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut breaker = open_with(&path, &BreakerSettings { threshold: 1, ..settings() });
    // It failed when it started, at 0, not now.
    let no = refused(&mut breaker, at(10));
    assert_eq!(no.reason, "no answer: the process was killed or left");
    assert_eq!((no.wait.as_secs(), no.until), (20, at(30)));
}

#[test]
#[ignore = "runs in a process of its own"]
fn holds_until_it_is_killed() {
    let Some(path) = env::var_os(HOLD) else { return };
    let mut breaker = open(Path::new(&path));
    let attempt = breaker.permit(at(0)).unwrap();
    println!("holding");
    // Until it is killed, or the other end goes away.
    let _ = std::io::stdin().lines().next();
    drop(attempt);
}

#[test]
fn a_job_that_was_killed_runs_a_week_later() {
    const WEEK: u64 = 7 * 86_400;
    let (_folder, path) = place();
    for week in 0..10 {
        // Asks, and dies with its answer untold.
        drop(open(&path).permit(at(week * WEEK)).unwrap());
    }
    assert_eq!(open(&path).status().failures, 9);
}

#[test]
fn a_beat_moves_the_time_of_an_unanswered_failure() {
    let (_folder, path) = place();
    let mut breaker = open_with(&path, &BreakerSettings { threshold: 1, ..settings() });
    let mut attempt = breaker.permit(at(0)).unwrap();
    attempt.beat(at(3600)).unwrap();
    drop(attempt);
    drop(breaker);
    let mut breaker = open_with(&path, &BreakerSettings { threshold: 1, ..settings() });
    assert_eq!(refused(&mut breaker, at(3610)).until, at(3630));
    // A clock that went back: one wait from now.
    let mut attempt = breaker.permit(at(5000)).unwrap();
    attempt.beat(at(9000)).unwrap();
    drop(attempt);
    assert_eq!(refused(&mut breaker, at(6000)).wait.as_secs(), 60);
}

#[test]
fn jitter_differs_from_path_to_path() {
    let folder = tempfile::tempdir().unwrap();
    let settings = BreakerSettings { threshold: 1, jitter: 1.0, ..settings() };
    let wait = |name: &str| {
        let path = folder.path().join(name);
        let mut breaker = Breaker::open(path, settings.clone()).unwrap();
        breaker.permit(at(0)).unwrap().failed("a", at(0)).unwrap();
        refused(&mut breaker, at(0)).wait.as_millis()
    };
    let mut waits: Vec<u128> = (0..8).map(|at| wait(&format!("job{at}.json"))).collect();
    waits.sort_unstable();
    waits.dedup();
    assert_eq!(waits.len(), 8, "{waits:?}");
}

#[test]
fn two_in_one_process_lock_each_other_out() {
    let (_folder, path) = place();
    let first = open(&path);
    assert!(matches!(Breaker::open(&path, settings()), Err(Error::Locked { .. })));
    drop(first);
    open(&path);
}

#[test]
fn a_broken_state_fails_closed_until_it_is_reset() {
    let (folder, path) = place();
    open(&path).permit(at(0)).unwrap().failed("a", at(0)).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let mut broken = vec![
        String::new(),
        "null".into(),
        "{}".into(),
        "nonsense".into(),
        good[..good.len() / 2].into(),
        format!("{good}x"),
        good.replacen("\"version\": 1", "\"version\": 2", 1),
        good.replacen("\"failures\": 1", "\"failures\": 0", 1),
        good.replacen("\"a\": 1", "\"b\": 1", 1),
        good.replacen("\"successes\"", "\"success\"", 1),
        good.replacen("\"running\": null", "\"running\": {}", 1),
    ];
    // Every character of it that turns into another digit.
    for (place, letter) in good.char_indices().filter(|(_, letter)| letter.is_ascii_digit()) {
        let other = if letter == '9' { '8' } else { '9' };
        let mut text = good.clone();
        text.replace_range(place..=place, &other.to_string());
        broken.push(text);
    }
    assert!(broken.len() > 20);
    for text in broken {
        assert_ne!(text, good);
        fs::write(&path, &text).unwrap();
        let error = patient(|| Breaker::open(&path, settings())).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{text}: {error}");
        // Looking at it has not mended it.
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    patient(|| Breaker::reset(&path)).unwrap();
    assert_eq!(open(&path).status().failures, 0);
    assert!(folder.path().join("train.json.old").exists());
}

#[test]
fn an_attempt_that_cannot_be_counted_is_not_allowed() {
    let (folder, path) = place();
    let mut breaker = open(&path);
    // Where the new state would be written stands a folder.
    fs::create_dir(folder.path().join("train.json.new")).unwrap();
    assert!(matches!(breaker.permit(at(0)), Err(Error::File { .. })));
    assert!(!breaker.status().running);
    fs::remove_dir(folder.path().join("train.json.new")).unwrap();
    let attempt = breaker.permit(at(0)).unwrap();
    fs::create_dir(folder.path().join("train.json.new")).unwrap();
    assert!(matches!(attempt.succeeded(), Err(Error::File { .. })));
    fs::remove_dir(folder.path().join("train.json.new")).unwrap();
    // It could not answer, which is no answer.
    breaker.permit(at(1)).unwrap().failed("x", at(1)).unwrap();
    assert_eq!(breaker.status().failures, 2);
    assert!(Breaker::open("/no such folder/state.json", settings()).is_err());
}

#[test]
fn settings_out_of_range() {
    let (_folder, path) = place();
    for wrong in [
        BreakerSettings { threshold: 0, ..settings() },
        BreakerSettings { base: Duration::ZERO, ..settings() },
        BreakerSettings { base: Duration::from_secs(4000), ..settings() },
        BreakerSettings { cap: Duration::MAX, ..settings() },
        BreakerSettings { factor: 0.5, ..settings() },
        BreakerSettings { factor: f64::NAN, ..settings() },
        BreakerSettings { jitter: 1.5, ..settings() },
    ] {
        assert!(matches!(Breaker::open(&path, wrong), Err(Error::Setting { .. })));
    }
    let mut breaker = open(&path);
    assert!(matches!(
        breaker.permit(SystemTime::UNIX_EPOCH - Duration::from_secs(9)),
        Err(Error::Clock(-9))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever happens and however the clock jumps: attempts are refused only within a wait of the last
    /// failure, a state that was written is read again, and restarts change nothing.
    #[test]
    fn any_history_can_be_taken_up(
        moves in prop::collection::vec((0u8..5, -5000i64..5000), 1..25),
        seed in any::<u64>(),
    ) {
        let (_folder, path) = place();
        let settings = BreakerSettings { jitter: 0.3, seed, cap: Duration::from_secs(600), ..settings() };
        let mut breaker = open_with(&path, &settings);
        let mut clock = 1_000_000i64;
        let mut failures = 0;
        for (what, step) in moves {
            clock += step;
            let now = at(clock as u64);
            let unanswered = u32::from(breaker.status().running);
            let answer = breaker.permit(now);
            failures += unanswered;
            match answer {
                Err(Error::Open(no)) => {
                    prop_assert!(failures >= 2);
                    prop_assert_eq!(no.failures, failures);
                    prop_assert!(no.wait <= settings.cap && no.until == now + no.wait);
                }
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
                Ok(attempt) => match what {
                    0 => {
                        attempt.succeeded().unwrap();
                        failures = 0;
                    }
                    1 | 2 => {
                        attempt.failed("cause", now).unwrap();
                        failures += 1;
                    }
                    _ => drop(attempt),
                },
            }
            prop_assert_eq!(breaker.status().failures, failures);
            if step % 3 == 0 {
                let status = breaker.status();
                drop(breaker);
                breaker = open_with(&path, &settings);
                prop_assert_eq!(breaker.status(), status);
            }
        }
    }
}
