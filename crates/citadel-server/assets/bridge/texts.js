// What the widget says, by product and by outcome. One place, so that a language can be added beside it.

// `first` and `last` are what the progress says around the sign-in; `where` says whose website is meant in the list of
// providers. A product that changes something has `change`: what DEPOSIT_CONFIRM says for each action.
const REFRESHED = 'They may refresh this for 12 months, or until you stop it, on a page of your own that you get at the end.';
const CHECKED = 'They may check for 12 months that this still holds, or until you stop it, on a page of your own that you get at the end.';

const GENERAL = {
  purpose: 'connect your payroll account',
  search: 'Find your employer',
  where: 'The website where you see your pay.',
  consent: { to: 'receive:', later: REFRESHED },
  shared: ['Your name and employer', 'Your employment details'],
  reading: 'Reading your records',
  preparing: 'Preparing your report',
  success: 'Your payroll account is connected.',
  done: 'Done',
};

/** A product is a row here; a flow with a step of its own adds that step in flow.js. */
const PRODUCTS = {
  employment: {
    purpose: 'verify your employment',
    shared: [
      'Your name, address, birth date and SSN',
      'Employer, job title, manager and dates',
      'Whether you work there now',
    ],
    reading: 'Finding your employment',
    preparing: 'Preparing your employment report',
    success: 'Your employment has been verified.',
  },
  income: {
    purpose: 'verify your income',
    shared: [
      'Your name, address, birth date and SSN',
      'Employer, job, pay, hours and deductions',
      'Pay statements, W-2s and deposit accounts',
    ],
    reading: 'Finding your pay',
    preparing: 'Preparing your income report',
    success: 'Your income has been verified.',
  },
  admin: {
    purpose: 'connect your company’s payroll',
    where: 'The system that runs your company’s payroll.',
    shared: [
      'Everyone at your company: name, contact, birth date, SSN and job',
      'Each payroll: pay, taxes and deductions of everyone',
    ],
    reading: 'Finding your company',
    preparing: 'Reading people and payrolls',
    success: 'Your company’s payroll is connected.',
  },
  deposit_switch: {
    purpose: 'change your direct deposit',
    consent: { to: 'make this change:', later: CHECKED },
    reading: 'Checking your direct deposit',
    preparing: 'Changing your direct deposit',
    title: 'Your direct deposit is set',
    success: 'The change takes effect with one of your next paychecks.',
    change: {
      create: { heading: 'Confirm your direct deposit', lead: 'Your pay will go to this account.' },
      update: { heading: 'Confirm the change', lead: 'Your direct deposit to this account will be changed.' },
      delete: { heading: 'Stop this direct deposit?', lead: 'Your pay will no longer go to this account.' },
    },
  },
  pll: {
    purpose: 'set up your repayment',
    consent: { to: 'make this change:', later: CHECKED },
    reading: 'Checking your direct deposit',
    preparing: 'Setting up your repayment',
    title: 'Your repayment is set',
    success: 'It starts with one of your next paychecks.',
    change: {
      create: { heading: 'Confirm your repayment', lead: 'This part of each paycheck will go to the account that pays back your loan.' },
      update: { heading: 'Confirm the change', lead: 'The part of each paycheck that pays back your loan will be changed to this.' },
      delete: { heading: 'Stop this repayment?', lead: 'Your pay will no longer go to the account that pays back your loan.' },
    },
  },
  fas: {
    purpose: 'change your payroll funding account',
    where: 'The system that runs your company’s payroll.',
    consent: { to: 'change the account that pays your company’s payroll:', later: CHECKED },
    reading: 'Checking your funding account',
    preparing: 'Changing your funding account',
    title: 'Your funding account is set',
    success: 'Two small deposits are on their way to this account. You will be asked for their amounts.',
    change: {
      create: { heading: 'Confirm the funding account', lead: 'Your company’s payroll will be paid from this account.' },
      update: { heading: 'Confirm the funding account', lead: 'Your company’s payroll will be paid from this account from now on.' },
      delete: { heading: 'Remove this account?', lead: 'Your company’s payroll will no longer be paid from this account.' },
    },
  },
};

/** A look has the last word. */
export function productTexts(productType, look) {
  const own = {};
  if (look.search_header) own.search = look.search_header;
  if (look.success_cta) own.done = look.success_cta;
  const product = Object.prototype.hasOwnProperty.call(PRODUCTS, productType) ? PRODUCTS[productType] : null;
  return Object.assign({}, GENERAL, product, own);
}

/** Who asks, for sentences: the client's name, or a plain stand-in. */
export function requester(session) {
  return session.client_name || 'the company that sent you here';
}

// Public error codes of the task statuses that end an attempt.
const CODES = { login_error: 'LOGIN_ERROR', mfa_error: 'MFA_ERROR', no_data: 'NO_DATA', unavailable: 'UNAVAILABLE' };
const KNOWN_CODES = ['LOGIN_ERROR', 'MFA_ERROR', 'NO_DATA', 'UNAVAILABLE', 'LINK_EXISTS', 'ERROR'];

/** The `error` of an ERROR event: three strings, never empty. */
export function linkError(task) {
  const told = task.error || {};
  const known = KNOWN_CODES.indexOf(told.error_code) >= 0;
  return {
    error_type: 'LINK_ERROR',
    error_code: CODES[task.status] || (known ? told.error_code : 'ERROR'),
    error_message: told.error_message || 'The connection ended with status ' + task.status + '.',
  };
}

/** What the sign-in form says after the last attempt was not accepted; `kind` is what was asked for last, if anything. */
export function refusal(status, provider, kind) {
  if (status === 'login_error') return 'That sign-in was not accepted by ' + provider + '. Please check it and try again.';
  if (kind === 'push') return 'The request on your phone was not approved. Please sign in again.';
  if (kind === 'code') return 'That code was not accepted. Please sign in again to get a new one.';
  return 'That answer was not accepted. Please sign in again.';
}

/** Title, explanation and ways on for an attempt that ended without data. */
export function outcome(status, code, provider, message) {
  if (code === 'LINK_EXISTS') {
    const text = 'This ' + provider + ' account is already connected. There is nothing more to do.';
    return { title: 'Already connected', text };
  }
  switch (status) {
    case 'account_locked':
      return {
        title: 'Your account is locked',
        text: provider + ' has locked this account. Unlock it on the ' + provider + ' website, then try again.',
        retry: true,
        other: true,
      };
    case 'no_data':
      return {
        title: 'No records found',
        text: 'The sign-in worked, but this ' + provider + ' account holds no records we can use. Another account may.',
        retry: true,
        other: true,
      };
    case 'unavailable':
      return {
        title: provider + ' is not available',
        text: 'Their website is not answering right now. Nothing is wrong with your account. Please try again in a few minutes.',
        retry: true,
        other: true,
      };
    case 'config_error':
      // The provider's own words, unchanged (or the server's, for another person's sign-in): they name what to set right.
      return { title: provider + ' needs your attention', text: message, retry: true, other: true };
    case 'unable_to_reset':
      return {
        title: 'The password could not be reset',
        text: 'Please reset your password on the ' + provider + ' website, then try again.',
        retry: true,
        other: true,
      };
    case 'not_supported':
      return {
        title: 'This account is not supported',
        text: 'We cannot read this kind of ' + provider + ' account yet. You can choose another provider.',
        other: true,
      };
    default:
      return {
        title: 'Something went wrong',
        text: 'We could not finish the connection. This is our fault, not yours. Please try again.',
        retry: true,
        other: true,
      };
  }
}
