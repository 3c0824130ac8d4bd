//! Charts of how closely predictions follow features.

use fattail_evaluate::TearSheet;

use crate::chart::{Across, Cells, HEAT, Heat, Layer, Plane, SERIES};
use crate::picture::{Picture, Scale, entry};
use crate::{Result, number};

/// The largest and the mean exposure of each era.
pub(super) fn path(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.exposure.found() else { return Ok(None) };
    let line = |values: &[f64], color| {
        let points = (0..).zip(values).map(|(i, &value)| (f64::from(i) + 0.5, value)).collect();
        Layer::Line(points, color, 2)
    };
    let title = "Exposure to features".to_owned();
    let plane = Plane {
        description: format!("two lines over {} eras: the largest and the mean", found.eras.len()),
        title: title.clone(),
        across: Across::Places(&found.eras),
        layers: vec![line(&found.largest, SERIES[1]), line(&found.mean, SERIES[0])],
        zero: true,
        half: false,
    };
    let caption = format!(
        "The correlation of the predictions with single features, in size: the largest of {} features, and the mean \
         over them. High and jumpy means that the model leans on one feature at a time.",
        number::count(found.all_features as u64)
    );
    let legend = vec![entry("k1", "largest"), entry("k0", "mean of all features")];
    Ok(Some(Picture { svg: plane.to_svg()?, title, caption, legend, ..Picture::default() }))
}

/// The features followed most closely, era by era.
pub(super) fn map(sheet: &TearSheet) -> Result<Option<Picture>> {
    let Some(found) = sheet.exposure.found().filter(|found| !found.features.is_empty()) else {
        return Ok(None);
    };
    let values: Vec<&[f64]> = found.features.iter().map(|feature| &feature.by_era[..]).collect();
    let sizes = values.iter().flat_map(|values| values.iter().map(|value| value.abs()));
    let top = ceiling(sizes.filter(|size| size.is_finite()).fold(0.0, f64::max));
    let title = match found.features.len() {
        shown if shown < found.all_features => {
            format!("The {shown} features followed most closely, of {}", found.all_features)
        }
        shown => format!("Exposure to each of {shown} features"),
    };
    let map = Heat {
        description: format!(
            "a row a feature, a column an era, {} to {} eras: correlation as a colour",
            found.features.len(),
            found.eras.len()
        ),
        title: title.clone(),
        rows: found.features.iter().map(|feature| &feature.name[..]).collect(),
        columns: &found.eras,
        values,
        top,
        cells: Cells::Mean,
    };
    let caption = "A row of one colour is a lasting bet on a feature; a row that changes colour is a bet that turns. \
                   Where eras share a cell it shows their mean; a blank cell has no exposure.";
    let ends = [-top, top].map(|end| format!("{end:+.2}"));
    let scale = Some(Scale { steps: steps(false, HEAT.len()), ends });
    let svg = map.to_svg()?;
    Ok(Some(Picture { svg, title, caption: caption.into(), scale, ..Picture::default() }))
}

/// The classes of a colour scale, from below zero to above it; of alarms, from zero up.
pub(crate) fn steps(alarm: bool, colors: usize) -> Vec<String> {
    let class = |step: usize| format!("h{step}");
    if alarm {
        (0..=colors / 2).rev().map(class).collect()
    } else {
        (0..colors).map(class).collect()
    }
}

/// The next round number, of two digits at most.
fn ceiling(size: f64) -> f64 {
    (20.0 * size).ceil() / 20.0
}
