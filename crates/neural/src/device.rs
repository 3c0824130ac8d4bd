//! Where tensors live. The only file that chooses a backend; `ops` names those that have operations of ours.
//!
//! A device is chosen by its name: `cpu`, `wgpu`, `vulkan` or `cuda`, the last three with an index
//! (`vulkan:1`) or, for `wgpu` and `vulkan`, with `:cpu` for a software rasteriser such as Mesa's
//! lavapipe. An index counts what the machine has: discrete GPUs first, then integrated and virtual ones,
//! then a software rasteriser. Probing never panics: what a driver throws is caught and told as the reason. What is not
//! there, or does not pass the probe (one product of small matrices, read back and compared), is
//! replaced by the CPU, with the reason beside it.
//!
//! Kernels that burn fuses as it goes are not used, and a device that fuses because another crate turned on
//! burn's feature `fusion` is refused: in 0.22.1 they give wrong weights without a word (burn's issues 5122
//! and 4366; `docs/decisions/0010-gpus-without-fusion.md`).

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::{
    backend::{Backend as _, Dispatch, DispatchDevice},
    tensor::{Device, Tensor, TensorData},
};

use crate::Error;

/// Kinds of devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Cpu,
    Wgpu,
    Vulkan,
    Cuda,
}

/// Which of the devices of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Best,
    Index(usize),
    Software,
}

/// A device that passed its probe, and why it is not the one that was asked for.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The device.
    pub device: Device,
    /// Its name, such as `vulkan:0`.
    pub name: String,
    /// Why it is the CPU although another one was asked for.
    pub warning: Option<String>,
}

/// The names of the kinds of devices that this build knows.
#[must_use]
pub fn kinds() -> Vec<&'static str> {
    let all = [
        ("cpu", cfg!(feature = "flex")),
        ("wgpu", cfg!(feature = "wgpu")),
        ("vulkan", cfg!(feature = "vulkan")),
        ("cuda", cfg!(feature = "cuda")),
    ];
    all.into_iter().filter_map(|(name, built)| built.then_some(name)).collect()
}

/// The CPU.
///
/// # Errors
/// [`Error::NoDevice`] in a build without the feature `flex`.
pub fn cpu() -> Result<Device, Error> {
    #[cfg(feature = "flex")]
    return Ok(Device::flex());
    #[cfg(not(feature = "flex"))]
    Err(missing("cpu", "this build has no feature `flex`"))
}

/// The device of that name, or the CPU with a warning when it is absent or fails.
///
/// ```
/// use fattail_neural::device;
/// let chosen = device::choose("cpu")?;
/// assert_eq!((chosen.name.as_str(), chosen.warning), ("cpu", None));
/// assert!(device::choose("abacus").is_err());
/// # Ok::<(), fattail_neural::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownDevice`] for a name that is none, [`Error::NoDevice`] when there is no CPU to fall
/// back to.
pub fn choose(name: &str) -> Result<Chosen, Error> {
    let (kind, which) = parse(name)?;
    match open(name, kind, which) {
        Ok(device) => Ok(Chosen { device, name: name.to_owned(), warning: None }),
        Err(cause) => {
            let warning = Some(format!("{cause}; the CPU is used instead"));
            Ok(Chosen { device: cpu()?, name: "cpu".to_owned(), warning })
        }
    }
}

/// The device of that name, and no other.
///
/// ```
/// use fattail_neural::{burn::tensor::Tensor, device};
/// let device = device::require("cpu")?;
/// assert_eq!(Tensor::<2>::ones([2, 3], &device).dims(), [2, 3]);
/// // Where `choose` would fall back to the CPU.
/// assert!(device::require("cuda:99").is_err());
/// # Ok::<(), fattail_neural::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownDevice`] for a name that is none, [`Error::NoDevice`] when it is absent or fails.
pub fn require(name: &str) -> Result<Device, Error> {
    let (kind, which) = parse(name)?;
    open(name, kind, which)
}

