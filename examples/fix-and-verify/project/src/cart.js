/** What a cart costs, in cents, less a discount in percent. An item without a quantity counts once. */
export function total(items, discountPercent = 0) {
  const sum = items.reduce((cents, item) => cents + item.price, 0);
  return Math.round(sum * (1 - discountPercent / 100));
}
