export { CANDIDATES, type Candidate } from './candidate.ts'
export { type FanOutOptions, type FanOutResult, fanOut } from './fan-out.ts'
