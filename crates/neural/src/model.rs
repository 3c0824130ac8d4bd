//! A trained network: its architecture, its weights, and the features that it reads.
//!
//! Predictions run on the CPU: small perceptrons through the fused kernel, others through tensors, in
//! blocks of samples. Rows without the history that a window needs, and rows of nothing else to say, get
//! the best constant of the training targets, so that a prediction is never NaN. A file is safetensors
//! with the architecture beside the tensors.

use fattail_core::{Error as CoreError, Panel, Predict};
use fattail_fused::mlp::{Kernel, RowLoss, small};
use fattail_training::{Batch, Buffer, Named, Plan, Reading, Run, Samples};
use serde::{Deserialize, Serialize};

use crate::{
    Architecture, Error, Result,
    architecture::Run as Forward,
    device,
    engine::load,
    layers::Start,
    nets::VaeNetwork,
    network::Input,
    weights::{from_safetensors, to_safetensors},
};
use burn::tensor::{Device, Tensor, TensorData};

/// Samples that are predicted at a time.
const BLOCK: usize = 1024;
const FORMAT: &str = "fattail network";
const VERSION: u32 = 1;

/// A trained network.
#[derive(Debug, Clone)]
pub struct NeuralModel {
    /// The network.
    pub architecture: Architecture,
    /// The features that it reads, in order.
    pub features: Vec<String>,
    /// What rows get that cannot be predicted: the best constant of the training targets.
    pub constant: f32,
    /// The weights.
    pub weights: Vec<Named>,
    /// How training went; none for a model that was read from a file.
    pub run: Option<Run>,
    /// Why it was trained on the CPU although another device was asked for.
    pub warning: Option<String>,
}

/// What stands in a file beside the tensors.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    version: u32,
    architecture: Architecture,
    features: Vec<String>,
    constant: f32,
}

impl NeuralModel {
    /// The number of weights.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.weights.iter().map(|tensor| tensor.values.len()).sum()
    }

    /// The same network with other weights: a user's, from a file of theirs.
    ///
    /// ```
    /// use fattail_neural::{Architecture, NeuralModel};
    /// use fattail_fused::mlp::{Head, Network};
    ///
    /// let shape = Network {
    ///     inputs: 2, hidden: vec![4], input_norm: false, norm: false, residual: false,
    ///     dropout: 0.0, head: Head::Identity,
    /// };
    /// let architecture = Architecture::Mlp(shape);
    /// let weights = architecture.start(7)?;
    /// let features = vec!["a".to_owned(), "b".to_owned()];
    /// let model = NeuralModel::with_weights(architecture, features, weights)?;
    /// assert_eq!(model.parameters(), 2 * 4 + 4 + 4 + 1);
    /// # Ok::<(), fattail_neural::Error>(())
    /// ```
    ///
    /// # Errors
    /// When a tensor is missing, unknown, of another shape or not finite.
    pub fn with_weights(
        architecture: Architecture,
        features: Vec<String>,
        weights: Vec<Named>,
    ) -> Result<Self> {
        if features.len() != architecture.inputs() {
            let allowed = "as many as the network's inputs";
            return Err(CoreError::setting("features", features.len(), allowed).into());
        }
        architecture.network(&weights, &device::cpu()?)?;
        let weights = in_order(&architecture, weights)?;
        Ok(Self { architecture, features, constant: 0.0, weights, run: None, warning: None })
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// When the weights cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_safetensors(&self.weights, &[("fattail", &head(self)?)])
    }

    /// The model of a file's bytes.
    ///
    /// # Errors
    /// When the bytes are no such file, of another version, or the weights are not those of the network.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        from_parts(bytes, from_safetensors(bytes)?)
    }

    /// Predicts on a device.
    ///
    /// # Errors
    /// When the panel lacks a feature, one is not finite, or the device fails.
    pub fn predict_on(&self, panel: &Panel, device: &Device) -> Result<Vec<f32>> {
        let panel = panel.select(&self.features)?;
        let network = self.architecture.on(&panel).network(&self.weights, device)?;
        let forward =
            |batch: &Batch<'_>, out: &mut [f32]| forward(network.as_ref(), batch, device, out);
        self.each_block(&panel, forward)
    }

    /// The latent means of a variational autoencoder, a column each.
    pub(crate) fn latent(&self, panel: &Panel) -> Result<Vec<Vec<f32>>> {
        let panel = panel.select(&self.features)?;
        let device = device::cpu()?;
        let Architecture::Vae(shape) = self.architecture else {
            return Err(bad("it is no variational autoencoder"));
        };
        let network = VaeNetwork::new(shape, &mut Start::new(0, &device));
        let network = load(network, &self.weights)?;
        let mut columns: Vec<Vec<f32>> = vec![Vec::with_capacity(panel.rows()); shape.latent];
        self.each_block(&panel, |batch, _| {
            let found = read(network.latent(values(batch, &device)))?;
            for (column, at) in columns.iter_mut().zip(0..) {
                column.extend(found.iter::<f32>().skip(at).step_by(shape.latent));
            }
            Ok(())
        })?;
        Ok(columns)
    }

    /// Runs `forward` over all samples of a panel and puts what it gives to their rows.
    fn each_block(
        &self,
        panel: &Panel,
        mut forward: impl FnMut(&Batch<'_>, &mut [f32]) -> Result<()>,
    ) -> Result<Vec<f32>> {
        let reading = Reading { window: self.architecture.window(), memory: 0 };
        if panel.rows() == 0 {
            return Ok(Vec::new());
        }
        let samples = match Samples::all(panel, &reading) {
            Ok(samples) => samples,
            // No row has a history as long as the window.
            Err(CoreError::Empty { .. }) if panel.width() > 0 => {
                return Ok(vec![self.constant; panel.rows()]);
            }
            Err(error) => return Err(error.into()),
        };
        let (mut plan, mut buffer) = (Plan::default(), Buffer::default());
        plan.arrange_in_order(&samples, self.architecture.whole_eras(), BLOCK);
        let mut all = vec![0.0; samples.len()];
        for step in 0..plan.steps() {
            let positions = plan.step(step);
            let batch = buffer.batch(&samples, &plan, positions.clone(), 0);
            forward(&batch, &mut all[positions])?;
        }
        let mut placed = samples.place(&all, panel.rows())?;
        for value in &mut placed {
            if !value.is_finite() {
                *value = self.constant;
            }
        }
        Ok(placed)
    }

    /// The fused kernel, for a network that it is the right engine for.
    fn kernel(&self) -> Result<Option<Kernel>> {
        match &self.architecture {
            Architecture::Mlp(shape) if small(shape) => {
                let flat: Vec<f32> =
                    self.weights.iter().flat_map(|tensor| tensor.values.iter().copied()).collect();
                Ok(Some(Kernel::new(shape.clone(), RowLoss::Squared, &flat)?))
            }
            _ => Ok(None),
        }
    }
}

