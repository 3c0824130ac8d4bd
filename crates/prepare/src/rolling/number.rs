//! The two kinds of numbers that series are made of.

/// `f32` or `f64`; sums are always `f64`.
pub trait Number: Copy + Default + Send + Sync + sealed::Sealed {
    /// The number as `f64`.
    fn widen(self) -> f64;
    /// The nearest number of this kind.
    fn narrow(value: f64) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

impl Number for f32 {
    #[inline]
    fn widen(self) -> f64 {
        f64::from(self)
    }

    #[inline]
    fn narrow(value: f64) -> Self {
        value as f32
    }
}

impl Number for f64 {
    #[inline]
    fn widen(self) -> f64 {
        self
    }

    #[inline]
    fn narrow(value: f64) -> Self {
        value
    }
}
