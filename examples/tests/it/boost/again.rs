//! Models trained on from, and leaves fitted again.

use serde_json::Value;

use super::{OTHERS, csv, done, json, numbers, refused, shop};

const TRAIN: &str = "train --data @t.csv --label y --ignore-column name:two,three,weight";

#[test]
fn training_goes_on_from_any_format() {
    let shop = shop();
    let trees = |count: usize| format!("{TRAIN} --num-leaves 7 --num-iterations {count}");
    done(&shop, &format!("{} --out @whole.txt", trees(20)));
    done(&shop, &format!("{} --out @m.txt", trees(12)));
    done(&shop, "convert --from @m.txt --to @m.json");
    done(&shop, "predict --model @whole.txt --data @t.csv --out @p.csv");
    let whole = numbers(&shop, "p.csv", 2);
    // XGBoost keeps single precision.
    for (before, near) in [("m.txt", 1e-6), ("m.json", 1e-3)] {
        let words = format!("{} --input-model @{before} --out @n.txt --json @r.json", trees(8));
        let told = done(&shop, &words);
        assert!(told.contains("on from 12 trees: 20 trees from 600 rows in 20 eras"), "{told}");
        let report = json(&shop, "r.json");
        let count = |name: &str| report[name].as_u64();
        assert_eq!((count("trees_before"), count("trees")), (Some(12), Some(20)));
        done(&shop, "predict --model @n.txt --data @t.csv --out @q.csv");
        for (a, b) in numbers(&shop, "q.csv", 2).iter().zip(&whole) {
            assert!((a[0] - b[0]).abs() < near, "{before}: {a:?} {b:?}");
        }
    }
    // New trees only are taken away, and iterations are counted from the first tree.
    shop.write("v.csv", csv(|_, row| row.swap(2, 4)));
    let words = "--input-model @m.txt --valid @v.csv --early-stopping-round 3 --eta 1";
    done(&shop, &format!("{} {words} --out @n.txt --json @r.json", trees(50)));
    let report = json(&shop, "r.json");
    let trees = report["trees"].as_u64().unwrap();
    assert!((13..62).contains(&trees), "{trees}");
    assert_eq!(report["watched"]["best_iteration"], trees);
    let other = "train --data @t.csv --label two --objective binary --input-model @m.txt";
    refused(&shop, &format!("{other} --out @n.txt"), &["forest", "link"]);
}

#[test]
fn leaves_are_fitted_again() {
    let shop = shop();
    done(&shop, &format!("train --data @t.csv --label y {OTHERS} --out @m.txt"));
    shop.write("u.csv", csv(|_, row| row[6] = format!("{}", row[6].parse::<f64>().unwrap() + 1.0)));
    let mean = |model: &str| {
        done(&shop, &format!("predict --model @{model} --data @u.csv --out @p.csv"));
        let all = numbers(&shop, "p.csv", 2);
        all.iter().map(|row| row[0]).sum::<f64>() / all.len() as f64
    };
    let before = mean("m.txt");
    for (decay, moved) in [("1", 0.0), ("0", 1.0)] {
        let words = "task=refit data=u.csv label=y input_model=m.txt output_model=n.txt";
        let told = done(&shop, &format!("{words} refit_decay_rate={decay} --json r.json"));
        let expected = format!("leaves fitted again at decay {decay}: 20 trees from 600 rows");
        assert!(told.contains(&expected), "{told}");
        assert_eq!(json(&shop, "r.json")["task"], Value::from("refit"));
        let after = mean("n.txt");
        assert!((after - before - moved).abs() < 0.05, "{decay}: {before} to {after}");
    }
    refused(&shop, "task=refit data=u.csv label=y", &["--input-model"]);
}
