//! Progress of long work, told to an observer that the caller hands in.

/// How far a piece of work has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done, such as `reading`.
    pub stage: &'a str,
    /// Steps done.
    pub done: u64,
    /// Steps in all.
    pub total: u64,
}

/// Whoever wants to know. It may be called from several threads.
pub type Observer<'a> = &'a (dyn Fn(Progress<'_>) + Sync);

/// The observer that does nothing.
pub fn silent(_: Progress<'_>) {}
