//! The surface of a binary: errors in one line, progress bars, the thread pool.

use std::{
    collections::HashMap,
    error::Error,
    io::Write,
    panic::AssertUnwindSafe,
    path::PathBuf,
    process::ExitCode,
    sync::Mutex,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use fattail::{
    Progress,
    guard::{Breaker, BreakerSettings},
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The options of every binary.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Writes the report as JSON to this file as well
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Threads; 0 takes all cores
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// Counts failed runs in this file: after three in a row it refuses to run, for half a minute first and
    /// twice as long from refusal to refusal, up to an hour
    #[arg(long, value_name = "FILE")]
    pub breaker: Option<PathBuf>,
}

impl RunArgs {
    /// Runs the work unless the breaker refuses, which counts what becomes of it.
    ///
    /// # Errors
    /// Those of the work; when the breaker refuses, or its file cannot be trusted.
    pub fn attempt(&self, work: impl FnOnce() -> Outcome) -> Outcome {
        let Some(path) = &self.breaker else { return work() };
        let mut breaker = Breaker::open(path, BreakerSettings::default())?;
        let attempt = breaker.permit(now())?;
        match caught(work) {
            Ok(()) => Ok(attempt.succeeded()?),
            // A refusal is an answer, not a failure.
            Err(error) if error.is::<Refusal>() => {
                attempt.succeeded()?;
                Err(error)
            }
            Err(error) => {
                attempt.failed(&one_line(&*error), now())?;
                Err(error)
            }
        }
    }
}

/// The time: overrides and failed runs are on record with it.
#[allow(clippy::disallowed_methods, reason = "a binary may read the clock")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970.
pub(crate) fn seconds() -> u64 {
    now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What a binary's work answers.
pub type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// A refusal that stops the work, and no fault: a blocked submission, a pipeline that leaks.
#[derive(Debug)]
pub struct Refusal(pub String);

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Refusal {}

/// What a refusal exits with.
const REFUSAL: u8 = 3;

/// Runs the work; on failure prints one line with every cause and exits with 1, with 3 for a [`Refusal`].
#[allow(clippy::print_stderr, reason = "this is the surface of a binary")]
pub fn run(work: impl FnOnce() -> Outcome) -> ExitCode {
    // What panics in a decoder of a broken file is caught there and told as an error; the rest is a
    // fault of ours, and one line says so.
    std::panic::set_hook(Box::new(|_| ()));
    match caught(work) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&*error));
            if error.is::<Refusal>() { ExitCode::from(REFUSAL) } else { ExitCode::FAILURE }
        }
    }
}

/// Runs work and makes an error of a panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref().copied()).unwrap_or("no reason given");
        Err(format!("a fault of this program, please report it: {text}").into())
    })
}

/// Writes to standard output; a reader that has gone away is no error.
///
/// # Errors
/// When standard output refuses.
pub fn write_out(text: &str) -> Outcome {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// The error and its causes; a cause that the text above it already tells is left out.
pub(crate) fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let told = error.to_string();
        if !text.contains(&told) {
            text = format!("{text}: {told}");
        }
        cause = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// More threads than this help nobody.
const MOST_THREADS: usize = 1024;

/// Sets the number of threads for the whole process; 0 takes all cores.
///
/// # Errors
/// When there are more than 1024, or the pool was set before.
pub fn set_threads(threads: usize) -> Outcome {
    if threads > MOST_THREADS {
        return Err(format!("--threads is {threads}, allowed is 0..={MOST_THREADS}").into());
    }
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?)
}

/// Progress bars on standard error, drawn only when it is a terminal; one bar a stage.
#[derive(Debug)]
pub struct Bars {
    all: MultiProgress,
    stages: Mutex<HashMap<String, ProgressBar>>,
}

impl Default for Bars {
    fn default() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        Self { all, stages: Mutex::default() }
    }
}

impl Bars {
    /// The observer to hand in.
    pub fn show(&self, progress: Progress<'_>) {
        let Ok(mut stages) = self.stages.lock() else { return };
        let bar = stages.entry(progress.stage.to_owned()).or_insert_with(|| {
            let style = ProgressStyle::with_template(
                "{prefix:>12} {bar:32} {human_pos}/{human_len} {per_sec} {elapsed}",
            );
            let bar = self.all.add(ProgressBar::new(progress.total));
            bar.set_prefix(progress.stage.to_owned());
            style.map(|style| bar.set_style(style)).ok();
            bar
        });
        bar.set_length(progress.total);
        bar.set_position(bar.position().max(progress.done));
        if progress.done >= progress.total {
            bar.finish();
        }
    }

    /// Takes the bars of what is done away; the next piece of work draws its own.
    pub fn clear_stages(&self) {
        if let Ok(mut stages) = self.stages.lock() {
            stages.drain().for_each(|(_, bar)| bar.finish_and_clear());
        }
    }

    /// Takes the bars away, so that the report stands alone.
    pub fn clear(&self) {
        self.all.clear().ok();
        self.all.set_draw_target(ProgressDrawTarget::hidden());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_with_its_causes() {
        let cause = std::io::Error::other("the disk\nis full");
        let error = fattail::Error::other(cause);
        assert_eq!(one_line(&error), "the disk is full");
    }
}
