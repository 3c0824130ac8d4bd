//! CatBoost's loss functions: their links, and what LightGBM calls them.

use fattail_trees::Link;
use serde_json::Value;

use crate::Result;
use crate::document::{Place, parse};

/// The loss function of a model and the parameters that were given.
pub(super) struct Loss {
    pub(super) name: String,
    pub(super) parameters: Vec<(String, String)>,
}

impl Loss {
    /// Reads what the document says of the training; early versions wrote it as text.
    pub(super) fn read(document: &Place<'_>) -> Result<Self> {
        let nothing = Self { name: String::new(), parameters: Vec::new() };
        let Some(info) = document.find("model_info")? else { return Ok(nothing) };
        let Some(place) = info.find("params")? else { return Ok(nothing) };
        if !place.is_text() {
            return Self::read_parameters(&place);
        }
        let inside =
            parse(place.text()?.as_bytes()).map_err(|error| place.error(error.to_string()))?;
        Self::read_parameters(&Place::root(&inside))
    }

    fn read_parameters(place: &Place<'_>) -> Result<Self> {
        let name = match place.find("loss_function")? {
            Some(loss) => loss.at("type")?.text()?.to_owned(),
            None => String::new(),
        };
        let mut parameters = Vec::new();
        if let Some(given) = place.find("flat_params")? {
            for (key, value) in given.entries()? {
                match value.value() {
                    Value::String(text) => parameters.push((key.to_owned(), text.clone())),
                    Value::Null | Value::Array(_) | Value::Object(_) => {}
                    other => parameters.push((key.to_owned(), other.to_string())),
                }
            }
        }
        Ok(Self { name, parameters })
    }

    pub(super) fn link(&self) -> Link {
        match self.name.as_str() {
            "Logloss" | "CrossEntropy" | "Focal" | "MultiClassOneVsAll" | "MultiLogloss"
            | "MultiCrossEntropy" => Link::Sigmoid { scale: 1.0 },
            "MultiClass" => Link::Softmax,
            "Poisson" | "Tweedie" => Link::Exp,
            _ => Link::Identity,
        }
    }

    /// The objective in LightGBM's words; empty where it has none that predicts alike.
    pub(super) fn in_lightgbm(&self, outputs: usize) -> String {
        let name = match self.name.as_str() {
            "MultiClass" => return format!("multiclass num_class:{outputs}"),
            "MultiClassOneVsAll" => return format!("multiclassova num_class:{outputs} sigmoid:1"),
            _ if outputs > 1 => "",
            "Logloss" => "binary sigmoid:1",
            "CrossEntropy" => "cross_entropy",
            "RMSE" => "regression",
            "MAE" => "regression_l1",
            "Quantile" => "quantile",
            "MAPE" => "mape",
            "Huber" => "huber",
            "Poisson" => "poisson",
            "Tweedie" => "tweedie",
            _ => "",
        };
        name.into()
    }
}
