// What the widget says, by product and by outcome. One place, so that a language can be added beside it.

const GENERAL = {
  purpose: 'connect your payroll account',
  shared: ['Your name and employer', 'Your employment details'],
  reading: 'Reading your records',
  preparing: 'Preparing your report',
  success: 'Your payroll account is connected.',
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
};

export function productTexts(productType) {
  return Object.prototype.hasOwnProperty.call(PRODUCTS, productType) ? PRODUCTS[productType] : GENERAL;
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
