//! Checkpoints that are none, or not of this run.

use fattail_core::Panel;
use fattail_descent::Squared;
use fattail_training::{Desk, Error, Holdout, Portion, Reading, Samples, Training};
use proptest::prelude::*;

use crate::{
    toy::{Linear, panel, samples},
    training::settings,
};

fn short() -> Training {
    let holdout = Some(Holdout { portion: Portion::Share(0.2), gap: 0 });
    Training { epochs: 2, holdout, ..settings() }
}

/// The checkpoint at the end of the first epoch.
fn checkpoint() -> Vec<u8> {
    let mut first = Vec::new();
    let mut sink = |bytes: &[u8]| {
        if first.is_empty() {
            first = bytes.to_vec();
        }
        Ok(())
    };
    let desk = Desk { sink: Some(&mut sink), ..Desk::default() };
    short().run(&mut Linear::new(2, true), &samples(), &Squared, desk).unwrap();
    first
}

fn resume_as(
    training: &Training,
    width: usize,
    samples: &Samples,
    bytes: &[u8],
) -> Result<(), Error> {
    let desk = Desk { resume: Some(bytes), ..Desk::default() };
    training.run(&mut Linear::new(width, true), samples, &Squared, desk).map(|_| ())
}

fn resume(bytes: &[u8]) -> Result<(), Error> {
    resume_as(&short(), 2, &samples(), bytes)
}

/// The same bytes with other text in the header, whose length may change.
fn with_header(bytes: &[u8], change: impl Fn(String) -> String) -> Vec<u8> {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = change(String::from_utf8(bytes[8..8 + length].to_vec()).unwrap());
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes(), &bytes[8 + header_length(bytes)..]].concat()
}

