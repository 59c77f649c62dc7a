//! The statements that must differ between the databases, as whole texts side by side.

use crate::Dialect;

impl Dialect {
    /// Takes due jobs of one kind. On Postgres a worker skips the rows that another is just taking; on SQLite there is one writer.
    ///
    /// `where done = false` repeats the predicate of the partial index word for word, or SQLite would not use it.
    pub(crate) const fn claim_jobs(self) -> &'static str {
        match self {
            Self::Sqlite => {
                "with due as materialized (
                     select id from jobs
                      where done = false and kind = $4 and run_at <= $1 and (lease_until is null or lease_until <= $1)
                      order by run_at
                      limit $3)
                 update jobs set attempts = jobs.attempts + 1, fence = jobs.fence + 1, lease_until = $2
                   from due
                  where jobs.id = due.id
                 returning jobs.run_at, jobs.id, jobs.kind, jobs.payload, jobs.attempts, jobs.fence"
            }
            Self::Postgres => {
                "with due as materialized (
                     select id from jobs
                      where done = false and kind = $4 and run_at <= $1 and (lease_until is null or lease_until <= $1)
                      order by run_at
                      limit $3
                      for update skip locked)
                 update jobs set attempts = jobs.attempts + 1, fence = jobs.fence + 1, lease_until = $2
                   from due
                  where jobs.id = due.id
                 returning jobs.run_at, jobs.id, jobs.kind, jobs.payload, jobs.attempts, jobs.fence"
            }
        }
    }
}
