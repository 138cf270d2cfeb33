import { resolveOptions } from '@fusewire/server/configuration'
import { describe, expect, it } from 'vitest'
import { banner, warnings } from './banner.ts'

const plain = (text: string): string => text
const style = { bold: plain, dim: plain, url: plain, danger: plain, warning: (text: string) => `! ${text}` }
const refused = expect.stringContaining('cleartextPort: browsers and fetch refuse port 6667, because another protocol has it')

describe('what serve says once it listens on a port that browsers refuse', () => {
  const options = resolveOptions({ allowAnonymous: true, tls: false, cleartextPort: 6667 }, { nodeEnv: undefined })
  const listening = { urls: ['http://localhost:6667'] }

  it('has a warning for people', () => {
    const said = banner(listening, options, style).filter((line) => line.startsWith('  ! '))
    expect(said).toEqual([refused])
  })

  it('has a warning beside the JSON that programs read', () => {
    expect(warnings(listening, options)).toEqual([refused])
  })
})
