export { TARGETS, type Target } from './frame/targets.ts'
