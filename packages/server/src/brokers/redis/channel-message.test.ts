import { describe, expect, it } from 'vitest'
import { announcementText, readChannelMessage } from './channel-message.ts'

const read = (text: string) => readChannelMessage(Buffer.from(text))

describe('what comes over a channel of Redis', () => {
  it('are the publications of one call, whatever letters are in them', () => {
    const message = read('Pepoch-1 7 1700000000000 1700000060000\n{"data":"žluť"}\n{"data":"P \\n A"}')
    expect(message).toMatchObject({ kind: 'publications', epoch: 'epoch-1', offset: 7, time: 1.7e12, documentEnd: 1.70000006e12 })
    expect(message?.kind === 'publications' && message.bodies()).toEqual(['{"data":"žluť"}', '{"data":"P \\n A"}'])
  })

  it('is one publication, without a document', () => {
    const message = read('Pe 1 1700000000000 0\n{}')
    expect(message).toMatchObject({ kind: 'publications', epoch: 'e', offset: 1, documentEnd: 0 })
    expect(message?.kind === 'publications' && message.bodies()).toEqual(['{}'])
  })

  it('is another epoch', () => {
    expect(read('Eepoch-2 12')).toEqual({ kind: 'epoch', epoch: 'epoch-2', offset: 12 })
  })

  it.each(['Žofie', new Uint8Array([0, 255])])('is somebody who comes: %o', (info) => {
    const join = { type: 'join', channel: 'room', member: { session: 's', user: 'ann', info } } as const
    expect(read(announcementText(join))).toEqual({ kind: 'announcement', announcement: join })
  })

  it.each(['', 'X', 'pe 1 2 0\n{}', 'A', 'A{', ' A{}'])('is nothing that this version knows: %o', (text) => {
    expect(read(text)).toBeUndefined()
  })
})
