//! A row of the tables of parameters: names, what the parameter does, what model files say of it.

use std::sync::Arc;

use super::{ParameterResult, draft::Draft, value::Value};
use crate::Gbdt;

/// One parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) role: Role,
    pub(super) saved: Saved,
}

/// What a parameter does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    /// It sets something.
    Set(fn(&mut Draft, &Value<'_>) -> ParameterResult<()>),
    /// It has no meaning here, for this reason.
    Ignored(&'static str),
    /// Only its default is accepted, for this reason.
    Unsupported { default: &'static str, reason: &'static str },
}

/// What the parameters block of a model file says.
#[derive(Debug, Clone, Copy)]
pub(super) enum Saved {
    /// Nothing.
    No,
    /// Always the same.
    Text(&'static str),
    /// What the settings say.
    Of(fn(&Shown<'_>) -> String),
    /// What the settings say, where they say something.
    Some(fn(&Shown<'_>) -> Option<String>),
}

/// Settings and the names of the features that lists go by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) gbdt: &'a Gbdt,
    pub(super) features: &'a [Arc<str>],
}

/// A parameter that sets something.
pub(super) const fn set(
    name: &'static str,
    aliases: &'static [&'static str],
    set: fn(&mut Draft, &Value<'_>) -> ParameterResult<()>,
) -> Entry {
    Entry { name, aliases, role: Role::Set(set), saved: Saved::No }
}

/// A parameter without meaning here.
pub(super) const fn ignored(
    name: &'static str,
    aliases: &'static [&'static str],
    reason: &'static str,
) -> Entry {
    Entry { name, aliases, role: Role::Ignored(reason), saved: Saved::No }
}

/// A parameter of which only the default is accepted.
pub(super) const fn unsupported(
    name: &'static str,
    aliases: &'static [&'static str],
    default: &'static str,
    reason: &'static str,
) -> Entry {
    let saved = Saved::Text(default);
    Entry { name, aliases, role: Role::Unsupported { default, reason }, saved }
}

impl Entry {
    pub(super) const fn text(mut self, text: &'static str) -> Self {
        self.saved = Saved::Text(text);
        self
    }

    pub(super) const fn shown(mut self, show: fn(&Shown<'_>) -> String) -> Self {
        self.saved = Saved::Of(show);
        self
    }

    pub(super) const fn shown_if(mut self, show: fn(&Shown<'_>) -> Option<String>) -> Self {
        self.saved = Saved::Some(show);
        self
    }

    pub(super) const fn unsaved(mut self) -> Self {
        self.saved = Saved::No;
        self
    }
}

/// LightGBM's way to write a flag.
pub(super) fn flag(flag: bool) -> String {
    if flag { "1".into() } else { "0".into() }
}

/// Values between commas; nothing where all of them are `plain`, which is what is meant without a list.
pub(super) fn list<T: PartialEq + ToString>(values: Vec<T>, plain: &T) -> String {
    if values.iter().all(|value| value == plain) {
        return String::new();
    }
    values.iter().map(T::to_string).collect::<Vec<_>>().join(",")
}
