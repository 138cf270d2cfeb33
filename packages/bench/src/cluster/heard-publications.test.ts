import { describe, expect, it } from 'vitest'
import { HeardPublications } from './heard-publications.ts'
import { stampedData } from './window.ts'

describe('publications that are heard', () => {
  it('are found with their stamps, wherever chunks end', () => {
    const lines = [1, 2, 3].map(
      (at) => `\x81~\0\x90{"type":"publication","channel":"bench:0","data":"${stampedData(60, at, at + 0.5)}","time":1}\n`,
    )
    const bytes = Buffer.from(`{"type":"connected"}${lines.join('')}`, 'latin1')
    for (const size of [1, 7, 50, bytes.length]) {
      const heard: number[][] = []
      const publications = new HeardPublications((dueAt, madeAt) => heard.push([dueAt, madeAt]))
      for (let at = 0; at < bytes.length; at += size) publications.push(bytes.subarray(at, at + size))
      expect(heard).toEqual([
        [1, 1.5],
        [2, 2.5],
        [3, 3.5],
      ])
    }
  })
})
