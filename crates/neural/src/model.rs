//! A trained network: its architecture, its weights, and the features that it reads.
//!
//! Predictions run on the CPU: small perceptrons through the fused kernel, others through tensors, in
//! blocks of samples. Rows without the history that a window needs get the best constant of the targets that
//! were trained on. A prediction that overflows is an error that names the row; the drift of a variational
//! autoencoder is then plus infinity, so no prediction is ever NaN. A file is safetensors with the
//! architecture beside the tensors; its version is looked at before anything else of it.

use fattail_core::{Error as CoreError, Panel, Predict};
use fattail_mlp::{Kernel, RowLoss, small};
use fattail_training::{Batch, Buffer, Named, Plan, Reading, Run, Samples};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Architecture, Error, Result,
    architecture::Run as Forward,
    device,
    engine::{guarded, load},
    layers::Start,
    nets::VaeNetwork,
    network::Input,
    weights::{from_safetensors, to_safetensors},
};
use burn::tensor::{Device, Tensor, TensorData};

/// Samples that are predicted at a time.
const BLOCK: usize = 1024;
const FORMAT: &str = "fattail network";
const VERSION: u64 = 1;
/// The entry of a file's text that says which network it is.
pub(crate) const ENTRY: &str = "fattail";

/// A trained network.
#[derive(Debug, Clone)]
pub struct NeuralModel {
    /// The network.
    pub architecture: Architecture,
    /// The features that it reads, in order.
    pub features: Vec<String>,
    /// What rows get that cannot be predicted: the best constant of the targets that were trained on.
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
pub(crate) struct Head {
    format: String,
    version: u64,
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
    /// use fattail_mlp::{Head, Network};
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
    /// When a tensor is missing, unknown, of another shape or not finite; when the network would be far
    /// larger than the weights, before it is built; [`Architecture::check`].
    pub fn with_weights(
        architecture: Architecture,
        features: Vec<String>,
        weights: Vec<Named>,
    ) -> Result<Self> {
        if features.len() != architecture.inputs() {
            let allowed = "as many as the network's inputs";
            return Err(CoreError::setting("features", features.len(), allowed).into());
        }
        let weights = architecture.fitted(&weights)?;
        Ok(Self { architecture, features, constant: 0.0, weights, run: None, warning: None })
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// When the weights cannot be written.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        to_safetensors(&self.weights, &[(ENTRY, &head(self)?)])
    }

    /// The model of a file's bytes.
    ///
    /// ```
    /// # use fattail_mlp::{Head, Network};
    /// use fattail_neural::{Architecture, NeuralModel};
    /// # let shape = Network {
    /// #     inputs: 2, hidden: vec![4], input_norm: false, norm: false, residual: false,
    /// #     dropout: 0.0, head: Head::Identity,
    /// # };
    /// # let architecture = Architecture::Mlp(shape);
    /// # let weights = architecture.start(7)?;
    /// # let features = vec!["a".to_owned(), "b".to_owned()];
    /// let model = NeuralModel::with_weights(architecture, features, weights)?;
    /// let read = NeuralModel::from_bytes(&model.to_bytes()?)?;
    /// assert_eq!((&read.features, &read.weights), (&model.features, &model.weights));
    /// assert!(NeuralModel::from_bytes(b"something else").is_err());
    /// # Ok::<(), fattail_neural::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Format`] when the bytes are no such file, [`Error::Version`] when they are of another
    /// version; what [`NeuralModel::with_weights`] refuses.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let head = Head::read(bytes)?;
        head.model(from_safetensors(bytes)?)
    }

    /// Predicts on a device. A variational autoencoder gives its reconstruction errors, plus infinity
    /// where they overflow.
    ///
    /// # Errors
    /// When the panel lacks a feature, one is not finite, or the device fails, whether it tells or panics;
    /// [`Error::Prediction`] when a prediction overflows.
    pub fn predict_on(&self, panel: &Panel, device: &Device) -> Result<Vec<f32>> {
        let panel = panel.select(&self.features)?;
        let architecture = self.architecture.on(&panel);
        let network = guarded(device, || architecture.network(&self.weights, device))?;
        self.run_on(&panel, device, network.as_ref())
    }

