//! A process under a limit of 1 GiB with a job of 3 GiB: refused whole, run in pieces, never killed.
//!
//! The test runs itself again as a child under a limit of the address space, and, where it is asked to
//! and may, in a control group of its own.

#![cfg(target_os = "linux")]

use std::{
    env, fs,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use fattail_guard::{Budget, BudgetSettings, Job, Machine, Why};

/// Tells the child what to do.
const TASK: &str = "FATTAIL_GUARD_TASK";
/// The exit code of a child whose work was refused.
const REFUSED: i32 = 7;
const LIMIT: u64 = 1 << 30;
const WIDTH: usize = 256;
const ROWS: u64 = 3 << 20;
const ROW_BYTES: u64 = 4 * WIDTH as u64;

/// Value of a column in a row: every column runs through `0..1024` in 1,024 rows.
fn value(row: u64, column: usize) -> f32 {
    ((row * 31 + column as u64 * 7) % 1024) as f32
}

/// `ROWS / 1024` rounds of `0 + 1 + .. + 1023` in each column.
const SUM: u64 = ROWS / 1024 * WIDTH as u64 * (1023 * 1024 / 2);

#[test]
#[ignore = "runs in a process of its own"]
fn child() {
    match env::var_os(TASK).as_ref().and_then(|task| task.to_str()) {
        Some("pieces") => in_pieces(),
        Some("whole") => whole(),
        Some("careless") => careless(),
        _ => {}
    }
}

/// Refused in one piece, runs in pieces.
fn in_pieces() {
    let budget = Budget::open(&BudgetSettings::default(), &Machine::here()).unwrap();
    assert_eq!(budget.admit(ROWS * ROW_BYTES).unwrap_err().why, Why::Never);
    let job = Job { rows: ROWS, row_bytes: ROW_BYTES, overhead: 1 << 20, at_once: 1 };
    let plan = budget.plan(&job).unwrap();
    let permit = budget.admit(plan.piece_bytes).unwrap();
    let mut values: Vec<f32> = Vec::with_capacity(plan.piece_rows as usize * WIDTH);
    let mut sum = 0.0;
    for rows in plan.ranges() {
        values.clear();
        for row in rows {
            values.extend((0..WIDTH).map(|column| value(row, column)));
        }
        sum += values.iter().map(|&value| f64::from(value)).sum::<f64>();
    }
    assert_eq!(values.capacity(), plan.piece_rows as usize * WIDTH);
    drop(permit);
    let usage = Machine::here().usage().unwrap();
    println!(
        "\nDONE sum={sum} pieces={} capacity={} peak={} source={:?}",
        plan.pieces,
        budget.capacity(),
        usage.peak.unwrap(),
        budget.source()
    );
}

/// One allocation that cannot be cut.
fn whole() {
    let budget = Budget::open(&BudgetSettings::default(), &Machine::here()).unwrap();
    match budget.admit(3 << 30) {
        Ok(_) => println!("\nADMITTED"),
        Err(refused) => {
            println!("\nREFUSED {refused}");
            std::process::exit(REFUSED);
        }
    }
}

/// The same allocation without asking: what happens to those who do not.
fn careless() {
    let values = std::hint::black_box(vec![1.0f32; 3 << 28]);
    println!("\nALIVE {}", values.len());
}

/// This test as a child whose shell runs `before` first.
fn run(before: &str, task: &str) -> Output {
    Command::new("sh")
        .args(["-c", &format!("{before} && exec \"$0\" \"$@\"")])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "limit::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(TASK, task)
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

/// A figure of the child's line.
fn figure(text: &str, name: &str) -> f64 {
    let line =
        text.lines().find(|line| line.starts_with("DONE")).unwrap_or_else(|| panic!("{text}"));
    let word = line.split(' ').find_map(|word| word.strip_prefix(name)).unwrap();
    word.trim_start_matches('=').parse().unwrap()
}

fn expect_pieces(output: &Output, source: &str) {
    let text = said(output);
    assert!(output.status.success(), "{:?}: {text}", output.status);
    assert_eq!(figure(&text, "sum"), SUM as f64);
    assert!(figure(&text, "pieces") >= 4.0, "{text}");
    assert!(figure(&text, "peak") < LIMIT as f64, "{text}");
    // Pieces are as large as they can be: the budget is used.
    assert!(figure(&text, "peak") > 0.4 * LIMIT as f64, "{text}");
    assert!(text.contains(source), "{text}");
    println!("{}", text.lines().find(|line| line.starts_with("DONE")).unwrap());
}

fn expect_refusal(output: &Output) {
    let text = said(output);
    assert_eq!((output.status.code(), output.status.signal()), (Some(REFUSED), None), "{text}");
    assert!(text.contains("REFUSED 3221225472 bytes are refused, which never fit"), "{text}");
}

/// `ulimit` counts kibibytes; a core file of the careless child helps nobody.
const ADDRESS_SPACE: &str = "ulimit -c 0 && ulimit -v 1048576";

/// Whether the machine leaves more than the limit, so that the limit is what is met first.
fn has_room() -> bool {
    let budget = Budget::open(&BudgetSettings::default(), &Machine::here()).unwrap();
    let room = budget.capacity() > LIMIT;
    if !room {
        println!("SKIPPED: this machine leaves no more than {} bytes", budget.capacity());
    }
    room
}

#[test]
fn three_gigabytes_under_a_limit_of_the_address_space() {
    if !has_room() {
        return;
    }
    expect_pieces(&run(ADDRESS_SPACE, "pieces"), "AddressSpace");
}

#[test]
fn one_indivisible_allocation_is_refused() {
    expect_refusal(&run(ADDRESS_SPACE, "whole"));
}

/// Without a budget the same process dies: the limit is there, and the tests above can fail.
#[test]
fn the_limit_kills_those_who_do_not_ask() {
    let output = run(ADDRESS_SPACE, "careless");
    let text = said(&output);
    assert!(
        output.status.signal().is_some() && !text.contains("ALIVE"),
        "{:?}: {text}",
        output.status
    );
}

/// A control group below the process's own, removed when it is dropped.
struct Group(PathBuf);

impl Group {
    /// None where the user or the system does not allow it.
    fn new() -> Option<Self> {
        let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
        let own = |line: &str| {
            let mut parts = line.splitn(3, ':').skip(1);
            let (controllers, group) = (parts.next()?, parts.next()?.trim_start_matches('/'));
            match controllers {
                "" => Some(Path::new("/sys/fs/cgroup").join(group)),
                "memory" => Some(Path::new("/sys/fs/cgroup/memory").join(group)),
                _ => None,
            }
        };
        groups.lines().filter_map(own).find_map(|folder| {
            let folder = folder.join(format!("fattail-guard-{}", std::process::id()));
            fs::create_dir(&folder).ok()?;
            let group = Self(folder);
            let limits = ["memory.max", "memory.limit_in_bytes"];
            let set = |name: &&str| {
                let path = group.0.join(name);
                path.exists() && fs::write(path, LIMIT.to_string()).is_ok()
            };
            limits.iter().any(set).then_some(group)
        })
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.0.join(name)).ok()
    }

    /// Processes killed for memory.
    fn kills(&self) -> u64 {
        let text = self.text("memory.events").or_else(|| self.text("memory.oom_control")).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.unwrap().trim().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
#[ignore = "makes a control group below its own, which takes root: --ignored three_gigabytes"]
fn three_gigabytes_in_a_control_group() {
    let Some(group) = Group::new() else {
        println!("no control group may be made here");
        return;
    };
    let join = format!("echo $$ > '{}/cgroup.procs'", group.0.display());
    expect_pieces(&run(&join, "pieces"), "Group(");
    expect_refusal(&run(&join, "whole"));
    let most = group.text("memory.peak").or_else(|| group.text("memory.max_usage_in_bytes"));
    let most: u64 = most.unwrap().trim().parse().unwrap();
    assert!(most < LIMIT, "{most}");
    assert_eq!(group.kills(), 0);
    println!("peak of the group {most} of {LIMIT}, killed {}", group.kills());
}
