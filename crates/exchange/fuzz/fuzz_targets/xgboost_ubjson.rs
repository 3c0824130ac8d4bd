//! XGBoost's UBJSON.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    fattail_exchange_fuzz::examine(fattail_exchange::xgboost::read_ubjson(bytes));
});
