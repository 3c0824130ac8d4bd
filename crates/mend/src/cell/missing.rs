//! Texts that stand for a missing value.

/// What other programs write where they know nothing, in lower case.
const MARKERS: &[&[u8]] = &[
    b"na",
    b"n/a",
    b"nan",
    b"-nan",
    b"null",
    b"none",
    b"nil",
    b"#n/a",
    b"#na",
    b"#value!",
    b"#div/0!",
    b"#null!",
    b"-",
    b"--",
    b".",
    b"?",
    b"\\n",
    b"<na>",
    b"(null)",
    b"missing",
    b"nat",
    b"1.#qnan",
    b"-1.#ind",
    b"inf",
    b"-inf",
    b"+inf",
    b"infinity",
    b"-infinity",
];

/// The longest of them.
const LONGEST: usize = 9;

/// Whether a text stands for a missing value. Infinity is one: it is no number a model can use.
pub(crate) fn is_marker(cell: &[u8]) -> bool {
    cell.len() <= LONGEST && MARKERS.iter().any(|marker| cell.eq_ignore_ascii_case(marker))
}

/// The text in Latin letters where letters of other alphabets, which look the same, stand in it; `None`
/// where there are none. Source: the confusables of Unicode Technical Standard 39, those of capital and
/// small letters that markers are written with.
pub(crate) fn plain_letters(cell: &[u8]) -> Option<Vec<u8>> {
    if cell.is_ascii() || cell.len() > 3 * LONGEST {
        return None;
    }
    let text = std::str::from_utf8(cell).ok()?;
    text.chars().map(latin).collect()
}

fn latin(letter: char) -> Option<u8> {
    let plain = match letter {
        'А' | 'Α' | 'а' | 'α' | 'Ａ' | 'ａ' => b'a',
        'Е' | 'Ε' | 'е' | 'Ｅ' | 'ｅ' => b'e',
        'І' | 'Ι' | 'і' | 'ı' | 'ӏ' | 'Ӏ' | 'Ｉ' | 'ｉ' => b'i',
        'М' | 'Μ' | 'м' => b'm',
        'Ν' | 'Ｎ' | 'ｎ' | 'п' | 'П' | 'Н' | 'н' => b'n',
        'О' | 'Ο' | 'о' | 'ο' | 'Ｏ' | 'ｏ' => b'o',
        'Ѕ' | 'ѕ' => b's',
        'Т' | 'Τ' | 'т' => b't',
        'У' | 'υ' | 'Ս' | 'Ｕ' | 'ｕ' | 'у' | 'Џ' => b'u',
        'Ⅼ' | 'ⅼ' | 'Ｌ' | 'ｌ' | 'Л' | 'л' | 'Լ' | 'ᒪ' => b'l',
        '／' | '∕' => b'/',
        '−' | '–' | '—' | '‐' | '‑' => b'-',
        other => {
            return u8::try_from(other).ok().filter(u8::is_ascii).map(|b| b.to_ascii_lowercase());
        }
    };
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_in_cyrillic_is_null() {
        // Written with NL of Latin, U of Cyrillic, with N that looks like H, and all in Cyrillic.
        for text in ["NУLL", "НУЛЛ", "Nulⅼ", "ΝULL", "NАN", "－".replace('－', "—").as_str()]
        {
            let plain = plain_letters(text.as_bytes()).unwrap();
            assert!(is_marker(&plain), "{text}");
        }
        assert_eq!(plain_letters(b"NULL"), None);
        assert!(!is_marker(&plain_letters("Нет".as_bytes()).unwrap_or_default()));
    }
}
