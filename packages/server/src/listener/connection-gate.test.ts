import { beforeEach, describe, expect, it } from 'vitest'
import { ConnectionGate } from './connection-gate.ts'

const LIMITS = {
  maxConnections: 6,
  maxConnectionsPerAddress: 3,
  handshakesPerSecond: 10,
  handshakesPerSecondPerAddress: 2,
}

let now: number
let gate: ConnectionGate
beforeEach(() => {
  now = 1_767_225_600_000
  gate = new ConnectionGate(LIMITS, now)
})

const enter = (address: string | undefined, times = 1) => Array.from({ length: times }, () => gate.enter(address, now))

describe('ConnectionGate', () => {
  it('takes maxConnectionsPerAddress of one address, and more when some have gone', () => {
    expect(enter('a', 4)).toEqual([undefined, undefined, undefined, 'maxConnectionsPerAddress'])
    expect(enter('b')).toEqual([undefined])
    gate.leave('a')
    expect(enter('a')).toEqual([undefined])
  })

  it('takes maxConnections of all together', () => {
    for (const address of ['a', 'b', 'c']) expect(enter(address, 2)).toEqual([undefined, undefined])
    expect(enter('d')).toEqual(['maxConnections'])
    gate.leave('b')
    expect(enter('d')).toEqual([undefined])
  })

  it('takes handshakes of one address at its rate, twice as many at once', () => {
    for (let n = 0; n < 4; n++) {
      expect(enter('a')).toEqual([undefined])
      gate.leave('a')
    }
    expect(enter('a')).toEqual(['handshakesPerSecondPerAddress'])
    now += 500
    expect(enter('a', 2)).toEqual([undefined, 'handshakesPerSecondPerAddress'])
  })

  it('takes handshakes of all together at the rate of the node', () => {
    for (let n = 0; n < 20; n++) {
      expect(enter(`address ${n}`)).toEqual([undefined])
      gate.leave(`address ${n}`)
    }
    expect(enter('another')).toEqual(['handshakesPerSecond'])
    now += 100
    expect(enter('another', 2)).toEqual([undefined, 'handshakesPerSecond'])
  })

  it('lets an address that is refused take nothing from the others', () => {
    enter('a', 1000)
    expect(enter('b')).toEqual([undefined])
  })

  it('does not count an address that is not limited, only the node', () => {
    expect(enter(undefined, 7)).toEqual([...Array.from({ length: 6 }), 'maxConnections'])
    gate.leave(undefined)
    expect(enter(undefined)).toEqual([undefined])
    expect(gate.size).toBe(0)
  })

  it('remembers an address while it could begin anew, and forgets it then', () => {
    enter('a', 2)
    enter('b')
    gate.leave('a')
    gate.leave('a')
    gate.sweep(now)
    expect(gate.size).toBe(2)
    now += 1000
    gate.sweep(now)
    expect(gate.size).toBe(1)
    gate.leave('b')
    gate.sweep(now)
    expect(gate.size).toBe(0)
  })
})