/// Whether the kernels of `fattail-fused` run on it.
pub(crate) fn is_cpu(device: &Device) -> bool {
    #[cfg(feature = "flex")]
    return match device.as_dispatch() {
        DispatchDevice::Flex(_) => true,
        DispatchDevice::Autodiff(_) => {
            matches!(device.clone().inner().as_dispatch(), DispatchDevice::Flex(_))
        }
        #[allow(unreachable_patterns, reason = "other devices exist with GPU features alone")]
        _ => false,
    };
    #[cfg(not(feature = "flex"))]
    {
        let _ = device;
        false
    }
}

fn parse(name: &str) -> Result<(Kind, Which), Error> {
    let (kind, which) = name.split_once(':').unwrap_or((name, ""));
    let unknown = || Error::UnknownDevice { name: name.to_owned(), known: kinds().join(", ") };
    let kind = match kind {
        "cpu" => Kind::Cpu,
        "wgpu" => Kind::Wgpu,
        "vulkan" => Kind::Vulkan,
        "cuda" => Kind::Cuda,
        _ => return Err(unknown()),
    };
    let which = match which {
        "" => Which::Best,
        "cpu" if matches!(kind, Kind::Wgpu | Kind::Vulkan) => Which::Software,
        // There is one CPU.
        _ if kind == Kind::Cpu => return Err(unknown()),
        index => Which::Index(index.parse().map_err(|_| unknown())?),
    };
    Ok((kind, which))
}

fn missing(name: &str, reason: impl Into<String>) -> Error {
    Error::NoDevice { name: name.to_owned(), reason: reason.into() }
}

/// Opens and probes, with every panic of a driver turned into a reason.
fn open(name: &str, kind: Kind, which: Which) -> Result<Device, Error> {
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let device = handle(name, kind, which)?;
        expect_plain(name, &Dispatch::name(device.as_dispatch()))?;
        probe(name, &device).map(|()| device)
    }));
    attempt.unwrap_or_else(|cause| Err(missing(name, panic_text(cause.as_ref()))))
}

fn handle(name: &str, kind: Kind, which: Which) -> Result<Device, Error> {
    let _ = &which;
    match kind {
        Kind::Cpu => cpu(),
        #[cfg(feature = "wgpu")]
        Kind::Wgpu => graphics(name, burn::tensor::DeviceType::Wgpu, which, Device::wgpu),
        #[cfg(feature = "vulkan")]
        Kind::Vulkan => graphics(name, burn::tensor::DeviceType::Vulkan, which, Device::vulkan),
        #[cfg(feature = "cuda")]
        Kind::Cuda => {
            let found = Device::enumerate(burn::tensor::DeviceType::Cuda).len();
            let index = if let Which::Index(index) = which { index } else { 0 };
            if index < found { Ok(Device::cuda(index)) } else { Err(too_few(name, found)) }
        }
        #[allow(unreachable_patterns, reason = "reached where a feature is off")]
        _ => Err(missing(name, "this build has no such feature")),
    }
}

#[cfg(any(feature = "wgpu", feature = "vulkan", feature = "cuda"))]
fn too_few(name: &str, found: usize) -> Error {
    missing(name, format!("the machine has {found} of them"))
}

/// Opens what the machine lists, and refuses anything else before it is opened. A software rasteriser is
/// asked for by name.
#[cfg(any(feature = "wgpu", feature = "vulkan"))]
fn graphics(
    name: &str,
    kind: burn::tensor::DeviceType,
    which: Which,
    make: fn(burn::tensor::DeviceKind) -> Device,
) -> Result<Device, Error> {
    use burn::tensor::DeviceKind;
    if which == Which::Software {
        return Ok(make(DeviceKind::Cpu));
    }
    let found = Device::enumerate(kind);
    let place = |place| match place {
        Place::Discrete(at) => make(DeviceKind::DiscreteGpu(at)),
        Place::Integrated(at) => make(DeviceKind::IntegratedGpu(at)),
        Place::Virtual(at) => make(DeviceKind::VirtualGpu(at)),
        Place::Software => make(DeviceKind::Cpu),
    };
    let mut there = in_order(&found, place);
    match which {
        Which::Index(index) if index < there.len() => Ok(there.swap_remove(index)),
        Which::Best if !there.is_empty() => Ok(make(DeviceKind::DefaultDevice)),
        _ => Err(too_few(name, there.len())),
    }
}

