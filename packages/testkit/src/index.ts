export { type BrokerContractOptions, type BrokerUnderTest, brokerContract } from './broker-contract.ts'
export { ENGINE_LIMITS, EngineHarness, type EngineHarnessOptions, noHooks, plainAuthenticator } from './engine-harness.ts'
export { type EventuallyOptions, eventually } from './eventually.ts'
export { FakeEnvironment } from './fake-environment.ts'
export { FakeHooks } from './fake-hooks.ts'
export { type Blow, type Direction, FAULT_KINDS, type Fault, type FaultKind, type Weather } from './faults/fault.ts'
export { FaultProxy } from './faults/fault-proxy.ts'
export { type FaultScheduleOptions, faultSchedule, type ScheduledFault } from './faults/fault-schedule.ts'
export { HeldCalls } from './held-calls.ts'
export { type ContractApplication, HOOKS_CONTRACT, hooksContract } from './hooks-contract.ts'
export { InterruptibleBroker } from './interruptible-broker.ts'
export { Journal } from './journal.ts'
export { type CallFate, Fates, lateBroker, latePresence } from './late-ports.ts'
export { MemoryConnection, memoryFormat } from './memory-connection.ts'
export { ModelClient } from './model-client.ts'
export { nodeBusContract } from './node-bus-contract.ts'
export { presenceContract, type SharedPresenceUnderTest } from './presence-contract.ts'
export { PresenceWatcher } from './presence-watcher.ts'
export { Random } from './random.ts'
export { type RevocationsUnderTest, revocationsContract } from './revocations-contract.ts'
export {
  type SessionStoreContractOptions,
  type SessionStoreUnderTest,
  sessionRecord,
  sessionStoreContract,
} from './session-store-contract.ts'
export { SharedBroker } from './shared-broker.ts'
export { turn } from './turn.ts'
