//! Models in whole numbers of eight bits: a quarter of the memory and of the file.
//!
//! Each row of a matrix (an output) has a scale, `scale = max |w| / 127`, `q = round(w / scale)`; vectors
//! (biases, norms) stay in `f32`. What is kept, in memory and in a file, is that alone; a prediction makes the
//! network in `f32` from it, one product a weight, and lets go of it at its end. So predict many rows in one
//! call. Error of a weight: at most half a scale. Reference: Jacob et al. (2018), section 2, symmetric and by
//! channel.

use std::collections::HashMap;

use fattail_core::{Panel, Predict};
use fattail_training::Named;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{
    Error, NeuralModel, Result,
    model::{self, Head},
};

/// A model whose matrices are whole numbers; see [`NeuralModel::quantised`].
#[derive(Debug, Clone)]
pub struct QuantisedModel {
    /// The model without its weights.
    model: NeuralModel,
    /// The weights, in the network's order.
    parts: Vec<Part>,
}

/// A tensor.
#[derive(Debug, Clone)]
enum Part {
    Eight(Matrix),
    Whole(Named),
}

impl Part {
    fn new(tensor: Named) -> Self {
        Matrix::new(&tensor).map_or(Self::Whole(tensor), Self::Eight)
    }

    fn whole(&self) -> Named {
        match self {
            Self::Eight(matrix) => matrix.whole(),
            Self::Whole(tensor) => tensor.clone(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Eight(matrix) => matrix.values.len() + 4 * matrix.scales.len(),
            Self::Whole(tensor) => 4 * tensor.values.len(),
        }
    }
}

/// A matrix, row-major.
#[derive(Debug, Clone, PartialEq)]
struct Matrix {
    name: String,
    shape: [usize; 2],
    values: Vec<i8>,
    scales: Vec<f32>,
}

impl Matrix {
    fn new(tensor: &Named) -> Option<Self> {
        let &[rows, columns] = tensor.shape.as_slice() else {
            return None;
        };
        if rows == 0 || columns == 0 {
            return None;
        }
        let rows_of = || tensor.values.chunks_exact(columns);
        let scale = |row: &[f32]| row.iter().fold(0.0f32, |most, w| most.max(w.abs())) / 127.0;
        let scales: Vec<f32> = rows_of().map(scale).collect();
        let whole = |(row, scale): (&[f32], &f32)| {
            let inverse = if *scale > 0.0 { 1.0 / scale } else { 0.0 };
            row.iter().map(move |w| (w * inverse).round() as i8).collect::<Vec<i8>>()
        };
        let values = rows_of().zip(&scales).flat_map(whole).collect();
        Some(Self { name: tensor.name.clone(), shape: [rows, columns], values, scales })
    }

    /// A tensor of a file and its scales.
    fn read(file: &SafeTensors<'_>, name: &str, view: &TensorView<'_>) -> Result<Self> {
        let &[rows, columns] = view.shape() else {
            return Err(bad(format!(
                "'{name}' has shape {:?}, not that of a matrix",
                view.shape()
            )));
        };
        if rows == 0 || columns == 0 {
            return Err(bad(format!("'{name}' has shape {:?}, which is empty", view.shape())));
        }
        let scales = file.tensor(&format!("{name}{SCALES}")).map_err(bad)?;
        if scales.dtype() != Dtype::F32 || scales.shape() != [rows] {
            return Err(bad(format!("the scales of '{name}' do not fit")));
        }
        let values = view.data().iter().map(|&byte| byte as i8).collect();
        Ok(Self { name: name.to_owned(), shape: [rows, columns], values, scales: floats(&scales) })
    }

