// The account that a product pays into or from, in words, and the share of the pay that goes there.
//
// Amounts stay texts and whole cents: nothing here is ever a float.

/** "TD Bank account ending in 2600" */
export function accountName(account) {
  return (account.bank_name || 'bank') + ' account ending in ' + account.account_last4;
}

/** `share`: deposit_type and deposit_value. "All of your pay", "25% of each paycheck", "$50.00 of each paycheck". */
export function shareName(share) {
  if (share.deposit_type === 'percent') return shortPercent(share.deposit_value) + '% of each paycheck';
  if (share.deposit_type === 'amount') return '$' + share.deposit_value + ' of each paycheck';
  return 'All of your pay';
}

/** "50.00" as people write it: "50". */
export function shortPercent(text) {
  return text.replace(/\.0+$/, '').replace(/(\.\d*[1-9])0+$/, '$1');
}

/** What the person agrees to and is told at the end, in one sentence without its full stop. */
export function changeName(account, share) {
  const name = accountName(account);
  if (account.purpose === 'funding') {
    return account.action === 'delete' ? 'Payroll is no longer paid from the ' + name : 'Payroll is paid from the ' + name;
  }
  if (account.action === 'delete') return 'Your pay no longer goes to your ' + name;
  return shareName(share) + ' goes to your ' + name;
}

/** The share as the token asks for it; a token that names none means all of the pay. */
export function askedShare(account) {
  const type = account.deposit_type || 'entire';
  return type === 'entire' ? { deposit_type: type } : { deposit_type: type, deposit_value: account.deposit_value };
}

/** What may be typed at most, as text; null where only the kind sets a limit. */
export function limitOf(account, type) {
  return account.deposit_type === type && account.deposit_value ? account.deposit_value : null;
}

/** A typed share as `{share}`, or `{problem}` in words. The server checks again. */
export function readShare(account, type, typed) {
  if (type === 'entire') return { share: { deposit_type: type } };
  const isPercent = type === 'percent';
  const example = isPercent ? 'Please enter a percentage, such as 25.' : 'Please enter an amount, such as 250 or 99.50.';
  const text = typed.replace(/[\s$%]/g, '');
  // A comma is taken only where it cannot be meant as a decimal point.
  if (!/^(\d{1,9}|\d{1,3}(,\d{3})+)(\.\d{1,2})?$/.test(text)) return { problem: example };
  const value = twoDecimals(text.replace(/,/g, ''));
  if (cents(value) === 0) return { problem: isPercent ? 'The percentage must be above 0.' : 'The amount must be above 0.' };
  if (isPercent && cents(value) > 10000) return { problem: 'The percentage can be 100 at most.' };
  const limit = limitOf(account, type);
  if (limit && cents(value) > cents(twoDecimals(limit))) {
    return { problem: 'This can be at most ' + (isPercent ? shortPercent(limit) + '%' : '$' + limit) + '.' };
  }
  return { share: { deposit_type: type, deposit_value: value } };
}

function twoDecimals(text) {
  const [whole, decimals = ''] = text.split('.');
  return whole.replace(/^0+(?=\d)/, '') + '.' + decimals.padEnd(2, '0');
}

function cents(value) {
  return Number(value.replace('.', ''));
}
