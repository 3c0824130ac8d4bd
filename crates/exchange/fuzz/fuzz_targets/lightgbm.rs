//! LightGBM's text; what is read is written and read again.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let read = fattail_exchange::lightgbm::read(bytes);
    if let Ok(forest) = &read {
        let text = fattail_exchange::lightgbm::write(forest).expect("what LightGBM can say it can read");
        fattail_exchange::lightgbm::read(text).expect("what is written is read");
    }
    fattail_exchange_fuzz::examine(read);
});