    fn whole(&self) -> Named {
        let rows = self.values.chunks_exact(self.shape[1]).zip(&self.scales);
        let mut values = Vec::with_capacity(self.values.len());
        for (row, scale) in rows {
            values.extend(row.iter().map(|q| f32::from(*q) * scale));
        }
        Named { name: self.name.clone(), shape: self.shape.to_vec(), values }
    }
}

fn floats(view: &TensorView<'_>) -> Vec<f32> {
    view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

const SCALES: &str = ".scales";

fn bad(reason: impl ToString) -> Error {
    Error::Format { format: "quantised network", reason: reason.to_string() }
}

impl NeuralModel {
    /// The model in whole numbers of eight bits.
    ///
    /// ```
    /// # use fattail_core::{Panel, Predict};
    /// # use fattail_mlp::{Head, Network};
    /// use fattail_neural::{Architecture, NeuralModel, QuantisedModel};
    /// # let shape = Network {
    /// #     inputs: 1, hidden: vec![64, 64], input_norm: false, norm: false, residual: false,
    /// #     dropout: 0.0, head: Head::Identity,
    /// # };
    /// # let architecture = Architecture::Mlp(shape);
    /// # let weights = architecture.start(7)?;
    /// # let model = NeuralModel::with_weights(architecture, vec!["x".to_owned()], weights)?;
    /// # let panel = Panel::builder().feature("x", vec![0.5f32, -1.0]).build()?;
    /// let eight = model.quantised()?;
    /// assert!(3 * eight.bytes() < 4 * model.parameters());
    /// let read = QuantisedModel::from_bytes(&eight.to_bytes()?)?;
    /// for (a, b) in read.predict(&panel)?.iter().zip(model.predict(&panel)?) {
    ///     assert!((a - b).abs() < 0.01);
    /// }
    /// # Ok::<(), fattail_neural::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a weight is not finite.
    pub fn quantised(&self) -> Result<QuantisedModel> {
        for tensor in &self.weights {
            if let Some(at) = tensor.values.iter().position(|value| !value.is_finite()) {
                let (name, value) = (tensor.name.clone(), tensor.values[at]);
                return Err(Error::NotFinite { name, value, at });
            }
        }
        let parts = self.weights.iter().cloned().map(Part::new).collect();
        Ok(QuantisedModel { model: self.empty(), parts })
    }

    /// The model without its weights.
    fn empty(&self) -> Self {
        Self {
            architecture: self.architecture.clone(),
            features: self.features.clone(),
            constant: self.constant,
            weights: Vec::new(),
            run: self.run.clone(),
            warning: self.warning.clone(),
        }
    }
}

impl QuantisedModel {
    /// Bytes of the weights.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(Part::bytes).sum()
    }

    /// The model in `f32` again.
    #[must_use]
    pub fn whole(&self) -> NeuralModel {
        let mut model = self.model.clone();
        model.weights = self.parts.iter().map(Part::whole).collect();
        model
    }

    /// The bytes of a file: safetensors with matrices of kind `I8` and their scales beside them.
    ///
    /// # Errors
    /// When the weights cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let le = |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        // What a tensor is written as: name, kind, shape, bytes.
        let mut all: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        for part in &self.parts {
            match part {
                Part::Whole(Named { name, shape, values }) => {
                    all.push((name.clone(), Dtype::F32, shape.clone(), le(values)));
                }
                Part::Eight(Matrix { name, shape, values, scales }) => {
                    let bytes = values.iter().map(|q| *q as u8).collect();
                    all.push((name.clone(), Dtype::I8, shape.to_vec(), bytes));
                    let of = format!("{name}{SCALES}");
                    all.push((of, Dtype::F32, vec![scales.len()], le(scales)));
                }
            }
        }
        let mut views = HashMap::with_capacity(all.len());
        for (name, kind, shape, bytes) in &all {
            let view = TensorView::new(*kind, shape.clone(), bytes).map_err(bad)?;
            views.insert(name.clone(), view);
        }
        let head = model::head(&self.model)?;
        safetensors::serialize(views, Some([(model::ENTRY.to_owned(), head)].into())).map_err(bad)
    }

    /// The model of a file's bytes.
    ///
    /// # Errors
    /// [`Error::Format`] when the bytes are no such file, [`Error::Version`] when they are of another
    /// version; what [`NeuralModel::with_weights`] refuses.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let head = Head::read(bytes)?;
        let file = SafeTensors::deserialize(bytes).map_err(bad)?;
        let mut parts = HashMap::new();
        for (name, view) in file.iter() {
            let part = match view.dtype() {
                Dtype::I8 => Part::Eight(Matrix::read(&file, name, &view)?),
                Dtype::F32 if is_scale(&file, name) => continue,
                Dtype::F32 => {
                    let (name, shape) = (name.to_owned(), view.shape().to_vec());
                    Part::Whole(Named { name, shape, values: floats(&view) })
                }
                kind => return Err(bad(format!("tensor '{name}' is of kind {kind:?}"))),
            };
            parts.insert(name.to_owned(), part);
        }
        // Made whole once, to find that everything is there and finite, and the network's order.
        let model = head.model(parts.values().map(Part::whole).collect())?;
        let ordered = model.weights.iter().filter_map(|tensor| parts.remove(&tensor.name));
        let parts = ordered.collect();
        Ok(Self { model: model.empty(), parts })
    }
}

/// Whether a tensor holds the scales of a matrix in the file.
fn is_scale(file: &SafeTensors<'_>, name: &str) -> bool {
    let matrix = name.strip_suffix(SCALES).and_then(|matrix| file.tensor(matrix).ok());
    matrix.is_some_and(|matrix| matrix.dtype() == Dtype::I8)
}

impl Predict for QuantisedModel {
    fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
        self.whole().predict(panel)
    }
}