/// A graphics device among those of its sort.
#[cfg(any(test, feature = "wgpu", feature = "vulkan"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Discrete(usize),
    Integrated(usize),
    Virtual(usize),
    Software,
}

/// What is listed, in the order that indices count.
#[cfg(any(test, feature = "wgpu", feature = "vulkan"))]
fn in_order<D: PartialEq>(listed: &[D], device: impl Fn(Place) -> D) -> Vec<D> {
    let sort = |sort: fn(usize) -> Place| (0..listed.len()).map(sort);
    let all = sort(Place::Discrete).chain(sort(Place::Integrated)).chain(sort(Place::Virtual));
    let all = all.chain([Place::Software]).map(device);
    all.filter(|device| listed.contains(device)).collect()
}

/// Refuses a backend that fuses kernels.
fn expect_plain(name: &str, backend: &str) -> Result<(), Error> {
    if !backend.contains("fusion<") {
        return Ok(());
    }
    let reason = "burn's feature `fusion` is on, whose kernels give wrong weights in 0.22.1: a crate beside \
                  this one turns it on, perhaps by burn's default features";
    Err(missing(name, reason))
}

/// A product of small matrices, read back: `[1 2; 3 4] [1 1; 1 1] = [3 3; 7 7]`.
fn probe(name: &str, device: &Device) -> Result<(), Error> {
    let left = TensorData::new(vec![1.0f32, 2.0, 3.0, 4.0], [2, 2]);
    let ones = Tensor::<2>::ones([2, 2], device);
    let product = Tensor::<2>::from_data(left, device).matmul(ones);
    let read = product.try_into_data().map_err(|cause| missing(name, cause.to_string()))?;
    let values: Vec<f32> = read.iter::<f32>().collect();
    if values == [3.0, 3.0, 7.0, 7.0] {
        return Ok(());
    }
    Err(missing(name, format!("its product of two matrices is wrong: {values:?}")))
}

/// What a panic said.
pub(crate) fn panic_text(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_refused() {
        assert_eq!(parse("vulkan:cpu").unwrap(), (Kind::Vulkan, Which::Software));
        assert_eq!(parse("cuda:1").unwrap(), (Kind::Cuda, Which::Index(1)));
        for wrong in ["cuda:cpu", "cpu:3", "cpu:cpu", "cpu:x", "vulkan:-1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(parse("cpu").unwrap(), (Kind::Cpu, Which::Best));
        let told = choose("tpu").unwrap_err().to_string();
        assert!(told.contains("tpu") && told.contains("cpu"), "{told}");
    }

    #[test]
    fn an_index_counts_what_is_there() {
        use Place::{Discrete, Integrated, Software, Virtual};
        let same = |place| place;
        assert_eq!(in_order(&[Software], same), [Software]);
        assert_eq!(in_order(&[Software, Integrated(0)], same), [Integrated(0), Software]);
        let listed = [Virtual(0), Discrete(1), Software, Discrete(0), Integrated(0)];
        let expected = [Discrete(0), Discrete(1), Integrated(0), Virtual(0), Software];
        assert_eq!(in_order(&listed, same), expected);
        assert!(in_order(&[], same).is_empty());
    }

    #[test]
    fn fused_kernels_are_refused_and_the_cpu_has_none() {
        assert!(expect_plain("cpu", &Dispatch::name(cpu().unwrap().as_dispatch())).is_ok());
        let told = expect_plain("vulkan", "dispatch<fusion<cubecl<wgpu>>>").unwrap_err();
        assert!(told.to_string().contains("feature `fusion`"), "{told}");
    }

    #[test]
    fn what_is_not_there_becomes_the_cpu_with_a_reason() {
        // No machine has a hundred of them, and most builds have none.
        let chosen = choose("cuda:99").unwrap();
        assert_eq!(chosen.name, "cpu");
        assert!(chosen.warning.unwrap().contains("cuda:99"));
        assert!(require("cuda:99").is_err());
        assert!(is_cpu(&chosen.device) && is_cpu(&chosen.device.autodiff()));
    }
}
