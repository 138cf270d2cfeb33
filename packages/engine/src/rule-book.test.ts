import { describe, expect, it } from 'vitest'
import { DEFAULT_RULE } from './rule.ts'
import { RuleBook } from './rule-book.ts'

const rule = (historySize: number) => ({ ...DEFAULT_RULE, historySize })

describe('RuleBook', () => {
  it('gives the first rule whose pattern matches, and the fallback where none does', () => {
    const book = new RuleBook(rule(0))
    book.add('chat:lobby', rule(1))
    book.add('chat:*', rule(2))
    book.add('**', rule(3))
    expect(['chat:lobby', 'chat:other', 'chat:other:typing', 'news'].map((name) => book.of(name).historySize)).toEqual([
      1, 2, 3, 3,
    ])
    expect(new RuleBook(rule(7)).of('news').historySize).toBe(7)
  })

  it('decides anew about channels that it knows when a rule is added', () => {
    const book = new RuleBook(rule(0))
    expect(book.of('chat:lobby').historySize).toBe(0)
    book.add('chat:*', rule(1))
    expect(book.of('chat:lobby').historySize).toBe(1)
    book.add('**', rule(2))
    expect([book.of('chat:lobby').historySize, book.of('news').historySize]).toEqual([1, 2])
  })

  it('decides alike however many channels it has been asked about', () => {
    const book = new RuleBook(rule(0))
    book.add('even:*', rule(2))
    for (let n = 0; n < 25_000; n++) {
      const [name, size] = n % 2 ? [`odd:${n}`, 0] : [`even:${n}`, 2]
      expect(book.of(name).historySize).toBe(size)
      expect(book.of('even:1').historySize).toBe(2)
    }
  })

  it('takes channels named like properties of objects', () => {
    const book = new RuleBook(rule(0))
    book.add('__proto__', rule(1))
    expect([book.of('__proto__').historySize, book.of('constructor').historySize]).toEqual([1, 0])
  })
})
