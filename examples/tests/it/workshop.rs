//! A temporary folder, files in it, and the binaries run on them.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

/// Lets everything through: what is learnt of so few rows is not what a gate lets through.
pub(crate) const GATE_OFF: [&str; 6] =
    ["--gate", "off", "--by", "a test", "--because", "a toy market"];

pub(crate) struct Workshop(tempfile::TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        std::fs::write(self.path(name), text).expect("written");
        self.path(name)
    }

    /// Names of what lies in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("a folder").flatten();
        let mut names: Vec<_> =
            entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs a binary in the folder; `@name` stands for a file of it.
    pub(crate) fn run(&self, binary: &str, args: &[&str]) -> Output {
        let path = |arg: &&str| match arg.strip_prefix('@') {
            Some(name) => self.path(name).into_os_string(),
            None => arg.into(),
        };
        Command::new(binary)
            .args(args.iter().map(path))
            .current_dir(self.0.path())
            .output()
            .expect("the binary runs")
    }

    /// Runs `numerai` on a file and gives the one line that it must fail with.
    pub(crate) fn refusal(&self, args: &[&str]) -> String {
        let before = self.names();
        let output = self.run(env!("CARGO_BIN_EXE_numerai"), args);
        let told = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert_eq!(told.lines().count(), 1, "not one line: {told}");
        assert!(told.starts_with("error: "), "{told}");
        assert!(output.stdout.is_empty());
        assert_eq!(self.names(), before, "something was left behind");
        told
    }
}
