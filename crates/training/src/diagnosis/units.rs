//! Layers whose units are dead or whose activations are saturated.
//!
//! A unit is dead when it is active for no sample looked at: it has no gradient and stays so. An
//! activation is saturated in the flat part of a bounded function. Reference: Glorot and Bengio
//! (2010), Understanding the difficulty of training deep feedforward neural networks; Lu et al.
//! (2020), Dying ReLU and initialization.

use super::Thresholds;
use crate::{Probe, Symptom};

/// The symptoms of the layers, in their order.
pub(crate) fn units(probes: &[Probe], thresholds: &Thresholds) -> Vec<Symptom> {
    let mut found = Vec::new();
    for Probe { layer, dead, saturated } in probes {
        if *dead >= thresholds.dead {
            found.push(Symptom::DeadUnits { layer: layer.clone(), share: *dead });
        }
        if *saturated >= thresholds.saturated {
            found.push(Symptom::Saturated { layer: layer.clone(), share: *saturated });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named() {
        let probe = |dead, saturated| Probe { layer: "hidden".into(), dead, saturated };
        let thresholds = Thresholds::default();
        assert_eq!(units(&[probe(0.5, 0.5), probe(f64::NAN, 0.0)], &thresholds), []);
        assert_eq!(
            units(&[probe(1.0, 0.95)], &thresholds),
            [
                Symptom::DeadUnits { layer: "hidden".into(), share: 1.0 },
                Symptom::Saturated { layer: "hidden".into(), share: 0.95 },
            ]
        );
    }
}
