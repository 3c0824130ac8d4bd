//! The features of a CatBoost document, and the questions that its splits ask about them.
//!
//! A split is numbered among all that the document declares: the borders of numbers, then the categories
//! of one-hot features, then the borders of statistics.

use fattail_trees::{Feature, Missing, Rule};

use super::city::Codes;
use super::counters::{Counter, Tables};
use super::read::refuse;
use super::tree::above;
use crate::Result;
use crate::categories::{self, Budget};
use crate::document::{Place, shown};

/// Columns that a document may have.
const COLUMNS: usize = 1 << 20;

/// A question with the answers yes and no.
pub(super) struct Question {
    pub(super) feature: u32,
    pub(super) rule: Rule,
    /// Whether those that the rule sends left answer yes.
    pub(super) yes_is_left: bool,
}

/// A feature of numbers.
struct Number {
    column: usize,
    missing_above: bool,
}

/// The features.
pub(super) struct Features {
    columns: Vec<Feature>,
    numbers: Vec<Number>,
    /// The columns of the categorical features.
    categorical: Vec<usize>,
    codes: Option<Codes>,
    /// The statistics, each with the number of its first split.
    counters: Vec<(usize, Counter)>,
    budget: Budget,
}

impl Features {
    /// Reads the features of a document.
    pub(super) fn read(document: &Place<'_>) -> Result<Self> {
        let info = document.at("features_info")?;
        let list = |key: &str| {
            info.find(key)?.filter(|p| !p.is_null()).map_or(Ok(Vec::new()), |p| p.items())
        };
        let mut features = Self {
            columns: Vec::new(),
            numbers: Vec::new(),
            categorical: Vec::new(),
            codes: None,
            counters: Vec::new(),
            budget: Budget::default(),
        };
        let mut splits = 0;
        for (at, place) in list("float_features")?.iter().enumerate() {
            splits += features.add_number(place, at)?;
        }
        for (at, place) in list("categorical_features")?.iter().enumerate() {
            splits += features.add_categories(place, at)?;
        }
        for kind in ["text_features", "embedding_features"] {
            for place in list(kind)? {
                features.column(&place)?;
            }
        }
        features.name_the_rest();
        let counters = list("ctrs")?;
        if !counters.is_empty() {
            features.add_counters(document, &counters, splits)?;
        }
        Ok(features)
    }

    /// Notes the column of a feature and its name.
    fn column(&mut self, place: &Place<'_>) -> Result<usize> {
        let flat = place.at("flat_feature_index")?;
        let column = flat.index()?;
        if column >= COLUMNS {
            return Err(flat.error(format!("column {column}, allowed is 0 to {}", COLUMNS - 1)));
        }
        if self.columns.len() <= column {
            self.columns.resize(column + 1, Feature::default());
        }
        if let Some(name) = place.find("feature_id")? {
            self.columns[column].name = name.text()?.to_owned();
        }
        Ok(column)
    }

    /// Names the columns that have no name by their position, as CatBoost does.
    fn name_the_rest(&mut self) {
        for (at, feature) in self.columns.iter_mut().enumerate() {
            if feature.name.is_empty() {
                feature.name = at.to_string();
            }
        }
    }

    fn add_number(&mut self, place: &Place<'_>, at: usize) -> Result<usize> {
        self.expect_index(place, at)?;
        let column = self.column(place)?;
        let missing_above = match place.find("nan_value_treatment")? {
            None => false,
            Some(treatment) => match treatment.text()? {
                "AsIs" | "AsFalse" => false,
                "AsTrue" => true,
                other => {
                    let allowed = "allowed is AsIs, AsFalse or AsTrue";
                    return Err(treatment.error(format!("{:?} is given, {allowed}", shown(other))));
                }
            },
        };
        self.numbers.push(Number { column, missing_above });
        let borders = place.find("borders")?.filter(|borders| !borders.is_null());
        borders.map_or(Ok(0), |borders| Ok(borders.singles()?.len()))
    }

    fn add_categories(&mut self, place: &Place<'_>, at: usize) -> Result<usize> {
        self.expect_index(place, at)?;
        let column = self.column(place)?;
        self.categorical.push(column);
        self.codes.get_or_insert_with(Codes::new);
        let values = place.find("values")?.filter(|values| !values.is_null());
        values.map_or(Ok(0), |values| Ok(values.integers()?.len()))
    }

    /// Features stand in the order of their numbers.
    fn expect_index(&self, place: &Place<'_>, at: usize) -> Result<()> {
        let Some(index) = place.find("feature_index")? else { return Ok(()) };
        match index.index()? {
            given if given == at => Ok(()),
            given => Err(index.error(format!("feature {given} is at position {at}"))),
        }
    }