/// What a file says beside its tensors.
pub(crate) fn head(model: &NeuralModel) -> Result<String> {
    let head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        architecture: model.architecture.clone(),
        features: model.features.clone(),
        constant: model.constant,
    };
    serde_json::to_string(&head).map_err(bad)
}

/// The model that a file's head names, with weights.
pub(crate) fn from_parts(bytes: &[u8], weights: Vec<Named>) -> Result<NeuralModel> {
    let (_, header) = safetensors::SafeTensors::read_metadata(bytes).map_err(bad)?;
    let text = header.metadata().as_ref().and_then(|text| text.get("fattail"));
    let text = text.ok_or_else(|| bad("it does not say which network it is"))?;
    let head: Head = serde_json::from_str(text).map_err(bad)?;
    if head.format != FORMAT || head.version != VERSION {
        let found = format!("'{}' {}", head.format, head.version);
        return Err(bad(format!("it is {found}, this is '{FORMAT}' {VERSION}")));
    }
    let model = NeuralModel::with_weights(head.architecture, head.features, weights)?;
    Ok(NeuralModel { constant: head.constant, ..model })
}

/// Puts weights into the order of the network's fields, which the kernel reads them in.
pub(crate) fn sort(model: &mut NeuralModel) {
    if let Ok(weights) = in_order(&model.architecture, std::mem::take(&mut model.weights)) {
        model.weights = weights;
    }
}

fn bad(reason: impl ToString) -> Error {
    Error::Format { format: "network", reason: reason.to_string() }
}

/// Weights in the order of the network's fields.
fn in_order(architecture: &Architecture, weights: Vec<Named>) -> Result<Vec<Named>> {
    let order: Vec<String> = architecture.start(0)?.into_iter().map(|named| named.name).collect();
    let place = |named: &Named| order.iter().position(|name| *name == named.name);
    let mut weights = weights;
    weights.sort_by_key(place);
    Ok(weights)
}

fn values(batch: &Batch<'_>, device: &Device) -> Tensor<2> {
    let values = TensorData::new(batch.features.to_vec(), [batch.target.len(), batch.width]);
    Tensor::from_data(values, device)
}

fn read<const D: usize>(tensor: Tensor<D>) -> Result<TensorData> {
    tensor.try_into_data().map_err(|cause| Error::Device { reason: cause.to_string() })
}

fn forward(
    network: &dyn Forward,
    batch: &Batch<'_>,
    device: &Device,
    out: &mut [f32],
) -> Result<()> {
    let values = values(batch, device);
    let found = read(network.run(&Input { values, rows: batch.rows, eras: batch.eras }))?;
    for (out, value) in out.iter_mut().zip(found.iter::<f32>()) {
        *out = value;
    }
    Ok(())
}

impl Predict for NeuralModel {
    fn predict(&self, panel: &Panel) -> fattail_core::Result<Vec<f32>> {
        if let Some(kernel) = self.kernel()? {
            let panel = panel.select(&self.features)?;
            let run = |batch: &Batch<'_>, out: &mut [f32]| Ok(kernel.predict(batch.features, out)?);
            return Ok(self.each_block(&panel, run)?);
        }
        Ok(self.predict_on(panel, &device::cpu()?)?)
    }
}
