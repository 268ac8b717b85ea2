// Tells a database that cannot answer now, which is worth trying again, from a mistake of ours, which is not.

/** Of Postgres: connection lost, out of connections, disk or memory, shutting down or starting, too slow, read-only, deadlock. */
const SQL_STATES = /^(08\w{3}|53\w{3}|57P0[1-5]|57014|55P03|25006|25P0[34]|40001|40P01)$/;
const SOCKET_ERRORS = /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EPIPE|ETIMEDOUT)$/;
/** What pg says without a code. */
const DRIVER_ERRORS =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout)/;

/** Whether an error means that the database could not be reached or could not do it in time. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isUnavailable);
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? String(error.code) : "";
  return SQL_STATES.test(code) || SOCKET_ERRORS.test(code) || DRIVER_ERRORS.test(error.message);
}
