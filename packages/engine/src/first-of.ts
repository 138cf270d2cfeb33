/** The first of them, without looking at the others. */
export const firstOf = <T>(items: Iterable<T>, count: number): readonly T[] => {
  const first: T[] = []
  for (const item of items) {
    if (first.length >= count) break
    first.push(item)
  }
  return first
}
