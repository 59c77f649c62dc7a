//! One spelling for what people write in many ways.

/// Lower case without accents; words of letters and digits, one space between. Apostrophes and dots vanish
/// ("McDonald's" is "mcdonalds", "U.S." is "us"), `&` is "and", every other sign parts words.
pub(super) fn fold(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len() + 8);
    for char in text.chars().filter(|char| !vanishes(*char)) {
        match char {
            '&' => spaced.push_str(" and "),
            _ => each_letter(char, |letter| spaced.push_str(letter.unwrap_or(" "))),
        }
    }
    let mut folded = String::with_capacity(spaced.len());
    for word in spaced.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.push_str(word);
    }
    folded
}

/// The same as one word, without the `&`: "AT&T" is "att", "Home Depot" is "homedepot".
pub(super) fn joined(text: &str) -> String {
    let mut word = String::with_capacity(text.len());
    for char in text.chars().filter(|char| !vanishes(*char)) {
        each_letter(char, |letter| word.push_str(letter.unwrap_or_default()));
    }
    word
}

fn vanishes(char: char) -> bool {
    // Joiners and combining marks belong to the letter before them.
    matches!(char, '\'' | '`' | '.' | '‘' | '’' | 'ʼ' | '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{ad}' | '\u{feff}')
}

fn each_letter(char: char, mut take: impl FnMut(Option<&str>)) {
    if char.is_ascii_alphanumeric() {
        return take(Some(char.to_ascii_lowercase().encode_utf8(&mut [0; 4])));
    }
    for lower in char.to_lowercase() {
        match plain(lower) {
            Some(plain) => take(Some(plain)),
            None if lower.is_alphanumeric() => take(Some(lower.encode_utf8(&mut [0; 4]))),
            // The dot that the lower case of `İ` leaves behind.
            None if vanishes(lower) => {}
            None => take(None),
        }
    }
}

/// The plain Latin letters for an accented one.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'ċ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => "g",
        'ĥ' | 'ħ' => "h",
        'ì'..='ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => "i",
        'ĵ' => "j",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ŀ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ŏ' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ŗ' | 'ř' => "r",
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ŧ' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => "u",
        'ŵ' => "w",
        'ý' | 'ÿ' | 'ŷ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}
