export function createStack(items = []) {
  return { items: [...items] };
}

export function push(stack, item) {
  return { items: [...stack.items, item] };
}

export function pop(stack) {
  if (stack.items.length === 0) throw new RangeError("the stack is empty");
  return { item: stack.items.at(-1), rest: { items: stack.items.slice(0, -1) } };
}

export function peek(stack) {
  return stack.items.at(-1);
}
