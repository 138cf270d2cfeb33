import type { Awaitable } from '@fusewire/engine'
import { describe, it } from 'vitest'
import { type BrokerUnderTest, brokerTrials } from './broker-trial.ts'
import { conditionTests } from './conditions.ts'
import { deliveryTests } from './delivery.ts'
import { documentTests } from './documents.ts'
import { historyTests } from './history.ts'
import { brokerModelProperty } from './model.ts'
import { nodeTests } from './nodes.ts'
import { positionTests } from './positions.ts'

export interface BrokerContractOptions {
  /** Random histories that are compared with a model. Default 200; fewer where each operation takes a network's time. */
  readonly runs?: number
  /** How many of them go on at a time, each with a broker of its own: for brokers whose time is real, and has to be waited for. Default 1. */
  readonly runsAtOnce?: number
}

/** What every `Broker` must do, as a suite of tests. `makeBroker` is called before each test. */
export const brokerContract = (
  name: string,
  makeBroker: () => Awaitable<BrokerUnderTest>,
  { runs = 200, runsAtOnce = 1 }: BrokerContractOptions = {},
): void => {
  describe(`${name} is a Broker`, () => {
    const current = brokerTrials(makeBroker)
    positionTests(current)
    deliveryTests(current)
    historyTests(current)
    conditionTests(current)
    nodeTests(current)
    documentTests(current)

    it('closes twice without harm', async () => {
      const { broker } = current()
      await broker.close()
      await broker.close()
    })

    it('behaves like a simple model, whatever is done in whatever order', async () => {
      const each = Math.ceil(runs / runsAtOnce)
      await Promise.all(Array.from({ length: runsAtOnce }, () => brokerModelProperty(makeBroker, each)))
    }, 60_000)
  })
}
