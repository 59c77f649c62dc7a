//! What the page says, product by product. The texts are markup: nothing from outside may enter them.

use crate::Product;

/// The words of the page that differ from product to product.
pub(crate) struct Texts {
    pub(crate) title: &'static str,
    pub(crate) lead: &'static str,
    /// How to sign in to the sandbox.
    pub(crate) hint: &'static str,
    /// What the person does in the widget.
    pub(crate) step_6: &'static str,
    /// What the back end asks Citadel for, and with which calls.
    pub(crate) step_9: &'static str,
    pub(crate) calls_9: &'static str,
}

const LOGIN: &str = "Username <code>goodlogin</code>, password <code>goodpassword</code>. To be asked for a code, \
     use the password <code>mfa</code>; the code is <code>12345</code>.";
const COMPANY_LOGIN: &str = "Where an API key is asked for, it is \
     <code>Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd</code>; elsewhere use the username <code>goodlogin</code> and the \
     password <code>goodpassword</code>.";
const FUNDING_LOGIN: &str = "Where an API key is asked for, it is \
     <code>Skx8LTnyrLiw4SYk8xfkRwOt5OGQbNulypqdsqd</code>; elsewhere use the username <code>goodlogin</code> and the \
     password <code>goodpassword</code>. The two amounts that arrive afterwards are <code>0.1</code> and \
     <code>0.2</code>.";

impl Product {
    pub(crate) fn texts(self) -> Texts {
        match self {
            Self::Employment => Texts {
                title: "Verify employment",
                lead: "Sign in to a payroll account, and see what your app would see.",
                hint: LOGIN,
                step_6: "You choose an employer, sign in, and click Done",
                step_9: "Back end asks Citadel for payroll data",
                calls_9: "POST /v1/verifications/employments/",
            },
            Self::Income => Texts {
                title: "Verify income",
                calls_9: "POST /v1/verifications/incomes/",
                ..Self::Employment.texts()
            },
            Self::Admin => Texts {
                title: "Read a company’s payroll",
                lead: "Connect the payroll of a company, and see its people and what it paid them.",
                hint: COMPANY_LOGIN,
                step_6: "You choose a payroll provider, sign in, and click Done",
                step_9: "Back end asks Citadel for the directory and the payroll",
                calls_9: "POST /v1/administrators/directories/<br>POST /v1/administrators/payrolls/<br>\
                     GET /v1/administrators/payrolls/…/",
            },
            Self::DepositSwitch => Texts {
                title: "Switch a direct deposit",
                lead: "Sign in to a payroll account, and let your pay land in another bank account.",
                hint: LOGIN,
                step_6: "You choose an employer, confirm the account, sign in, and click Done",
                step_9: "Back end asks Citadel where pay lands",
                calls_9: "POST /v1/deposit-switches/",
            },
            Self::Pll => Texts {
                title: "Link a loan to a paycheck",
                lead: "Sign in to a payroll account, and let a part of each paycheck pay back a loan.",
                calls_9: "POST /v1/paycheck-linked-loans/",
                ..Self::DepositSwitch.texts()
            },
            Self::Fas => Texts {
                title: "Switch a funding account",
                lead: "Connect the payroll of a company, and let it pay its people from another bank account.",
                hint: FUNDING_LOGIN,
                step_6: "You choose a payroll provider, sign in, confirm the account, and click Done",
                step_9: "Back end asks Citadel how the switch stands",
                calls_9: "POST /v1/account-switches/<br>POST /v1/refresh/tasks/ with the two amounts",
            },
        }
    }
}
