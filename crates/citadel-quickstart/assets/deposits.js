// The form of the second step of `fas`.

/** The two amounts as they were typed; nothing, and a word about it, when one cannot be right. */
export function readDeposits(form) {
  const fields = [...form.querySelectorAll("input")];
  const problem = form.querySelector('[role="alert"]');
  const amounts = fields.map((field) => field.value.trim());
  const isRight = amounts.map((amount) => /^0?\.\d{1,2}$/.test(amount) && Number(amount) > 0 && Number(amount) <= 0.2);
  fields.forEach((field, index) => field.setAttribute("aria-invalid", String(!isRight[index])));
  if (isRight.every(Boolean)) {
    problem.textContent = "";
    return amounts;
  }
  problem.textContent = "Each amount is over 0 and at most 0.20, such as 0.1.";
  fields[isRight.indexOf(false)].focus();
  return [];
}
