//! LightGBM's text; what is read and can be written is read again.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let read = fattail_exchange::lightgbm::read(bytes);
    if let Ok(forest) = &read {
        match fattail_exchange::lightgbm::write(forest) {
            Ok(text) => drop(fattail_exchange::lightgbm::read(text).expect("what is written is read")),
            // A header may hold what the format has no way to write again, such as control characters.
            Err(error) => assert!(matches!(error, fattail_exchange::Error::Unrepresentable { .. })),
        }
    }
    fattail_exchange_fuzz::examine(read);
});
