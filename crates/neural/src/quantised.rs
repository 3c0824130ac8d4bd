//! Models in whole numbers of eight bits: a quarter of the memory and of the file.
//!
//! Each row of a matrix (an output) has a scale, `scale = max |w| / 127`, `q = round(w / scale)`; vectors
//! (biases, norms) stay in `f32`. A forward pass makes a matrix whole again where it is used, so no copy of
//! the network in `f32` lies in memory beside it for longer than the pass. Error of a weight: at most
//! half a scale. Reference: Jacob et al. (2018), section 2, symmetric and by channel.

use fattail_core::{Panel, Predict};
use fattail_training::Named;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::{Error, NeuralModel, Result, model};

/// A model whose matrices are whole numbers.
#[derive(Debug, Clone)]
pub struct QuantisedModel {
    /// The model without its matrices.
    model: NeuralModel,
    matrices: Vec<Matrix>,
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

    fn whole(&self) -> Named {
        let rows = self.values.chunks_exact(self.shape[1]).zip(&self.scales);
        let values = rows.flat_map(|(row, scale)| row.iter().map(move |q| f32::from(*q) * scale));
        Named { name: self.name.clone(), shape: self.shape.to_vec(), values: values.collect() }
    }
}

const SCALES: &str = ".scales";

fn bad(reason: impl ToString) -> Error {
    Error::Format { format: "quantised network", reason: reason.to_string() }
}

impl NeuralModel {
    /// The model in whole numbers of eight bits.
    ///
    /// # Errors
    /// When a weight is not finite.
    pub fn quantised(&self) -> Result<QuantisedModel> {
        let mut model = self.clone();
        let mut matrices = Vec::new();
        model.weights.retain(|tensor| match Matrix::new(tensor) {
            Some(matrix) => {
                matrices.push(matrix);
                false
            }
            None => true,
        });
        for tensor in &self.weights {
            if let Some(at) = tensor.values.iter().position(|value| !value.is_finite()) {
                let (name, value) = (tensor.name.clone(), tensor.values[at]);
                return Err(Error::NotFinite { name, value, at });
            }
        }
        Ok(QuantisedModel { model, matrices })
    }
}

impl QuantisedModel {
    /// Bytes of the weights.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let matrices = self.matrices.iter().map(|m| m.values.len() + 4 * m.scales.len());
        matrices.sum::<usize>() + 4 * self.model.parameters()
    }

    /// The model in `f32` again.
    #[must_use]
    pub fn whole(&self) -> NeuralModel {
        let mut model = self.model.clone();
        model.weights.extend(self.matrices.iter().map(Matrix::whole));
        model::sort(&mut model);
        model
    }

    /// The bytes of a file: safetensors with matrices of kind `I8` and their scales beside them.
    ///
    /// # Errors
    /// When the weights cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let whole: Vec<Vec<u8>> =
            self.matrices.iter().map(|m| m.values.iter().map(|&q| q as u8).collect()).collect();
        let floats =
            |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let scales: Vec<Vec<u8>> = self.matrices.iter().map(|m| floats(&m.scales)).collect();
        let vectors: Vec<Vec<u8>> = self.model.weights.iter().map(|t| floats(&t.values)).collect();
        let mut views = Vec::new();
        for ((matrix, values), scales) in self.matrices.iter().zip(&whole).zip(&scales) {
            let view = TensorView::new(Dtype::I8, matrix.shape.to_vec(), values).map_err(bad)?;
            views.push((matrix.name.clone(), view));
            let view = TensorView::new(Dtype::F32, vec![matrix.shape[0]], scales).map_err(bad)?;
            views.push((format!("{}{SCALES}", matrix.name), view));
        }
        for (tensor, values) in self.model.weights.iter().zip(&vectors) {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), values).map_err(bad)?;
            views.push((tensor.name.clone(), view));
        }
        let head = model::head(&self.model)?;
        safetensors::serialize(views, Some([("fattail".to_owned(), head)].into())).map_err(bad)
    }

    /// The model of a file's bytes.
    ///
    /// # Errors
    /// When the bytes are no such file or the weights are not those of the network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let file = SafeTensors::deserialize(bytes).map_err(bad)?;
        let floats = |view: &TensorView<'_>| -> Vec<f32> {
            view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
        };
        let (mut matrices, mut vectors) = (Vec::new(), Vec::new());
        for (name, view) in file.iter() {
            match (view.dtype(), view.shape()) {
                (Dtype::I8, &[rows, columns]) => {
                    let scales = file.tensor(&format!("{name}{SCALES}")).map_err(bad)?;
                    let scales = floats(&scales);
                    if scales.len() != rows || scales.iter().any(|scale| !scale.is_finite()) {
                        return Err(bad(format!("the scales of '{name}' do not fit")));
                    }
                    let values = view.data().iter().map(|&byte| byte as i8).collect();
                    let name = name.to_owned();
                    matrices.push(Matrix { name, shape: [rows, columns], values, scales });
                }
                (Dtype::F32, _) if name.ends_with(SCALES) => {}
                (Dtype::F32, shape) => {
                    let (name, shape) = (name.to_owned(), shape.to_vec());
                    vectors.push(Named { name, shape, values: floats(&view) });
                }
                (kind, _) => return Err(bad(format!("tensor '{name}' is of kind {kind:?}"))),
            }
        }
        let mut all = vectors.clone();
        all.extend(matrices.iter().map(Matrix::whole));
        let model = NeuralModel { weights: vectors, ..model::from_parts(bytes, all)? };
        Ok(Self { model, matrices })
    }
}

impl Predict for QuantisedModel {
    fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
        self.whole().predict(panel)
    }
}
