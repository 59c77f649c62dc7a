//! One spelling for names and for what is typed.

/// Lower case, accents folded, `'`, `.` and `&` dropped, other punctuation as one space, the word "and" and a leading
/// "the" left out.
pub(super) fn normalise(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars().flat_map(char::to_lowercase) {
        match fold(letter) {
            "" if letter.is_alphanumeric() => plain.push(letter),
            "" if matches!(letter, '\'' | '’' | '.' | '&') => {}
            "" => plain.push(' '),
            folded => plain.push_str(folded),
        }
    }
    let mut kept: Vec<&str> = plain.split_whitespace().filter(|word| *word != "and").collect();
    if kept.len() > 1 && kept[0] == "the" {
        kept.remove(0);
    }
    kept.join(" ")
}

/// The words of a normalised text.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

/// Latin letters with marks, as people type them. Empty when there is nothing to fold.
const fn fold(letter: char) -> &'static str {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'ð' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'į' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ť' => "t",
        'ù' | 'ú' | 'û' | 'ü' | 'ū' | 'ů' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        _ => "",
    }
}

/// Whether a provider fits what was typed: the beginning of a word of its name, of its id or of its domain.
pub fn matches_provider(query: &str, name: &str, id: &str, domain: &str) -> bool {
    let query = normalise(query);
    let name = normalise(name);
    let starts = |text: &str| text.starts_with(&query) || text.match_indices(' ').any(|(at, _)| text[at + 1..].starts_with(&query));
    starts(&name) || name.replace(' ', "").starts_with(&query) || id.starts_with(&query) || normalise(domain).starts_with(&query)
}
