//! Damaged files: an error or a sound forest, never a panic, a hang or memory by a claimed count.

use fattail_exchange::lightgbm;
use proptest::collection::vec;
use proptest::prelude::*;

use super::models;

/// What a damaged file is read as has to hold together.
fn survives(bytes: &[u8]) {
    if let Ok(forest) = lightgbm::read(bytes) {
        forest.check().unwrap();
        let row = vec![0.5; forest.features.len()];
        assert_eq!(forest.predict_row(&row).unwrap().len(), forest.outputs);
    }
}

/// Numbers, keys and signs that lead astray.
const BAIT: [&str; 12] = [
    "999999999999",
    "-1",
    "nan",
    "18446744073709551615",
    "-2147483648",
    "=",
    "\n",
    "Tree=0",
    " ",
    "1e999",
    "num_leaves=0",
    "end of trees",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn damaged_files(
        model in any::<prop::sample::Index>(),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        bait in prop::option::of((any::<prop::sample::Index>(), 0..BAIT.len())),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let models = FILES.with(|files| files.clone());
        let mut bytes = model.get(&models).clone();
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some((at, bait)) = bait {
            let at = at.index(bytes.len());
            bytes.splice(at..at, BAIT[bait].bytes());
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        survives(&bytes);
    }

    #[test]
    fn bytes_of_any_kind(bytes in vec(any::<u8>(), 0..200)) {
        survives(&bytes);
        survives(&[b"tree\nversion=v4\n", &bytes[..]].concat());
    }
}

thread_local! {
    /// Read once: the parameters, which are most of a file, are cut out so that the damage hits the trees.
    static FILES: std::rc::Rc<Vec<Vec<u8>>> = std::rc::Rc::new(models().into_iter().map(|(_, text)| {
        text.split("\n[tree_learner").next().unwrap().as_bytes().to_vec()
    }).collect());
}

/// Every prefix of a model is refused or sound: 5,000 cuts.
#[test]
fn cut_off_anywhere() {
    let (_, text) = models().swap_remove(0);
    (0..text.len()).for_each(|end| survives(&text.as_bytes()[..end]));
}

/// A cut before `end of trees` never passes for a smaller model.
#[test]
fn a_cut_among_the_trees_is_refused() {
    for (name, text) in models() {
        let end = text.find("end of trees").unwrap();
        for cut in (0..end).step_by(7) {
            if text.is_char_boundary(cut) {
                assert!(lightgbm::read(&text[..cut]).is_err(), "{name} cut at {cut}");
            }
        }
    }
}
