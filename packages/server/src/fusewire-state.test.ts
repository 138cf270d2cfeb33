import { describe, expect, it } from 'vitest'
import { ConflictError, createFusewire } from './index.ts'

describe('a program that embeds the server', () => {
  const fusewire = createFusewire({ development: true, log: () => undefined }).rule('doc:*', { state: true })

  it('[D2] [D3] writes documents, and is told which one has won', async () => {
    await fusewire.publish('doc:1', { title: 'Draft', at: new Date(0) })
    const { position, document } = await fusewire.state('doc:1')
    expect(document).toMatchObject({ title: 'Draft' })
    await fusewire.publish('doc:1', { at: new Date(1), ignored: undefined }, { patch: true, ifPosition: position })
    const late = fusewire.publish('doc:1', { title: 'Mine' }, { patch: true, ifPosition: position })
    const conflict = await late.catch((error: unknown) => error)
    expect(conflict).toBeInstanceOf(ConflictError)
    expect((conflict as ConflictError).state).toMatchObject({
      position: { ...position, offset: 2 },
      document: { title: 'Draft', at: '1970-01-01T00:00:00.001Z' },
    })
  })

  it('[D5] removes them', async () => {
    await fusewire.publish('doc:2', 1)
    expect(await fusewire.removeState('doc:2')).toBe(true)
    expect(await fusewire.removeState('doc:2')).toBe(false)
    expect(await fusewire.state('doc:2')).not.toHaveProperty('document')
  })

  it('has none in other channels, and is told at once when its rule contradicts itself', async () => {
    await expect(fusewire.state('chat:1')).rejects.toMatchObject({ code: 'feature_disabled' })
    await expect(fusewire.publish('chat:1', {}, { patch: true })).rejects.toMatchObject({ code: 'feature_disabled' })
    expect(() => fusewire.rule('bad:*', { state: true, recovery: 'none' })).toThrow(
      /rule "bad:\*", recovery: a client of a state channel/,
    )
  })
})
