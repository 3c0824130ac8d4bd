//! What goes wrong on a device, as the training loop wants to hear it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor};
use fattail_core::Error as CoreError;
use fattail_training::Fault;

use crate::{Error, device};

/// Runs `work`; a panic on a GPU is a lost device, on the CPU a failure.
pub(super) fn guarded<T>(
    device: &Device,
    work: impl FnOnce() -> Result<T, Fault>,
) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let reason = device::panic_text(cause.as_ref());
        Err(if device::is_cpu(device) { failed(Error::Device { reason }) } else { told(reason) })
    })
}

/// An error that no policy can do anything about.
pub(super) fn failed(error: Error) -> Fault {
    Fault::Failed(CoreError::from(error))
}

/// A device's own words: it has no kinds of errors, so memory is told by name.
fn told(reason: String) -> Fault {
    let lower = reason.to_lowercase();
    if ["out of memory", "out of device memory", "allocation"]
        .iter()
        .any(|word| lower.contains(word))
    {
        return Fault::OutOfMemory { reason };
    }
    Fault::DeviceLost { reason }
}

/// A failed reading.
pub(super) fn execution(cause: impl std::fmt::Display) -> Fault {
    told(cause.to_string())
}

/// Reads a tensor of one value.
pub(super) fn scalar(tensor: Tensor<1>) -> Result<f64, Fault> {
    tensor.try_into_scalar::<f32>().map(f64::from).map_err(execution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panics_and_words_become_faults() {
        let cpu = device::cpu().unwrap();
        let fault = guarded::<()>(&cpu, || panic!("shapes differ")).unwrap_err();
        assert!(fault.to_string().contains("shapes differ"), "{fault}");
        assert!(matches!(told("CUDA: out of memory".into()), Fault::OutOfMemory { .. }));
        assert!(matches!(execution("queue removed"), Fault::DeviceLost { .. }));
    }
}