fn header_length(bytes: &[u8]) -> usize {
    u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

#[test]
fn the_untouched_checkpoint_is_read() {
    resume(&checkpoint()).unwrap();
}

#[test]
fn cut_bytes_are_refused_at_every_length() {
    let bytes = checkpoint();
    for length in 0..bytes.len() {
        let error = resume(&bytes[..length]).unwrap_err();
        assert!(matches!(error, Error::NotACheckpoint { .. }), "{length}: {error}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(resume(&longer).unwrap_err(), Error::NotACheckpoint { .. }));
}

#[test]
fn another_version_settings_samples_or_network_is_named() {
    let bytes = checkpoint();
    let newer =
        with_header(&bytes, |text| text.replace("\\\"version\\\":2,", "\\\"version\\\":7,"));
    let error = resume(&newer).unwrap_err();
    assert!(matches!(error, Error::Version { found: 7, expected: 2 }), "{error}");
    let foreign = with_header(&bytes, |text| text.replace("fattail-training", "something-else"));
    assert!(resume(&foreign).unwrap_err().to_string().contains("format"));

    let other = Training { seed: 9, ..short() };
    let error = resume_as(&other, 2, &samples(), &bytes).unwrap_err().to_string();
    assert!(error.contains("fingerprint of the settings"), "{error}");
    let fewer =
        Samples::known(&panel().cut(&(0..19).collect::<Vec<_>>()).unwrap(), &Reading::default());
    let error = resume_as(&short(), 2, &fewer.unwrap(), &bytes).unwrap_err().to_string();
    assert!(error.contains("fingerprint of the samples"), "{error}");
    let wider = panel().append_features([("c", vec![0u8; 200])]).unwrap();
    let wider = Samples::known(&wider, &Reading::default()).unwrap();
    let error = resume_as(&short(), 3, &wider, &bytes).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the checkpoint is of another run: its network is 'slopes' of shape [2], here it is \
         'slopes' of shape [3]"
    );
}

#[test]
fn an_engine_of_another_recipe_is_named_though_its_weights_look_alike() {
    let bytes = checkpoint();
    let desk = Desk { resume: Some(&bytes), ..Desk::default() };
    let mut plain = Linear::new(2, false);
    let error = short().run(&mut plain, &samples(), &Squared, desk).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the checkpoint is of another run: its engine is linear, adam true, noise 0, by era false, \
         here it is linear, adam false, noise 0, by era false"
    );
}

#[test]
fn samples_of_other_features_names_eras_or_weights_are_others() {
    let bytes = checkpoint();
    let refused = |panel: &Panel| {
        let samples = Samples::known(panel, &Reading::default()).unwrap();
        let error = resume_as(&short(), 2, &samples, &bytes).unwrap_err().to_string();
        assert!(error.contains("fingerprint of the samples"), "{error}");
    };
    let panel = panel();
    let columns = || [panel.feature(0).to_f32(), panel.feature(1).to_f32()];
    let with = |names: [&str; 2], columns: [Vec<f32>; 2], eras: &dyn Fn(usize) -> usize| {
        let labels: Vec<String> = (0..200).map(|row| eras(row).to_string()).collect();
        let [a, b] = columns;
        let builder = Panel::builder().eras(&labels).unwrap().feature(names[0], a);
        let target = panel.target().unwrap().to_f32();
        builder.feature(names[1], b).target("y", target)
    };
    let tens = |row: usize| row / 10;
    let same = with(["a", "b"], columns(), &tens).build().unwrap();
    resume_as(&short(), 2, &Samples::known(&same, &Reading::default()).unwrap(), &bytes).unwrap();
    // Read in place, they are the same samples.
    let in_place = Samples::known(&same, &Reading { memory: 0, ..Reading::default() }).unwrap();
    resume_as(&short(), 2, &in_place, &bytes).unwrap();
    let mut moved = columns();
    moved[1][150] += 1e-3;
    refused(&with(["a", "b"], moved, &tens).build().unwrap());
    refused(&with(["a", "c"], columns(), &tens).build().unwrap());
    refused(&with(["a", "b"], columns(), &|row| (row + 1) / 10).build().unwrap());
    // A target and a weight changed so that their bits, laid over each other, are as before.
    let (mut target, mut weight) = (panel.target().unwrap().to_f32(), vec![1.0f32; 200]);
    target[0] = f32::from_bits(target[0].to_bits() ^ 1);
    weight[0] = f32::from_bits(weight[0].to_bits() ^ 1);
    let twisted = same.with_target_values(target).unwrap();
    let samples = Samples::known(&twisted, &Reading::default()).unwrap();
    let error = resume_as(&short(), 2, &samples, &bytes).unwrap_err().to_string();
    assert!(error.contains("fingerprint of the samples"), "{error}");
    refused(&with(["a", "b"], columns(), &tens).weights(weight).build().unwrap());
}

#[test]
fn hostile_headers_are_refused() {
    let header = |text: &str| {
        let length = (text.len() as u64).to_le_bytes();
        [&length[..], text.as_bytes()].concat()
    };
    let huge = (1u64 << 61) - 1;
    let tensors: Vec<String> = (0..8u64)
        .map(|index| {
            let (start, end) = (index * huge, (index + 1) * huge);
            format!(
                r#""t{index}":{{"dtype":"U8","shape":[{huge}],"data_offsets":[{start},{end}]}}"#
            )
        })
        .collect();
    // Offsets that add up to the end of the address space.
    let overflowing = header(&format!("{{{}}}", tensors.join(",")));
    let claims = u64::MAX.to_le_bytes().to_vec();
    let deep = header(&"[".repeat(100_000));
    let empty = header("{}");
    let bare = header(r#"{"__metadata__":{"run":"{}"}}"#);
    for bytes in [overflowing, claims, deep, empty, bare, vec![], vec![0; 8], vec![255; 64]] {
        let error = resume(&bytes).unwrap_err();
        assert!(matches!(error, Error::NotACheckpoint { .. }), "{error}");
    }
}

#[test]
fn numbers_that_no_run_can_have_are_refused() {
    let bytes = checkpoint();
    let changes = [
        ("\\\"epoch\\\":1,", "\\\"epoch\\\":3,"),
        ("\\\"averaged\\\":0", "\\\"averaged\\\":18446744073709551615"),
        ("\\\"micro\\\":16", "\\\"micro\\\":0"),
        ("\\\"together\\\":1024", "\\\"together\\\":0"),
        ("\\\"factor\\\":1.0", "\\\"factor\\\":-1.0"),
        ("\\\"skipped\\\":0", "\\\"skipped\\\":4"),
    ];
    for (from, to) in changes {
        let changed = with_header(&bytes, |text| text.replace(from, to));
        assert_ne!(changed, bytes, "{from}");
        let error = resume(&changed).unwrap_err();
        assert!(matches!(error, Error::NotACheckpoint { .. }), "{from}: {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn changed_bytes_never_panic(at in 0usize..4096, value: u8, also in 0usize..4096) {
        let mut bytes = checkpoint();
        let length = bytes.len();
        bytes[at % length] = value;
        bytes[also % length] ^= value;
        let _ = resume(&bytes);
    }

    #[test]
    fn numbers_of_the_header_may_be_anything(
        nth in 0usize..80, number in prop_oneof![Just(u64::MAX), Just(0), any::<u64>()]
    ) {
        let bytes = checkpoint();
        // The nth number of the header replaced.
        let changed = with_header(&bytes, |text| {
            let starts: Vec<usize> = text
                .match_indices(|c: char| c.is_ascii_digit())
                .map(|(at, _)| at)
                .filter(|&at| at > 0 && text.as_bytes()[at - 1] == b':')
                .collect();
            let start = starts[nth % starts.len()];
            let end = text[start..].find([',', '}']).map_or(text.len(), |at| start + at);
            format!("{}{number}{}", &text[..start], &text[end..])
        });
        let _ = resume(&changed);
    }
}
