//! `ndarray` in and out.

use ndarray::{Array2, ArrayView2};

use crate::{Era, Panel, PanelBuilder};

impl PanelBuilder {
    /// Adds the columns of a rows x columns array as features.
    #[must_use]
    pub fn feature_array<S: AsRef<str>>(self, names: &[S], values: ArrayView2<'_, f32>) -> Self {
        let mut builder = self.expect_columns(names.len(), values.ncols());
        for (name, column) in names.iter().zip(values.columns()) {
            builder = builder.feature(name.as_ref(), column.to_vec());
        }
        builder
    }
}

impl Panel {
    /// Copies the features into a rows x columns array.
    #[must_use]
    pub fn to_array(&self) -> Array2<f32> {
        let mut out = Array2::zeros((self.rows(), self.width()));
        for (position, mut column) in out.columns_mut().into_iter().enumerate() {
            let values = self.feature(position);
            let all = values.eras().flat_map(|era| era.iter());
            column.iter_mut().zip(all).for_each(|(slot, value)| *slot = value);
        }
        out
    }
}

impl Era<'_> {
    /// Copies the era's features into a rows x columns array.
    #[must_use]
    pub fn to_array(&self) -> Array2<f32> {
        let mut out = Array2::zeros((self.rows(), self.panel().width()));
        for (mut column, values) in out.columns_mut().into_iter().zip(self.features()) {
            column.iter_mut().zip(values.iter()).for_each(|(slot, value)| *slot = value);
        }
        out
    }
}
