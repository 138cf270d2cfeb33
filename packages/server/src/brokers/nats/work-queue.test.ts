import { describe, expect, it } from 'vitest'
import { TurnEnd } from './turn-end.ts'
import { WorkQueue } from './work-queue.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** A queue that writes down what it does, whose publications are answered when they are let go. */
const recording = (maxBatch = 10) => {
  const done: string[] = []
  const answers: (() => void)[] = []
  const turnEnd = new TurnEnd()
  const publish = (requests: readonly string[]): Promise<void> => {
    done.push(requests.join('+'))
    return new Promise((resolve) => answers.push(resolve))
  }
  const queue = new WorkQueue<string>(publish, { maxBatch, turnEnd })
  return {
    queue,
    done,
    publish: (...requests: string[]) => {
      for (const request of requests) queue.add({ kind: 'publish', request })
    },
    task: (name: string) => queue.add({ kind: 'task', run: async () => void done.push(name) }),
    /** Reads that are answered when they are let go. */
    read: (...names: string[]) => {
      for (const name of names)
        queue.add({
          kind: 'read',
          run: () => {
            done.push(name)
            return new Promise((resolve) => answers.push(resolve))
          },
        })
    },
    answer: () => answers.shift()?.(),
  }
}

describe('WorkQueue', () => {
  it('does together what a turn brings, the first included', async () => {
    const { publish, done } = recording()
    publish('a')
    await Promise.resolve()
    publish('b', 'c')
    expect(done).toEqual([])
    await turn()
    await turn()
    expect(done).toEqual(['a+b+c'])
  })

  it('does one step after the other, with all that has come meanwhile and in the turn of the answer', async () => {
    const { publish, done, answer } = recording()
    publish('a')
    await turn()
    publish('b')
    await turn()
    await turn()
    expect(done).toEqual(['a'])
    answer()
    publish('c')
    await turn()
    await turn()
    expect(done).toEqual(['a', 'b+c'])
  })

  it('keeps the order of publications and other work', async () => {
    const { publish, task, done, answer, queue } = recording()
    publish('a')
    task('one')
    publish('b')
    await turn()
    await turn()
    expect(done).toEqual(['a'])
    answer()
    await turn()
    await turn()
    expect(done).toEqual(['a', 'one', 'b'])
    answer()
    await turn()
    expect(queue.isIdle).toBe(true)
  })

  it('does what is no publication at once', () => {
    const { task, done } = recording()
    task('one')
    expect(done).toEqual(['one'])
  })

  it('reads what waits together at the same time, and nothing else meanwhile', async () => {
    const { read, task, done, answer, queue } = recording(2)
    expect(queue.isIdle).toBe(true)
    read('a')
    read('b', 'c', 'd')
    task('one')
    expect(done).toEqual(['a'])
    answer()
    await turn()
    expect(done).toEqual(['a', 'b', 'c'])
    answer()
    await turn()
    expect(done).toEqual(['a', 'b', 'c'])
    answer()
    await turn()
    expect(done).toEqual(['a', 'b', 'c', 'd'])
    expect(queue.isIdle).toBe(false)
    answer()
    await turn()
    expect(done).toEqual(['a', 'b', 'c', 'd', 'one'])
    expect(queue.isIdle).toBe(true)
  })

  it('does no more at a time than it may', async () => {
    const { publish, done, answer } = recording(2)
    publish('a', 'b', 'c')
    await turn()
    await turn()
    answer()
    await turn()
    await turn()
    expect(done).toEqual(['a+b', 'c'])
  })
})
