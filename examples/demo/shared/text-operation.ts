/**
 * One edit of a text, from its first character to its last: a positive number keeps that many characters, a string is
 * inserted, a negative number deletes. `[6, 'brave ', 5]` turns `hello world` into `hello brave world`.
 *
 * Lengths are UTF-16 code units, as in JavaScript strings and text areas.
 */
export type TextOperation = readonly (number | string)[]

type Component = number | string

const isInsert = (component: Component | undefined): component is string => typeof component === 'string'
const isDelete = (component: Component | undefined): component is number => typeof component === 'number' && component < 0

/** Characters that the operation expects to find. */
export const lengthBefore = (operation: TextOperation): number =>
  operation.reduce<number>((sum, component) => (isInsert(component) ? sum : sum + Math.abs(component)), 0)

/** Characters that it leaves behind. */
export const lengthAfter = (operation: TextOperation): number =>
  operation.reduce<number>((sum, component) => (isInsert(component) ? sum + component.length : sum + Math.max(component, 0)), 0)

/** True when it changes nothing. */
export const isIdle = (operation: TextOperation): boolean =>
  operation.every((component) => typeof component === 'number' && component > 0)

/** Accepts what came over the wire. */
export const isTextOperation = (value: unknown): value is TextOperation =>
  Array.isArray(value) &&
  value.every((component) =>
    typeof component === 'string' ? component.length > 0 : Number.isSafeInteger(component) && component !== 0,
  )

/** Collects components in one normal form: neighbours of a kind are joined, and an insert stands before the delete beside it. */
const createBuilder = () => {
  const components: Component[] = []
  const push = (component: Component): void => {
    if (component === 0 || component === '') return
    const last = components.at(-1)
    if (isInsert(component)) {
      if (isInsert(last)) components[components.length - 1] = last + component
      else if (isDelete(last)) {
        components.pop()
        push(component)
        components.push(last)
      } else components.push(component)
    } else if (typeof last === 'number' && last > 0 === component > 0) components[components.length - 1] = last + component
    else components.push(component)
  }
  return { push, components }
}

/** Reads an operation piece by piece; what is left of a component comes next. */
const createReader = (operation: TextOperation) => {
  let index = 0
  let current: Component | undefined = operation[0]
  return {
    peek: (): Component | undefined => current,
    /** Takes the whole component when `length` is absent. */
    take(length?: number): Component {
      const taken = current
      if (taken === undefined) throw new RangeError('The operations do not fit each other')
      const size = isInsert(taken) ? taken.length : Math.abs(taken)
      if (length === undefined || length >= size) {
        index += 1
        current = operation[index]
        return taken
      }
      current = isInsert(taken) ? taken.slice(length) : taken - Math.sign(taken) * length
      return isInsert(taken) ? taken.slice(0, length) : Math.sign(taken) * length
    },
  }
}

/** The text after the operation. Throws when the operation is for a text of another length. */
export const apply = (text: string, operation: TextOperation): string => {
  if (lengthBefore(operation) !== text.length) throw new RangeError('The operation is for a text of another length')
  let result = ''
  let position = 0
  for (const component of operation) {
    if (isInsert(component)) result += component
    else {
      if (component > 0) result += text.slice(position, position + component)
      position += Math.abs(component)
    }
  }
  return result
}

/** One operation that does what `first` and then `second` do. */
export const compose = (first: TextOperation, second: TextOperation): TextOperation => {
  const { push, components } = createBuilder()
  const a = createReader(first)
  const b = createReader(second)
  for (;;) {
    const before = a.peek()
    const after = b.peek()
    if (before === undefined && after === undefined) return components
    if (isDelete(before)) push(a.take())
    else if (isInsert(after)) push(b.take())
    else {
      const length = Math.min(sizeOf(before), sizeOf(after))
      const kept = a.take(length)
      const fate = b.take(length)
      // What the first inserted and the second deletes was never there.
      if (!isDelete(fate)) push(kept)
      else if (!isInsert(kept)) push(fate)
    }
  }
}

/**
 * Two operations made on the same text, rewritten to follow each other: `apply(apply(text, first), second′)` and
 * `apply(apply(text, second), first′)` are the same text. Where both insert at one place, the text of `first` stands first.
 */
export const transform = (first: TextOperation, second: TextOperation): readonly [TextOperation, TextOperation] => {
  const firstAfter = createBuilder()
  const secondAfter = createBuilder()
  const a = createReader(first)
  const b = createReader(second)
  for (;;) {
    const left = a.peek()
    const right = b.peek()
    if (left === undefined && right === undefined) return [firstAfter.components, secondAfter.components]
    if (isInsert(left)) {
      firstAfter.push(a.take())
      secondAfter.push(left.length)
    } else if (isInsert(right)) {
      firstAfter.push(right.length)
      secondAfter.push(b.take())
    } else {
      const length = Math.min(sizeOf(left), sizeOf(right))
      const one = a.take(length)
      const other = b.take(length)
      // What both delete is gone already for either of them.
      if (isDelete(one) && !isDelete(other)) firstAfter.push(one)
      else if (isDelete(other) && !isDelete(one)) secondAfter.push(other)
      else if (!isDelete(one)) {
        firstAfter.push(length)
        secondAfter.push(length)
      }
    }
  }
}

const sizeOf = (component: Component | undefined): number => {
  if (component === undefined) throw new RangeError('The operations do not fit each other')
  return isInsert(component) ? component.length : Math.abs(component)
}

/** Where a caret at `index` stands after the operation. A caret exactly where text is inserted stays before it. */
export const moveIndex = (index: number, operation: TextOperation): number => {
  let position = 0
  let moved = index
  for (const component of operation) {
    if (position >= index) break
    if (isInsert(component)) moved += component.length
    else {
      if (component < 0) moved -= Math.min(-component, index - position)
      position += Math.abs(component)
    }
  }
  return moved
}

/** Where the author's caret stands after the operation: behind the last change. Undefined when nothing changes. */
export const endOfChange = (operation: TextOperation): number | undefined => {
  let position = 0
  let end: number | undefined
  for (const component of operation) {
    if (isDelete(component)) end = position
    else {
      position += isInsert(component) ? component.length : component
      if (isInsert(component)) end = position
    }
  }
  return end
}
