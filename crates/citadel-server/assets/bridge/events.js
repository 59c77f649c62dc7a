// What a host is told, in the published shapes. A key without a value is left out: native parsers read null as text.

/** The fields of every payload, and `more`. */
export function payload(token, session, more) {
  const fields = Object.assign({ bridge_token: token, product_type: session ? session.product_type : undefined }, more);
  Object.keys(fields).forEach((key) => {
    if (fields[key] === undefined || fields[key] === null) delete fields[key];
  });
  return fields;
}

/** The fields that tell of a task. */
export function taskData(task, session, employer, provider) {
  return {
    task_id: task.task_id,
    provider_id: task.provider_id || provider.id,
    employer: { name: employerName(task, employer, provider) },
    tracking_info: session.tracking_info,
    data_source: 'payroll',
  };
}

/** Native parsers fail without a name: the provider stands in where there is no employer. */
export function employerName(task, employer, provider) {
  return (task && task.employer && task.employer.name) || (employer && employer.name) || provider.name;
}
