import type { Level } from '../../../shared/notice.ts'

const SHAPES: Record<Level, string> = {
  info: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM8 7v4M8 4.9v.2',
  success: 'M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM5.3 8.2l2 2 3.5-4',
  warning: 'M8 2.5 14 13H2ZM8 6.5v3M8 11.2v.1',
  alert: 'M5.5 2.5h5l3 3v5l-3 3h-5l-3-3v-5ZM8 5v4M8 11v.1',
}

export const LEVEL_NAMES: Record<Level, string> = { info: 'Info', success: 'Success', warning: 'Warning', alert: 'Alert' }

/** A level told by shape as well as by colour. */
export const LevelMark = ({ level }: { level: Level }) => (
  <svg class={`level-mark ${level}`} viewBox="0 0 16 16" role="img" aria-label={LEVEL_NAMES[level]}>
    <path d={SHAPES[level]} />
  </svg>
)
