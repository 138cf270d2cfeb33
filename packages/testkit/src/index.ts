export { FakeEnvironment } from './fake-environment.ts'
export { MemoryConnection, memoryFormat } from './memory-connection.ts'
export { turn } from './turn.ts'