    /// The same with the network at hand.
    fn run_on(&self, panel: &Panel, device: &Device, network: &dyn Forward) -> Result<Vec<f32>> {
        self.each_block(panel, |batch, out| {
            guarded(device, || forward(network, batch, device, out))
        })
    }

    /// The latent means of a variational autoencoder, a column each.
    pub(crate) fn latent(&self, panel: &Panel) -> Result<Vec<Vec<f32>>> {
        let panel = panel.select(&self.features)?;
        let device = device::cpu()?;
        let Architecture::Vae(shape) = self.architecture else {
            return Err(bad("it is no variational autoencoder"));
        };
        self.architecture.expect_enough(&self.weights)?;
        self.architecture.check()?;
        let network = VaeNetwork::new(shape, &mut Start::of(None, &device));
        let network = load(network, &self.weights)?;
        let mut columns: Vec<Vec<f32>> = vec![Vec::with_capacity(panel.rows()); shape.latent];
        self.each_block(&panel, |batch, _| {
            let found = guarded(&device, || read(network.latent(values(batch, &device))))?;
            for (at, value) in found.iter::<f32>().enumerate() {
                if !value.is_finite() {
                    return Err(Error::Prediction { row: batch.rows[at / shape.latent], value });
                }
                columns[at % shape.latent].push(value);
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
            let batch = buffer.batch(&samples, &plan, positions.clone(), 0)?;
            forward(&batch, &mut all[positions])?;
        }
        self.settle(&samples, &mut all)?;
        let mut placed = samples.place(&all, panel.rows())?;
        // Rows that are no sample.
        for value in placed.iter_mut().filter(|value| value.is_nan()) {
            *value = self.constant;
        }
        Ok(placed)
    }

    /// Refuses predictions that overflowed; a reconstruction that did is as far off as can be.
    fn settle(&self, samples: &Samples, all: &mut [f32]) -> Result<()> {
        let drift = matches!(self.architecture, Architecture::Vae(_));
        for (row, value) in samples.rows().zip(all) {
            match value.is_finite() {
                true => {}
                false if drift => *value = f32::INFINITY,
                false => return Err(Error::Prediction { row, value: *value }),
            }
        }
        Ok(())
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

impl Head {
    /// What a file says, after its version was looked at: another version may have other fields.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let (_, header) = safetensors::SafeTensors::read_metadata(bytes).map_err(bad)?;
        let text = header.metadata().as_ref().and_then(|text| text.get(ENTRY));
        let text = text.ok_or_else(|| bad("it does not say which network it is"))?;
        let value: Value = serde_json::from_str(text).map_err(bad)?;
        if value.get("format").and_then(Value::as_str) != Some(FORMAT) {
            return Err(bad(format!("its format is not '{FORMAT}'")));
        }
        let version = value.get("version").and_then(Value::as_u64);
        match version.ok_or_else(|| bad("it has no version"))? {
            VERSION => serde_json::from_value(value).map_err(bad),
            found => Err(Error::Version { found, expected: VERSION }),
        }
    }

    /// The model, with weights.
    pub(crate) fn model(self, weights: Vec<Named>) -> Result<NeuralModel> {
        if !self.constant.is_finite() {
            return Err(bad(format!("its constant is {}", self.constant)));
        }
        let model = NeuralModel::with_weights(self.architecture, self.features, weights)?;
        Ok(NeuralModel { constant: self.constant, ..model })
    }
}

fn bad(reason: impl ToString) -> Error {
    Error::Format { format: "network", reason: reason.to_string() }
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

#[cfg(all(test, feature = "flex"))]
#[expect(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;

    /// A network whose driver falls over, or that gives one value.
    struct Planted(Option<f32>);

    impl Forward for Planted {
        fn run(&self, input: &Input<'_>) -> Tensor<1> {
            let value = self.0.expect("queue removed");
            Tensor::full([input.values.dims()[0]], value, &input.values.device())
        }
    }

    fn model(architecture: Architecture) -> NeuralModel {
        let weights = architecture.start(1).unwrap();
        let model = NeuralModel::with_weights(architecture, vec!["x".into()], weights).unwrap();
        NeuralModel { constant: 0.25, ..model }
    }

    fn perceptron() -> NeuralModel {
        model(Architecture::Mlp(fattail_mlp::Network {
            inputs: 1,
            hidden: vec![],
            input_norm: false,
            norm: false,
            residual: false,
            dropout: 0.0,
            head: fattail_mlp::Head::Identity,
        }))
    }

    fn autoencoder() -> NeuralModel {
        let (hidden, latent) = (2, 1);
        let shape = crate::nets::VaeShape { inputs: 1, hidden, latent, beta: 1.0, free_bits: 0.0 };
        model(Architecture::Vae(shape))
    }

    fn panel(value: f32) -> Panel {
        Panel::builder().feature("x", vec![0.0, value]).build().unwrap()
    }

    #[test]
    fn a_panic_of_a_driver_is_an_error() {
        let device = device::cpu().unwrap();
        let run = |value| perceptron().run_on(&panel(1.0), &device, &Planted(value));
        assert_eq!(run(Some(0.5)).unwrap(), [0.5, 0.5]);
        let told = run(None).unwrap_err().to_string();
        assert!(told.contains("queue removed"), "{told}");
    }

    #[test]
    fn predictions_that_overflow_are_told_by_row() {
        let mut model = perceptron();
        model.weights[0].values[0] = 1e20;
        assert_eq!(model.predict(&panel(1e10)).unwrap().len(), 2);
        let told = model.predict(&panel(1e30)).unwrap_err().to_string();
        assert!(told.contains("the prediction of row 1 is inf"), "{told}");
    }

    #[test]
    fn what_is_furthest_off_drifts_most() {
        let mut model = autoencoder();
        let device = device::cpu().unwrap();
        let drift = model.predict_on(&panel(1e30), &device).unwrap();
        assert!(drift[0].is_finite() && drift[1] == f32::INFINITY, "{drift:?}");
        for tensor in &mut model.weights {
            if tensor.name.ends_with(".weight") {
                tensor.values.fill(1e20);
            }
        }
        let drift = model.predict_on(&panel(1e30), &device).unwrap();
        assert_eq!(drift[1], f32::INFINITY);
        assert!(matches!(model.latent(&panel(1e30)), Err(Error::Prediction { row: 1, .. })));
    }

    #[test]
    fn a_newer_file_is_told_by_its_version() {
        let model = perceptron();
        let bytes = |text: &str| to_safetensors(&model.weights, &[(ENTRY, text)]).unwrap();
        // Fields that this version has never heard of, and none that it knows.
        let newer = bytes(r#"{"format": "fattail network", "version": 2, "layers": []}"#);
        let told = NeuralModel::from_bytes(&newer).unwrap_err().to_string();
        assert_eq!(told, "the model's file has version 2, this build reads version 1");
        for (text, words) in [
            ("{}", "its format"),
            (r#"{"format": "fattail network"}"#, "no version"),
            (r#"{"format": "fattail network", "version": 1}"#, "architecture"),
        ] {
            let told = NeuralModel::from_bytes(&bytes(text)).unwrap_err().to_string();
            assert!(told.contains(words), "{told}");
        }
        let wild = head(&model).unwrap().replace("0.25", "1e300");
        assert!(NeuralModel::from_bytes(&bytes(&wild)).is_err());
    }
}
