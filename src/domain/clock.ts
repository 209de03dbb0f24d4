/** Time is passed in. `now` is epoch milliseconds. */
export interface Clock {
  now(): number;
}
