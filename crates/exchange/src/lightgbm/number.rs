//! Numbers as C's `printf` writes them with `%g`.
//!
//! With `P` digits and the decimal exponent `e` of the rounded number: plain notation when `-4 <= e < P`,
//! else `d.ddde+XX`; zeros at the end are dropped. NaN is `nan`, infinities are `inf` and `-inf`.

use std::fmt::Write;

/// Appends `x` as `%.{digits}g` does.
pub(super) fn push_general(out: &mut String, x: f64, digits: usize) {
    if x.is_nan() {
        return out.push_str("nan");
    }
    if x.is_infinite() {
        return out.push_str(if x > 0.0 { "inf" } else { "-inf" });
    }
    if is_short_integer(x, digits) {
        return push(out, format_args!("{}", x as i64));
    }
    let text = format!("{:.*e}", digits - 1, x);
    let (mantissa, exponent) = text.split_once('e').expect("scientific notation has an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a whole number");
    if exponent < -4 || exponent >= digits as i32 {
        out.push_str(without_zeros(mantissa));
        let sign = if exponent < 0 { '-' } else { '+' };
        return push(out, format_args!("e{sign}{:02}", exponent.abs()));
    }
    push_plain(out, mantissa, exponent);
}

/// Appends `x` in six digits if they hold all of it, else in 17.
pub(super) fn push_short(out: &mut String, x: f64) {
    let start = out.len();
    push_general(out, x, 6);
    if out[start..].parse() != Ok(x) && !x.is_nan() {
        out.truncate(start);
        push_general(out, x, 17);
    }
}

/// Whole numbers have no digits to round: -0 alone is not one of them.
fn is_short_integer(x: f64, digits: usize) -> bool {
    let limit = if digits < 16 { 10f64.powi(digits as i32) } else { 1e15 };
    x.abs() < limit && x == x.trunc() && !(x == 0.0 && x.is_sign_negative())
}

/// Moves the point of `d.ddd` by the exponent.
fn push_plain(out: &mut String, mantissa: &str, exponent: i32) {
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    out.push_str(sign);
    let mut digits = without_zeros(mantissa).bytes().filter(|&byte| byte != b'.').map(char::from);
    if exponent < 0 {
        out.push_str("0.");
        (1..-exponent).for_each(|_| out.push('0'));
    } else {
        (0..=exponent).for_each(|_| out.push(digits.next().unwrap_or('0')));
        match digits.next() {
            Some(digit) => out.extend(['.', digit]),
            None => return,
        }
    }
    out.extend(digits);
}

fn without_zeros(mantissa: &str) -> &str {
    if mantissa.contains('.') {
        mantissa.trim_end_matches('0').trim_end_matches('.')
    } else {
        mantissa
    }
}

fn push(out: &mut String, arguments: std::fmt::Arguments) {
    out.write_fmt(arguments).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn general(x: f64, digits: usize) -> String {
        let mut text = String::new();
        push_general(&mut text, x, digits);
        text
    }

    /// Python's `'%.17g' % x` and `'%g' % x`.
    #[test]
    fn like_printf() {
        let table = [
            (0.0, "0", "0"),
            (-0.0, "-0", "-0"),
            (1.0, "1", "1"),
            (0.1, "0.10000000000000001", "0.1"),
            (-1.5, "-1.5", "-1.5"),
            (100000.5, "100000.5", "100000"),
            (100001.5, "100001.5", "100002"),
            (123456.0, "123456", "123456"),
            (1234567.0, "1234567", "1.23457e+06"),
            (999999.5, "999999.5", "1e+06"),
            (1e-4, "0.0001", "0.0001"),
            (0.00012345678, "0.00012345678000000001", "0.000123457"),
            (9.9999999e-5, "9.9999998999999995e-05", "0.0001"),
            (1e16, "10000000000000000", "1e+16"),
            (1e17, "1e+17", "1e+17"),
            (12345678901234567.0, "12345678901234568", "1.23457e+16"),
            (1.0000000180025095e-35, "1.0000000180025095e-35", "1e-35"),
            (1.7976931348623157e308, "1.7976931348623157e+308", "1.79769e+308"),
            (5e-324, "4.9406564584124654e-324", "4.94066e-324"),
            (f64::INFINITY, "inf", "inf"),
            (f64::NEG_INFINITY, "-inf", "-inf"),
            (f64::NAN, "nan", "nan"),
        ];
        for (x, long, short) in table {
            assert_eq!((general(x, 17).as_str(), general(x, 6).as_str()), (long, short));
        }
    }

    #[test]
    fn six_digits_where_they_suffice() {
        let short = |x| {
            let mut text = String::new();
            push_short(&mut text, x);
            text
        };
        assert_eq!(short(215.444), "215.444");
        assert_eq!(short(1.0 / 3.0), "0.33333333333333331");
        assert_eq!(short(-0.0), "-0");
    }
}
