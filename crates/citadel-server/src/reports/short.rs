//! Stored reports are made shorter before they are sealed, to about a fifth: that is what the log and the file grow by.

use zeroize::Zeroizing;

use crate::error::{self, ApiResult};

/// In front of a form that was made shorter. No JSON begins with it.
const SHORT: u8 = 1;
/// The mark, and the length of the JSON.
const PREFIX: usize = 1 + 4;

/// The form in which JSON is kept.
pub(super) fn shorten(json: &[u8]) -> ApiResult<Zeroizing<Vec<u8>>> {
    let most = lz4_flex::block::get_maximum_output_size(json.len());
    let mut short = Zeroizing::new(vec![0; PREFIX + most]);
    short[0] = SHORT;
    short[1..PREFIX].copy_from_slice(&u32::try_from(json.len()).map_err(error::internal)?.to_le_bytes());
    let length = lz4_flex::block::compress_into(json, &mut short[PREFIX..]).map_err(error::internal)?;
    short.truncate(PREFIX + length);
    Ok(short)
}

/// The JSON again. What was kept before forms were made shorter is JSON as it is.
pub(super) fn lengthen(kept: Zeroizing<Vec<u8>>) -> ApiResult<Zeroizing<Vec<u8>>> {
    let Some(([SHORT, length @ ..], short)) = kept.split_first_chunk::<PREFIX>() else { return Ok(kept) };
    let mut json = Zeroizing::new(vec![0; u32::from_le_bytes(*length) as usize]);
    let length = lz4_flex::block::decompress_into(short, &mut json).map_err(error::internal)?;
    json.truncate(length);
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_as_it_was() {
        let long = format!("[{}]", vec![r#"{"name":"Regular","amount":"1935.77"}"#; 500].join(","));
        for json in ["", "[]", r#"{"a":1}"#, &long] {
            let kept = shorten(json.as_bytes()).unwrap();
            assert_eq!(&*lengthen(kept).unwrap(), json.as_bytes());
        }
        assert!(shorten(long.as_bytes()).unwrap().len() * 5 < long.len());
    }

    #[test]
    fn what_was_kept_as_json_is_still_read() {
        let kept = Zeroizing::new(br#"[{"id":"0"}]"#.to_vec());
        assert_eq!(&*lengthen(kept.clone()).unwrap(), &*kept);
    }

    #[test]
    fn a_cut_form_is_an_error() {
        let mut kept = shorten(r#"[{"amount":"1935.77"},{"amount":"1935.77"}]"#.as_bytes()).unwrap();
        let length = kept.len();
        kept.truncate(length - 3);
        assert!(lengthen(kept).is_err());
    }
}
