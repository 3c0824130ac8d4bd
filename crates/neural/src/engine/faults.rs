//! What goes wrong on a device, as the training loop wants to hear it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor};
use fattail_core::Error as CoreError;
use fattail_training::Fault;

use crate::{Error, device};

/// Runs `work`; a panic on a GPU is a lost device, on the CPU a failure.
pub(crate) fn guarded<T, E: From<Fault>>(
    device: &Device,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| {
        let reason = device::panic_text(cause.as_ref());
        let on_cpu = device::is_cpu(device);
        let broken = |reason| Fault::Failed(CoreError::from(Error::Device { reason }));
        Err(E::from(if on_cpu { broken(reason) } else { told(&reason) }))
    })
}

/// An error as a fault: a failed reading in the device's own words, anything else without remedy.
pub(super) fn failed(error: Error) -> Fault {
    match error {
        Error::Device { reason } => told(&reason),
        other => Fault::Failed(CoreError::from(other)),
    }
}

/// What a lost device says: of cubecl (`DevicePoison`) and of wgpu (`DeviceError::Lost`).
const LOST: [&str; 3] = ["device is poisoned", "device was poisoned", "device is lost"];

/// What a device without memory says: of cubecl (`LaunchError` and `IoError`), wgpu (`Error` and
/// `DeviceError`), Vulkan and CUDA, signs between words read as spaces.
const FULL: [&str; 6] = [
    "out of memory",
    "out of device memory",
    "out of host memory",
    "not enough memory",
    "can't allocate",
    "couldn't map storage",
];

/// A device's own words: burn 0.22.1 has no kinds of errors, so memory is told by the texts of cubecl 0.11
/// and wgpu 30. A device that is lost stays so, whatever else it says; what is not known is taken for lost.
fn told(words: &str) -> Fault {
    let lines = words.lines().map(str::trim).filter(|line| !is_frame(line));
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let says = |phrases: &[&str]| {
        let mut plain = lines.iter().map(|line| plain(line));
        plain.any(|line| phrases.iter().any(|phrase| line.contains(phrase)))
    };
    let reason = lines.join(" ");
    if says(&FULL) && !says(&LOST) {
        return Fault::OutOfMemory { reason };
    }
    Fault::DeviceLost { reason }
}

fn plain(line: &str) -> String {
    line.to_lowercase().replace(['-', '_'], " ")
}

/// Whether a line is of a backtrace, `4: name`, `at path` or what stands above: names of functions say
/// nothing.
fn is_frame(line: &str) -> bool {
    let number = line.split(':').next().unwrap_or_default();
    let counted = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    counted || line.starts_with("at ") || line.trim_end_matches(':') == "Backtrace"
}

/// A failed reading.
pub(super) fn execution(cause: impl std::fmt::Display) -> Fault {
    told(&cause.to_string())
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
        let fault = guarded::<(), Fault>(&cpu, || panic!("shapes differ")).unwrap_err();
        assert!(fault.to_string().contains("shapes differ"), "{fault}");
    }

    /// Texts of cubecl-runtime 0.11.3 (`server/base.rs`, `poison.rs`), wgpu 30.0.2 (`api/device.rs`),
    /// wgpu-core 30.0.2 (`device/mod.rs`), wgpu-hal (`lib.rs`), cudarc 0.19.10 and burn-std 0.22.1.
    #[test]
    fn a_full_device_is_told_by_its_words() {
        let all = [
            "out of device memory allocating 1073741824 bytes\n<disabled>",
            "An IO error happened\nCaused by:\n  out of device memory allocating 64 bytes\n",
            "An out-of-memory error happened during launch\nCaused by:\n  no room\nBacktrace\n",
            "can't allocate buffer of size: 9999999999\n",
            "Can't allocate 512 bytes: every page size the memory tracks still holds live allocations",
            "couldn't map storage for a deferred allocation of 4096 bytes\nCaused by:\n  x",
            "An error happened during execution\nCaused by:\n  out of device memory allocating 8 bytes",
            "wgpu error: Out of Memory",
            "Not enough memory left.",
            "ERROR_OUT_OF_DEVICE_MEMORY",
            "VK_ERROR_OUT_OF_HOST_MEMORY",
            "DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")",
        ];
        for words in all {
            assert!(matches!(told(words), Fault::OutOfMemory { .. }), "{words}");
        }
    }

    #[test]
    fn a_lost_device_is_lost_whatever_it_says() {
        let all = [
            "The device is poisoned\nCaused by:\n  Unknown: Out of memory\nBacktrace:\n",
            "The device was poisoned during launch\nCaused by:\n  CUDA_ERROR_ILLEGAL_ADDRESS",
            "The device is poisoned, the kernel could not be loaded\nCaused by:\n  x",
            "Parent device is lost",
            "CUDA allocation error: DriverError(CUDA_ERROR_ILLEGAL_ADDRESS, \"illegal address\")",
            "the storage holds no allocation for that handle: gone\n",
            "An unknown error happened during launch\nCaused by:\n  ?\nBacktrace\n   3: \
             pool::allocation::out_of_memory\n             at /src/out_of_memory.rs:3",
            "queue removed",
        ];
        for words in all {
            assert!(matches!(execution(words), Fault::DeviceLost { .. }), "{words}");
        }
        // A reason is one line.
        let words =
            "The device is poisoned\nCaused by:\n  lost\nBacktrace:\n   0: f\n             at /x";
        assert_eq!(
            told(words).to_string(),
            "the device is lost: The device is poisoned Caused by: lost"
        );
        // A failed reading of weights is the device's, a wrong shape is nobody's.
        let reading = failed(Error::Device { reason: "Parent device is lost".into() });
        assert!(matches!(reading, Fault::DeviceLost { .. }));
        let shape = failed(Error::MissingTensor { name: "head.bias".into() });
        assert!(matches!(shape, Fault::Failed(_)));
    }
}