    fn add_counters(
        &mut self,
        document: &Place<'_>,
        places: &[Place<'_>],
        mut first: usize,
    ) -> Result<()> {
        let codes = self.codes.get_or_insert_with(Codes::new);
        let names: Vec<(usize, &str)> = self
            .categorical
            .iter()
            .map(|&column| (column, self.columns[column].name.as_str()))
            .collect();
        let tables =
            Tables { data: document.at("ctr_data")?, codes, by_key: codes.by_key(), names };
        for place in places {
            let (counter, rows) = Counter::read(place, &tables)?;
            self.budget.charge(rows).map_err(|reason| place.error(reason))?;
            let borders = counter.borders.len();
            self.counters.push((first, counter));
            first += borders;
        }
        Ok(())
    }

    /// The name of a column that the features have.
    fn name(&self, column: usize) -> &str {
        &self.columns[column].name
    }

    /// The question of a split.
    pub(super) fn question(&mut self, split: &Place<'_>) -> Result<Question> {
        let kind = split.at("split_type")?;
        match kind.text()? {
            "FloatFeature" => self.number_question(split),
            "OneHotFeature" => self.category_question(split),
            "OnlineCtr" => self.counter_question(split),
            other => Err(refuse(format!("a split of the type {:?}", shown(other)))),
        }
    }

    fn number_question(&self, split: &Place<'_>) -> Result<Question> {
        let place = split.at("float_feature_index")?;
        let index = place.index()?;
        let number = self.numbers.get(index);
        let number = number
            .ok_or_else(|| place.error(format!("feature {index} of {}", self.numbers.len())))?;
        let border = split.at("border")?.single()?;
        let rule = above(border, number.missing_above);
        Ok(Question { feature: number.column as u32, rule, yes_is_left: false })
    }

    fn category_question(&mut self, split: &Place<'_>) -> Result<Question> {
        let place = split.at("cat_feature_index")?;
        let index = place.index()?;
        let count = self.categorical.len();
        let column = self.categorical.get(index).copied();
        let column = column.ok_or_else(|| place.error(format!("feature {index} of {count}")))?;
        let value = split.at("value")?;
        let hash = i32::try_from(value.integer()?)
            .map_err(|_| value.error("a hash of 32 bits is expected"))?;
        let codes = self.codes.get_or_insert_with(Codes::new);
        let (list, missing) = (codes.of(hash), codes.nan == hash);
        if list.is_empty() && !missing {
            return Err(words(self.name(column)));
        }
        let rule = set_rule(list, missing);
        Ok(Question { feature: column as u32, rule, yes_is_left: true })
    }

    fn counter_question(&mut self, split: &Place<'_>) -> Result<Question> {
        let place = split.at("split_index")?;
        let index = place.index()?;
        let after = self.counters.partition_point(|&(first, _)| first <= index);
        let found = after.checked_sub(1).and_then(|at| self.counters.get(at));
        let found = found
            .and_then(|(first, counter)| Some((counter, *counter.borders.get(index - first)?)));
        let (counter, border) = found
            .ok_or_else(|| place.error(format!("split {index} is no border of a statistic")))?;
        if split.at("border")?.single()? != border {
            return Err(place.error(format!("split {index} has the border {border}")));
        }
        // The set must leave out the categories that training has not seen.
        let unseen = counter.unseen > border;
        let differs = |&&(_, value): &&(usize, f32)| (value > border) != unseen;
        let list: Vec<usize> =
            counter.values.iter().filter(differs).map(|&(code, _)| code).collect();
        let rule = set_rule(&list, (counter.missing > border) != unseen);
        Ok(Question { feature: counter.column as u32, rule, yes_is_left: !unseen })
    }

    /// Takes the sets of `copies` of a question from the model's allowance.
    pub(super) fn charge(
        &mut self,
        question: &Question,
        copies: usize,
        place: &Place<'_>,
    ) -> Result<()> {
        let Rule::Categorical { left, .. } = &question.rule else { return Ok(()) };
        let amount = left.len().saturating_mul(copies);
        self.budget.charge(amount).map_err(|reason| place.error(reason))
    }

    /// The columns of the forest.
    pub(super) fn into_columns(self) -> Vec<Feature> {
        self.columns
    }
}

fn set_rule(list: &[usize], default_left: bool) -> Rule {
    Rule::Categorical { left: categories::set(list), missing: Missing::Nan, default_left }
}

/// The error of a categorical feature whose categories are no numbers.
pub(super) fn words(name: &str) -> crate::Error {
    let last = super::city::CATEGORIES - 1;
    refuse(format!(
        "the categorical feature '{}', not all whole numbers from 0 to {last},",
        shown(name)
    ))
}
