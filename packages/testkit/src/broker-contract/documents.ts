import type { ChannelState, PublicationDraft, Published, PublishOptions } from '@fusewire/engine'
import { FusewireError, jsonSize } from '@fusewire/protocol'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { type CurrentBroker, conflict } from './broker-trial.ts'

const STATE_TTL_MS = 3_000
const KEPT: PublishOptions = {
  historySize: 5,
  historyTtlMs: 1_000,
  historyBytes: 1_000_000,
  state: { ttlMs: STATE_TTL_MS, maxDocumentBytes: 200 },
}

/** The documents of channels. */
export const documentTests = (current: CurrentBroker): void => {
  describe('documents', () => {
    const publish = async (draft: PublicationDraft, options: Partial<PublishOptions> = {}): Promise<Published> =>
      current().broker.publish('a', draft, { ...KEPT, ...options })
    const replace = (data: unknown, options?: Partial<PublishOptions>): Promise<Published> => publish({ data }, options)
    const patch = (data: unknown, options?: Partial<PublishOptions>): Promise<Published> =>
      publish({ data, patch: true }, options)
    const state = async (): Promise<ChannelState> => current().broker.state('a')
    const document = async (): Promise<unknown> => (await state()).document

    it('are absent until something is published, and then stand at the newest position', async () => {
      const untouched = await state()
      expect(untouched).toEqual({ position: (await current().broker.history('a', {})).position })
      const { position } = await replace({ a: 1 }, { ifPosition: untouched.position })
      expect(await state()).toEqual({ position, document: { a: 1 }, time: expect.any(Number) })
    })

    it('are replaced by what is published, null included', async () => {
      await replace({ a: 1 })
      await replace([1])
      expect(await document()).toEqual([1])
      await replace(null)
      expect(await state()).toHaveProperty('document', null)
    })

    it('are patched as RFC 7396 says, from nothing too', async () => {
      await patch({ a: { b: 1, gone: null }, c: [1, { d: null }] })
      expect(await document()).toEqual({ a: { b: 1 }, c: [1, { d: null }] })
      await patch({ a: { b: null, e: 2 }, c: null, f: 'x' })
      expect(await document()).toEqual({ a: { e: 2 }, f: 'x' })
      await patch('whole')
      expect(await document()).toBe('whole')
    })

    it('take names that mean something to JavaScript for names', async () => {
      const odd = JSON.parse('{"__proto__": {"admin": true}, "constructor": {"prototype": 1}}') as unknown
      await patch(odd)
      expect(JSON.stringify(await document())).toBe(JSON.stringify(odd))
      expect(({} as { admin?: boolean }).admin).toBeUndefined()
    })

    it('do not touch the publications that have made them', async () => {
      await replace({ a: { b: 1 } })
      await patch({ a: { c: 2 } })
      const { publications } = await current().broker.history('a', {})
      expect(publications.map(({ data, patch: isPatch }) => [data, isPatch])).toEqual([
        [{ a: { b: 1 } }, undefined],
        [{ a: { c: 2 } }, true],
      ])
    })

    it('stay as they were read, whatever is published after that', async () => {
      const values: unknown[] = []
      await patch({ a: { n: 0 }, b: {} })
      for (let n = 1; n <= 3; n++) {
        values.push(await document())
        await patch({ a: { n } })
        await patch({ b: { [`n${n}`]: n }, a: { m: n } })
      }
      expect(values).toEqual([
        { a: { n: 0 }, b: {} },
        { a: { n: 1, m: 1 }, b: { n1: 1 } },
        { a: { n: 2, m: 2 }, b: { n1: 1, n2: 2 } },
      ])
    })

    it('are as they were when a patch is too large for them', async () => {
      await patch({ a: { b: 1 }, kept: 'x'.repeat(100) })
      await patch({ a: { b: 2 } })
      await expect(patch({ a: { b: 3 }, c: 'x'.repeat(100) })).rejects.toThrow(FusewireError)
      expect(await document()).toEqual({ a: { b: 2 }, kept: 'x'.repeat(100) })
    })

    it('are refused when they are too large, and then nothing is published', async () => {
      const { position } = await replace({ a: 'x'.repeat(100) })
      const tooLarge = expect.objectContaining({ code: 'document_too_large' })
      await expect(patch({ b: 'x'.repeat(100) })).rejects.toEqual(tooLarge)
      await expect(replace('x'.repeat(199))).rejects.toEqual(tooLarge)
      expect(await state()).toMatchObject({ position, document: { a: 'x'.repeat(100) } })
      await replace('x'.repeat(198))
      expect(jsonSize(await document())).toBe(200)
    })

    it('may be patched any number of times as long as they stay small', async () => {
      for (let n = 0; n < 50; n++) await patch({ counter: n, note: 'x'.repeat(100) })
      expect(await document()).toEqual({ counter: 49, note: 'x'.repeat(100) })
    })

    it('come with a conflict', async () => {
      const { position } = await replace({ a: 1 })
      const newer = await patch({ a: 2 })
      const told = await conflict(patch({ a: 3 }, { ifPosition: position }))
      expect(told).toEqual({ position: newer.position, document: { a: 2 }, time: expect.any(Number) })
    })

    it('lose nothing to patches at the same moment', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => patch({ [`n${n}`]: n })))
      expect(Object.keys((await document()) as object)).toHaveLength(20)
      expect((await state()).position.offset).toBe(20)
    })

    it('are not patched by a repetition', async () => {
      await patch({ a: 1 }, { idempotencyKey: 'k' })
      await patch({ a: 2 })
      await patch({ a: 1 }, { idempotencyKey: 'k' })
      expect(await document()).toEqual({ a: 2 })
    })

    it('stay when the history is cleared, or nothing is kept of it', async () => {
      await replace({ a: 1 })
      await current().broker.clearHistory('a')
      expect(await document()).toEqual({ a: 1 })
      const { position } = await patch({ b: 2 }, { historySize: 0 })
      expect(await state()).toMatchObject({ position, document: { a: 1, b: 2 } })
    })

    it('outlive the history, and begin their time again with each change', async () => {
      await replace({ a: 1 })
      await current().subject.pass(STATE_TTL_MS - 1_000)
      const { position } = await patch({ b: 2 })
      await current().subject.pass(STATE_TTL_MS - 1_000)
      expect(await state()).toMatchObject({ position, document: { a: 1, b: 2 } })
    })

    it.each([
      ['when their time is over', async () => current().subject.pass(STATE_TTL_MS + 500)],
      ['when they are removed', async () => expect(await current().broker.removeDocument('a')).toBe(true)],
    ])('are gone %s: another epoch begins, and those who have a copy are told', async (_, end) => {
      await current().broker.subscribe('a')
      const before = await replace({ a: 1 })
      await end()
      const gone = await state()
      expect(gone).toEqual({ position: { epoch: expect.any(String), offset: 0 } })
      expect(gone.position.epoch).not.toBe(before.position.epoch)
      await eventually(() => expect(current().interruptions).toContain('a'))
      expect((await current().broker.history('a', { since: before.position })).complete).toBe(false)
      const { position } = await patch({ b: 2 })
      expect(position).toEqual({ ...gone.position, offset: 1 })
      expect(await document()).toEqual({ b: 2 })
    })

    it('cannot be removed twice', async () => {
      await replace({ a: 1 })
      await current().broker.removeDocument('a')
      expect(await current().broker.removeDocument('a')).toBe(false)
      expect(await current().broker.removeDocument('never')).toBe(false)
    })

    it('are gone once something is published in a channel that keeps none', async () => {
      await replace({ a: 1 })
      const { state: _, ...stateless } = KEPT
      const { position } = await current().broker.publish('a', { data: 2 }, stateless)
      expect(await state()).toEqual({ position })
    })
  })
}
