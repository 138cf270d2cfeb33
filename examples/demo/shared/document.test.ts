import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DocumentAuthority } from './document-authority.ts'
import { isProposedEdit, type ProposedEdit } from './document-edit.ts'
import { discard, edit, openReplica, outgoing, type Replica, receive, reopen } from './document-replica.ts'
import { editsAfter, isSharedDocument, newestOf, type SharedDocument } from './shared-document.ts'
import { difference } from './text-difference.ts'

const open = (authority: DocumentAuthority, author: string) => newestOf(authority.document(), author)

/** Several editors and the authority, with lines between them that delay, are cut and come back. */
class Editors {
  readonly authority: DocumentAuthority
  readonly replicas: Replica[]
  /** As the channel keeps it. */
  #document: SharedDocument
  readonly #underWay: (ProposedEdit | undefined)[] = []

  constructor(count: number, text: string, maxLog?: number) {
    this.authority = new DocumentAuthority(text, maxLog === undefined ? {} : { maxLog })
    this.#document = this.authority.document()
    this.replicas = Array.from({ length: count }, (_, index) =>
      openReplica(`editor-${index}`, newestOf(this.#document, `editor-${index}`)),
    )
  }

  at(index: number): Replica {
    const replica = this.replicas[index]
    if (!replica) throw new Error('No such editor')
    return replica
  }

  type(index: number, place: number, deleted: number, inserted: string): void {
    const replica = this.at(index)
    const start = Math.min(place, replica.text.length)
    const end = Math.min(start + deleted, replica.text.length)
    const after = replica.text.slice(0, start) + inserted + replica.text.slice(end)
    this.replicas[index] = edit(replica, difference(replica.text, after, start + inserted.length))
  }

  send(index: number): void {
    this.#underWay[index] ??= outgoing(this.at(index))
  }

  arrive(index: number): void {
    const proposed = this.#underWay[index]
    if (!proposed) return
    this.#underWay[index] = undefined
    const { edit: accepted, answer } = this.authority.submit(proposed)
    if (!answer.accepted && answer.reason === 'stale') this.cut(index)
    if (accepted) this.#document = { ...this.#document, edits: { ...this.#document.edits, [accepted.version]: accepted } }
  }

  /** The next edit reaches the editor; false when there is none. */
  hear(index: number): boolean {
    const replica = this.at(index)
    const [next] = editsAfter(this.#document, replica.version)
    if (next) this.replicas[index] = receive(replica, next).replica
    else if (replica.version < this.#document.version) this.cut(index)
    else return false
    return true
  }

  /** The edits so far are written into the text. */
  gather(): void {
    this.#document = this.authority.document()
  }

  /** What was under way is lost, and so are the publications in between. */
  cut(index: number): void {
    this.#underWay[index] = undefined
    const replica = this.at(index)
    this.replicas[index] = reopen(replica, newestOf(this.#document, replica.author)).replica
  }

  settle(): void {
    for (let left = 1000; left > 0; left -= 1) {
      let quiet = true
      for (const index of this.replicas.keys()) {
        while (this.hear(index)) quiet = false
        if (!outgoing(this.at(index))) continue
        quiet = false
        this.send(index)
        this.arrive(index)
      }
      if (quiet) return
    }
    throw new Error('The editors never came to rest')
  }
}

type Act = (editors: Editors) => void

const acts = (count: number): fc.Arbitrary<Act[]> => {
  const who = fc.nat(count - 1)
  const typing = fc.tuple(who, fc.nat(30), fc.nat(4), fc.string({ maxLength: 4 })).map(
    ([index, place, deleted, inserted]): Act =>
      (editors) =>
        editors.type(index, place, deleted, inserted),
  )
  const step = (act: (editors: Editors, index: number) => void) =>
    who.map(
      (index): Act =>
        (editors) =>
          act(editors, index),
    )
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: typing },
      { weight: 3, arbitrary: step((editors, index) => editors.send(index)) },
      { weight: 3, arbitrary: step((editors, index) => editors.arrive(index)) },
      { weight: 3, arbitrary: step((editors, index) => editors.hear(index)) },
      { weight: 1, arbitrary: step((editors, index) => editors.cut(index)) },
      { weight: 1, arbitrary: step((editors) => editors.gather()) },
    ),
    { maxLength: 60 },
  )
}

describe('editors of one document', () => {
  it('have the same text in the end, whatever they type and whenever their lines are cut', () => {
    fc.assert(
      fc.property(acts(3), (list) => {
        const editors = new Editors(3, 'The quick brown fox')
        for (const act of list) act(editors)
        editors.settle()
        for (const { text, serverText } of editors.replicas) {
          expect(text).toBe(editors.authority.text)
          expect(serverText).toBe(editors.authority.text)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('have the same text in the end even when the authority has forgotten old edits', () => {
    fc.assert(
      fc.property(acts(3), (list) => {
        const editors = new Editors(3, 'The quick brown fox', 2)
        for (const act of list) act(editors)
        editors.settle()
        for (const { text } of editors.replicas) expect(text).toBe(editors.authority.text)
      }),
      { numRuns: 300 },
    )
  })

  it('lose nothing that was typed when all type at once at the same place', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.boolean()), { maxLength: 30 }), (list) => {
        const editors = new Editors(3, '')
        const words: string[] = []
        for (const [number, [index, sent]] of list.entries()) {
          const word = `<${index}:${number}>`
          words.push(word)
          editors.type(index, 0, 0, word)
          if (sent) editors.send(index)
          if (sent) editors.arrive(index)
        }
        editors.settle()
        for (const word of words) expect(editors.authority.text.split(word)).toHaveLength(2)
      }),
    )
  })

  it('apply an edit once when its acknowledgement is lost and it is sent again', () => {
    const authority = new DocumentAuthority('')
    const typed = edit(openReplica('a', open(authority, 'a')), ['hello'])
    const proposed = outgoing(typed)
    if (!proposed) throw new Error('Nothing to send')
    expect(authority.submit(proposed).edit?.version).toBe(1)
    expect(authority.submit(proposed)).toEqual({ answer: { accepted: true } })
    expect(reopen(edit(typed, [5, '!']), open(authority, 'a')).replica).toMatchObject({
      version: 1,
      serverText: 'hello',
      text: 'hello!',
    })
    expect(authority.text).toBe('hello')
  })

  it('are told by what the visible text changed, for their carets', () => {
    const authority = new DocumentAuthority('ab')
    const replica = edit(openReplica('a', open(authority, 'a')), ['x', 2])
    const step = receive(replica, { version: 1, author: 'b', sequence: 1, operation: [2, 'y'] })
    expect(step.replica.text).toBe('xaby')
    expect(step.change).toEqual([3, 'y'])
  })

  it('refuse an edit that does not follow', () => {
    const replica = openReplica('a', { version: 3, text: 'abc', applied: 0 })
    expect(() => receive(replica, { version: 5, author: 'b', sequence: 1, operation: [3, 'd'] })).toThrow(RangeError)
  })

  it('go back to the text of the server when their edit is refused', () => {
    const authority = new DocumentAuthority('abc', { maxLength: 5 })
    const replica = edit(openReplica('a', open(authority, 'a')), [3, 'defgh'])
    const proposed = outgoing(replica)
    if (!proposed) throw new Error('Nothing to send')
    expect(authority.submit(proposed).answer).toEqual({ accepted: false, reason: 'full' })
    expect(discard(replica).replica).toMatchObject({ text: 'abc', local: { kind: 'synchronized' } })
  })
})

describe('the authority', () => {
  const proposed = { version: 0, operation: [3, 'd'], author: 'a', sequence: 1 }

  it('refuses an edit for a text of another length, or of a version to come', () => {
    const authority = new DocumentAuthority('abc')
    expect(authority.submit({ ...proposed, operation: [7, 'd'] }).answer).toEqual({ accepted: false, reason: 'malformed' })
    expect(authority.submit({ ...proposed, version: 1 }).answer).toEqual({ accepted: false, reason: 'stale' })
    expect(authority.text).toBe('abc')
  })

  it('lets a text that is full grow shorter', () => {
    const authority = new DocumentAuthority('abcdef', { maxLength: 3 })
    expect(authority.submit({ ...proposed, operation: [5, -1] }).answer).toEqual({ accepted: true })
  })

  it('forgets the author that was idle for longest', () => {
    const authority = new DocumentAuthority('', { maxAuthors: 2 })
    for (const author of ['a', 'b', 'a', 'c']) {
      const { version, text, applied } = open(authority, author)
      authority.submit({ version, operation: text === '' ? ['x'] : [text.length, 'x'], author, sequence: applied + 1 })
    }
    expect(['a', 'b', 'c'].map((author) => open(authority, author).applied)).toEqual([2, 0, 1])
  })

  it('tells a document apart from anything else', () => {
    const document = new DocumentAuthority('abc').document()
    expect(isSharedDocument({ ...document, edits: { 1: { ...proposed, version: 1 } } })).toBe(true)
    for (const other of [undefined, [], { ...document, text: 1 }, { ...document, edits: { 1: 'x' } }]) {
      expect(isSharedDocument(other)).toBe(false)
    }
  })

  it('tells a proposed edit apart from anything else', () => {
    expect(isProposedEdit(proposed)).toBe(true)
    for (const other of [
      null,
      1,
      {},
      { ...proposed, version: -1 },
      { ...proposed, author: '' },
      { ...proposed, operation: 'x' },
    ]) {
      expect(isProposedEdit(other)).toBe(false)
    }
  })
})
