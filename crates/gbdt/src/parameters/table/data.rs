//! Parameters of the data set.

use super::super::{
    column::columns,
    entry::{Entry, flag, ignored, list, set, unsupported},
};

const MEMORY: &str = "small integers are binned where they lie";

pub(super) const ROWS: &[Entry] = &[
    set("max_bin", &["max_bins"], |draft, value| {
        const ALLOWED: &str = "2 to 65536";
        let bins = value.integer(ALLOWED, |bins| (2..=65_536).contains(&bins))?;
        draft.gbdt.bins.max_bins = bins as usize;
        Ok(())
    })
    .shown(|shown| shown.gbdt.bins.max_bins.to_string()),
    set("max_bin_by_feature", &[], |draft, value| {
        draft.out.positions.max_bins = value.counts(2, "a list of counts, 2 and above")?;
        Ok(())
    })
    .shown(|shown| {
        let bins = &shown.gbdt.bins;
        let most = |name: &std::sync::Arc<str>| {
            bins.max_bins_by_feature.get(&**name).copied().unwrap_or(bins.max_bins)
        };
        list(shown.features.iter().map(most).collect(), &bins.max_bins)
    }),
    set("min_data_in_bin", &[], |draft, value| {
        value.count(1, "1 and above").map(|rows| draft.gbdt.bins.min_data_in_bin = rows)
    })
    .shown(|shown| shown.gbdt.bins.min_data_in_bin.to_string()),
    set("bin_construct_sample_cnt", &["subsample_for_bin"], |draft, value| {
        value.count(1, "1 and above").map(|rows| draft.gbdt.bins.sample = rows)
    })
    .shown(|shown| shown.gbdt.bins.sample.to_string()),
    set("data_random_seed", &["data_seed"], |draft, value| {
        value.seed().map(|seed| draft.gbdt.bins.seed = seed)
    })
    .shown(|shown| shown.gbdt.bins.seed.to_string()),
    ignored("is_enable_sparse", &["is_sparse", "enable_sparse", "sparse"], MEMORY).text("1"),
    ignored("enable_bundle", &["is_enable_bundle", "bundle"], MEMORY).text("1"),
    set("use_missing", &[], |draft, value| {
        value.flag().map(|missing| draft.gbdt.bins.use_missing = missing)
    })
    .shown(|shown| flag(shown.gbdt.bins.use_missing)),
    set("zero_as_missing", &[], |draft, value| {
        value.flag().map(|missing| draft.gbdt.bins.zero_as_missing = missing)
    })
    .shown(|shown| flag(shown.gbdt.bins.zero_as_missing)),
    ignored("feature_pre_filter", &[], "constant features cost nothing").text("1"),
    unsupported("pre_partition", &["is_pre_partition"], "false", "training runs on one machine")
        .text("0"),
    ignored(
        "two_round",
        &["two_round_loading", "use_two_round_loading"],
        "panels larger than memory are mapped",
    )
    .text("0"),
    set("header", &["has_header"], |draft, value| {
        value.flag().map(|header| draft.out.columns.header = Some(header))
    })
    .text("0"),
    set("label_column", &["label"], |draft, value| {
        draft.out.columns.label = column(value.text);
        Ok(())
    })
    .text(""),
    set("weight_column", &["weight"], |draft, value| {
        draft.out.columns.weight = column(value.text);
        Ok(())
    })
    .text(""),
    set(
        "group_column",
        &["group", "group_id", "query_column", "query", "query_id"],
        |draft, value| {
            draft.out.columns.group = column(value.text);
            Ok(())
        },
    )
    .text(""),
    set("ignore_column", &["ignore_feature", "blacklist"], |draft, value| {
        draft.out.columns.ignore = columns(value.parts());
        Ok(())
    })
    .text(""),
    set(
        "categorical_feature",
        &["cat_feature", "categorical_column", "cat_column", "categorical_features"],
        |draft, value| {
            let named = value.parts().filter(|part| *part != "auto");
            draft.out.positions.categorical = columns(named);
            Ok(())
        },
    )
    .shown(|shown| {
        let categorical = &shown.gbdt.bins.categorical;
        let is = |at: &usize| categorical.iter().any(|name| **name == *shown.features[*at]);
        let at: Vec<_> = (0..shown.features.len()).filter(is).map(|at| at.to_string()).collect();
        at.join(",")
    }),
    set("forcedbins_filename", &[], |draft, value| {
        draft.out.files.forced_bins = Some(value.text.into());
        Ok(())
    })
    .text(""),
    ignored("save_binary", &["is_save_binary", "is_save_binary_file"], "data is read from Parquet"),
    ignored("precise_float_parser", &[], "numbers are always read exactly").text("0"),
    unsupported("parser_config_file", &[], "", "there is one reader a format"),
];

fn column(text: &str) -> Option<super::super::ColumnName> {
    columns(std::iter::once(text)).pop()
}
