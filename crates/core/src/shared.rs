//! Values that many panels share: a vector, an Arrow buffer or a memory map behind one pointer.

use std::{fmt, ops::Deref, sync::Arc};

/// An immutable slice whose owner is shared and unknown.
///
/// ```
/// use fattail_core::Shared;
/// let values: Shared<u8> = Shared::from(vec![0, 1, 2]);
/// assert_eq!(values.clone()[1..], [1, 2]);
/// ```
pub struct Shared<T: 'static>(Arc<dyn AsRef<[T]> + Send + Sync>);

impl<T> Shared<T> {
    /// Shares whatever can show a slice.
    pub fn new(owner: impl AsRef<[T]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(owner))
    }
}

impl<T: Send + Sync> From<Vec<T>> for Shared<T> {
    fn from(values: Vec<T>) -> Self {
        Self::new(values)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Shared<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        (*self.0).as_ref()
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared<{}>[{}]", std::any::type_name::<T>(), self.len())
    }
}
