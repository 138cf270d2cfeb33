import { expect, it } from 'vitest'
import { mergeMetrics } from './merge-metrics.ts'

const ONE = `# HELP a_total How many.
# TYPE a_total counter
a_total 1
a_total{kind="x }{",other=""} 2

# HELP b_seconds How long.
# TYPE b_seconds histogram
b_seconds_bucket{le="1"} 3
b_seconds_sum 0.5
`
const OTHER = `# HELP a_total How many.
# TYPE a_total counter
a_total 7

# HELP c Only here.
# TYPE c gauge
c NaN
`

it('describes each metric once, with the values of all workers together', () => {
  expect(
    mergeMetrics([
      { worker: '1', text: ONE },
      { worker: '2', text: OTHER },
    ]),
  ).toBe(`# HELP a_total How many.
# TYPE a_total counter
a_total{worker="1"} 1
a_total{worker="1",kind="x }{",other=""} 2
a_total{worker="2"} 7

# HELP b_seconds How long.
# TYPE b_seconds histogram
b_seconds_bucket{worker="1",le="1"} 3
b_seconds_sum{worker="1"} 0.5

# HELP c Only here.
# TYPE c gauge
c{worker="2"} NaN
`)
})

it('makes nothing of nothing', () => {
  expect(mergeMetrics([{ worker: '1', text: '' }])).toBe('')
})
